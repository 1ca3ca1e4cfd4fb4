-- Field variation 7: the number of decimals is checked on the JSON text. 10.0 is refused where 10.000 passes.
--
-- What is not listed here keeps the standard's form: prices 4 decimals, money 2, longitude and latitude 6, power 1.
local messages = require("messages")
local numbers = require("numbers")
local walk = require("walk")

local forms = { TotalPower = numbers.fixed(3), DetailPower = numbers.fixed(3) }

local function shape(message)
  return walk.fields(message, forms)
end

return {
  forecourt = 1,
  kind = "operator",
  name = "decimals",
  description = "Variation 7: exactly three decimals of energy",
  map = messages.map(messages.ways(shape), {
    "query_equip_charge_status", "notification_equip_charge_status", "notification_charge_order_info", "check_charge_orders",
  }),
  examples = {
    {
      call = "map.notification_charge_order_info.request",
      context = { direction = "out" },
      input = { TotalPower = 10, TotalMoney = 12.5, ChargeDetails = { { DetailPower = 10, ElecPrice = 0.8 } } },
      expect = { TotalPower = fixed(10, 3), TotalMoney = 12.5, ChargeDetails = { { DetailPower = fixed(10, 3), ElecPrice = 0.8 } } },
    },
    {
      call = "map.check_charge_orders.answer",
      context = { direction = "in" },
      input = { TotalDisputeOrder = 0 },
      expect = { TotalDisputeOrder = 0 },
    },
  },
}
