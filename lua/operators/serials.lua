-- Field variation 28: serials of another length or form than the standard's 27 characters, such as order numbers of 20 digits (as
-- text or as JSON number). In here each charge has a standard number; the platform never sees it. The pairs are kept: the charge
-- of today is reconciled tomorrow, and the gateway may have been restarted since.
--
-- Our own CheckOrderSeq gets one more character there, 28 in all.
local messages = require("messages")
local serials = require("serials")
local walk = require("walk")

local out, inward, begin = serials.theirs("serials")

local map = messages.map(messages.ways(function(message)
  return walk.fields(message, { StartChargeSeq = out })
end, function(message)
  return walk.fields(message, { StartChargeSeq = inward })
end))

map.query_start_charge.request = function(message, context)
  message.StartChargeSeq = begin(message.StartChargeSeq, context)
  return message
end

local check = map.check_charge_orders.request
map.check_charge_orders.request = messages.chain(check, function(message)
  message.CheckOrderSeq = message.CheckOrderSeq .. "0"
  return message
end)

local THEIRS, OURS = "20260101000000000001", "123456789C3F2697C1E9C709A59"
local known = { serials = { [OURS] = THEIRS } }

return {
  forecourt = 1,
  kind = "operator",
  name = "serials",
  description = "Variation 28: order numbers of another form, over the whole life of an order",
  map = map,
  examples = {
    {
      call = "map.query_start_charge.request",
      context = { direction = "in", platform_id = "123456789" },
      input = { StartChargeSeq = THEIRS, ConnectorID = "c", QRCode = "" },
      expect = { StartChargeSeq = OURS, ConnectorID = "c", QRCode = "" },
      expect_tables = known,
    },
    -- The same command again, and one in the standard's form.
    {
      call = "map.query_start_charge.request",
      context = { direction = "in", platform_id = "123456789" },
      tables = known,
      input = { StartChargeSeq = THEIRS },
      expect = { StartChargeSeq = OURS },
      expect_tables = known,
    },
    {
      call = "map.query_start_charge.request",
      context = { direction = "in", platform_id = "123456789" },
      input = { StartChargeSeq = "123456789000000000000000001" },
      expect = { StartChargeSeq = "123456789000000000000000001" },
    },
    {
      call = "map.query_start_charge.answer",
      context = { direction = "out" },
      tables = known,
      input = { StartChargeSeq = OURS, SuccStat = 0 },
      expect = { StartChargeSeq = THEIRS, SuccStat = 0 },
    },
    {
      call = "map.query_stop_charge.request",
      context = { direction = "in" },
      tables = known,
      input = { StartChargeSeq = THEIRS },
      expect = { StartChargeSeq = OURS },
    },
    {
      call = "map.check_charge_orders.request",
      context = { direction = "out" },
      tables = known,
      input = { CheckOrderSeq = "MA1234567202601020000000001", ChargeOrders = { { StartChargeSeq = OURS }, { StartChargeSeq = "x" } } },
      expect = { CheckOrderSeq = "MA12345672026010200000000010", ChargeOrders = { { StartChargeSeq = THEIRS }, { StartChargeSeq = "x" } } },
    },
    {
      call = "map.check_charge_orders.answer",
      context = { direction = "in" },
      tables = known,
      input = { DisputeOrders = { { StartChargeSeq = THEIRS, DisputeReason = 1 } } },
      expect = { DisputeOrders = { { StartChargeSeq = OURS, DisputeReason = 1 } } },
    },
  },
}
