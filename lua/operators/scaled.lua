-- Field variation 21: money in millionths of a yuan, energy in hundredths of a kWh, both as integers, names in lower camel case.
local keys = require("keys")
local messages = require("messages")
local numbers = require("numbers")
local walk = require("walk")

local money, energy = numbers.scaled(1000000), numbers.scaled(100)
local out_forms = {
  ElecPrice = money, SevicePrice = money, ElecMoney = money, SeviceMoney = money, TotalMoney = money, TotalElecMoney = money,
  TotalSeviceMoney = money, DetailElecMoney = money, DetailSeviceMoney = money, TotalOrderMoney = money,
  TotalPower = energy, DetailPower = energy, TotalOrderPower = energy,
}
local money_back, energy_back = numbers.unscaled(1000000), numbers.unscaled(100)
local in_forms = {
  TotalMoney = money_back, TotalDisputeMoney = money_back, TotalPower = energy_back, TotalDisputePower = energy_back,
}

local function out(message)
  return keys.rename(walk.fields(message, out_forms), keys.lower_first)
end

local function inward(message)
  return walk.fields(keys.rename(message, keys.upper_first), in_forms)
end

return {
  forecourt = 1,
  kind = "operator",
  name = "scaled",
  description = "Variation 21: money and energy as scaled integers, lower-camel names",
  map = messages.map(messages.ways(out, inward)),
  examples = {
    {
      call = "map.notification_charge_order_info.request",
      context = { direction = "out" },
      input = { TotalPower = 12.34, TotalMoney = 15.07, StopReason = 2, ChargeDetails = { { ElecPrice = 0.8123, DetailPower = 12.34 } } },
      expect = {
        totalPower = 1234, totalMoney = 15070000, stopReason = 2, chargeDetails = { { elecPrice = 812300, detailPower = 1234 } },
      },
    },
    {
      call = "map.check_charge_orders.answer",
      context = { direction = "in" },
      input = { totalDisputeOrder = 1, disputeOrders = { { startChargeSeq = "s", totalPower = 1234, totalMoney = 15070000 } } },
      expect = { TotalDisputeOrder = 1, DisputeOrders = { { StartChargeSeq = "s", TotalPower = 12.34, TotalMoney = 15.07 } } },
    },
    {
      call = "map.query_stations_info.request",
      context = { direction = "in" },
      input = { pageNo = 1, lastQueryTime = "" },
      expect = { PageNo = 1, LastQueryTime = "" },
    },
  },
}
