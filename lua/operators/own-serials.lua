-- Field variation 11: the answer to the start command returns a number of ours, the operator's id and letters, and the platform goes
-- on with that one. In here the charge keeps the platform's number. The pairs are kept, over restarts.
local messages = require("messages")
local serials = require("serials")
local walk = require("walk")

local out, inward, begin = serials.ours("own_serials")

local map = messages.map(messages.ways(function(message)
  return walk.fields(message, { StartChargeSeq = out })
end, function(message)
  return walk.fields(message, { StartChargeSeq = inward })
end))

map.query_start_charge.request = function(message, context)
  message.StartChargeSeq = begin(message.StartChargeSeq, context)
  return message
end

local THEIRS, OURS = "123456789000000000000000001", "MA1234567AAAAAAAAhwYZwuhokq"
local known = { own_serials = { [THEIRS] = OURS } }

return {
  forecourt = 1,
  kind = "operator",
  name = "own-serials",
  description = "Variation 11: our own order numbers, which the platform adopts",
  map = map,
  examples = {
    {
      call = "map.query_start_charge.request",
      context = { direction = "in", operator_id = "MA1234567" },
      input = { StartChargeSeq = THEIRS, ConnectorID = "c" },
      expect = { StartChargeSeq = THEIRS, ConnectorID = "c" },
      expect_tables = known,
    },
    {
      call = "map.query_start_charge.answer",
      context = { direction = "out" },
      tables = known,
      input = { StartChargeSeq = THEIRS, SuccStat = 0 },
      expect = { StartChargeSeq = OURS, SuccStat = 0 },
    },
    {
      call = "map.query_stop_charge.request",
      context = { direction = "in" },
      tables = known,
      input = { StartChargeSeq = OURS },
      expect = { StartChargeSeq = THEIRS },
    },
    {
      call = "map.notification_charge_order_info.request",
      context = { direction = "out" },
      tables = known,
      input = { StartChargeSeq = THEIRS, TotalMoney = 1 },
      expect = { StartChargeSeq = OURS, TotalMoney = 1 },
    },
    {
      call = "map.notification_charge_order_info.answer",
      context = { direction = "in" },
      tables = known,
      input = { StartChargeSeq = OURS, ConfirmResult = 0 },
      expect = { StartChargeSeq = THEIRS, ConfirmResult = 0 },
    },
  },
}
