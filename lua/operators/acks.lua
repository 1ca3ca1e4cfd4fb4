-- Field variation 25: acknowledgements with each other's fields: the status push is answered with ConfirmResult, the order with
-- SuccStat. The gateway finds a verdict in any of Status, SuccStat and ConfirmResult by itself; these functions are for
-- platforms that say it in yet another way.
return {
  forecourt = 1,
  kind = "operator",
  name = "acks",
  description = "Variation 25: acknowledgements with other fields",
  map = {
    notification_stationStatus = {
      answer = function(message)
        return { Status = message.ConfirmResult or message.Status }
      end,
    },
    notification_charge_order_info = {
      answer = function(message)
        -- 1 is a yes in this one's Accepted.
        if message.Accepted ~= nil then
          message.ConfirmResult = message.Accepted == 1 and 0 or 1
        else
          message.ConfirmResult = message.ConfirmResult or message.SuccStat
        end
        return message
      end,
    },
  },
  examples = {
    { call = "map.notification_stationStatus.answer", input = { ConfirmResult = 0 }, expect = { Status = 0 } },
    { call = "map.notification_charge_order_info.answer", input = { SuccStat = 1 }, expect = { SuccStat = 1, ConfirmResult = 1 } },
    { call = "map.notification_charge_order_info.answer", input = { Accepted = 1 }, expect = { Accepted = 1, ConfirmResult = 0 } },
  },
}
