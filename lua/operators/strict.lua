-- An invented platform whose receiver is strict: it takes its own names and its own form of numbers, and nothing else. The
-- demo's second platform speaks it. Each difference has the number of the field variation in protocol.md, section 3.

local keys = require("keys")
local numbers = require("numbers")
local walk = require("walk")

-- Service where the standard writes Sevice (1).
local rename = keys.both({
  SevicePrice = "ServicePrice",
  SeviceMoney = "ServiceMoney",
  DetailSeviceMoney = "DetailServiceMoney",
  TotalSeviceMoney = "TotalServiceMoney",
})

-- The decimals as texts with exactly so many places (7, 19).
local forms = {}
for decimals, names in pairs({
  [2] = { "ElecMoney", "SeviceMoney", "DetailElecMoney", "DetailSeviceMoney", "TotalElecMoney", "TotalSeviceMoney", "TotalMoney" },
  [3] = { "TotalPower", "DetailPower" },
  [4] = { "ElecPrice", "SevicePrice" },
}) do
  for _, name in ipairs(names) do
    forms[name] = numbers.text(decimals)
  end
end

local function reshape(message)
  return rename(walk.fields(message, forms))
end

return {
  forecourt = 1,
  kind = "operator",
  name = "strict",
  description = "Invented: Service for Sevice, decimals as texts, swapped acknowledgements",
  -- Paths of its own (15).
  paths = {
    query_equip_business_policy = "query_business_policy",
    notification_charge_order_info = "notification_order_info",
  },
  -- It wants to see a running charge more often than the standard's 50 s.
  timing = { charge_status_s = 5 },
  map = {
    query_equip_business_policy = { answer = reshape },
    query_equip_charge_status = { answer = reshape },
    notification_equip_charge_status = { request = reshape },
    notification_charge_order_info = {
      request = reshape,
      -- Order and status push are acknowledged with each other's fields (25).
      answer = function(message)
        message.ConfirmResult = message.SuccStat
        return message
      end,
    },
    notification_stationStatus = {
      answer = function(message)
        return { Status = message.ConfirmResult }
      end,
    },
  },
  examples = {
    {
      call = "map.query_equip_business_policy.answer",
      input = {
        SuccStat = 0,
        SumPeriod = 1,
        PolicyInfos = array({ { StartTime = "000000", ElecPrice = 0.8, SevicePrice = 0.4 } }),
      },
      expect = {
        SuccStat = 0,
        SumPeriod = 1,
        PolicyInfos = array({ { StartTime = "000000", ElecPrice = "0.8000", ServicePrice = "0.4000" } }),
      },
    },
    {
      call = "map.notification_charge_order_info.request",
      input = {
        StartChargeSeq = "123456789202601010000000001", ConnectorID = "11010500010011", StopReason = 2, TotalPower = 10,
        TotalElecMoney = 8, TotalSeviceMoney = 4.5, TotalMoney = 12.5, SumPeriod = 1,
        ChargeDetails = array({
          {
            DetailStartTime = "2026-01-01 10:00:00", DetailEndTime = "2026-01-01 10:30:00", ElecPrice = 0.8, SevicePrice = 0.45,
            DetailPower = 10, DetailElecMoney = 8, DetailSeviceMoney = 4.5,
          },
        }),
      },
      expect = {
        StartChargeSeq = "123456789202601010000000001", ConnectorID = "11010500010011", StopReason = 2, TotalPower = "10.000",
        TotalElecMoney = "8.00", TotalServiceMoney = "4.50", TotalMoney = "12.50", SumPeriod = 1,
        ChargeDetails = array({
          {
            DetailStartTime = "2026-01-01 10:00:00", DetailEndTime = "2026-01-01 10:30:00", ElecPrice = "0.8000",
            ServicePrice = "0.4500", DetailPower = "10.000", DetailElecMoney = "8.00", DetailServiceMoney = "4.50",
          },
        }),
      },
    },
    { call = "map.notification_charge_order_info.answer", input = { SuccStat = 1 }, expect = { SuccStat = 1, ConfirmResult = 1 } },
    { call = "map.notification_stationStatus.answer", input = { ConfirmResult = 0 }, expect = { Status = 0 } },
  },
}
