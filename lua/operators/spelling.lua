-- Field variations 1 and 3: other spellings of the same fields, both ways.
--
-- The standard writes Sevice; some platforms take Service only, and one of them says ElectMoney in the answer to a question
-- where its pushes say ElecMoney. Others misspell or write in capitals.
local keys = require("keys")
local messages = require("messages")

local service = {
  SevicePrice = "ServicePrice",
  SeviceMoney = "ServiceMoney",
  DetailSeviceMoney = "DetailServiceMoney",
  TotalSeviceMoney = "TotalServiceMoney",
}
local misspelt = {
  StartChargeSeqStat = "StartChargeSeqSta",
  BusineHours = "BusinetHours",
  ManufacturerID = "ManufacturingID",
  Soc = "SOC",
}
local names = {}
for _, group in ipairs({ service, misspelt }) do
  for ours, theirs in pairs(group) do
    names[ours] = theirs
  end
end

local out, inward = keys.both(names)
local map = messages.map(messages.ways(out, inward))

-- One method that differs from the others.
local answer_out = keys.both({ ElecMoney = "ElectMoney" })
map.query_equip_charge_status.answer = messages.chain(answer_out, out)

return {
  forecourt = 1,
  kind = "operator",
  name = "spelling",
  description = "Variations 1 and 3: Service for Sevice, misspelt and re-cased fields",
  map = map,
  examples = {
    {
      call = "map.notification_equip_charge_status.request",
      context = { direction = "out" },
      input = { StartChargeSeqStat = 2, ElecMoney = 1.5, SeviceMoney = 0.5, Soc = 40, ChargeDetails = { { SevicePrice = 0.4 } } },
      expect = { StartChargeSeqSta = 2, ElecMoney = 1.5, ServiceMoney = 0.5, SOC = 40, ChargeDetails = { { ServicePrice = 0.4 } } },
    },
    {
      call = "map.query_equip_charge_status.answer",
      context = { direction = "out" },
      input = { ElecMoney = 1.5, SeviceMoney = 0.5 },
      expect = { ElectMoney = 1.5, ServiceMoney = 0.5 },
    },
    {
      call = "map.notification_start_charge_result.answer",
      context = { direction = "in" },
      input = { StartChargeSeqSta = 2, SuccStat = 0 },
      expect = { StartChargeSeqStat = 2, SuccStat = 0 },
    },
    {
      call = "map.query_stations_info.answer",
      context = { direction = "out" },
      input = { StationInfos = { { BusineHours = "24h", EquipmentInfos = { { ManufacturerID = "123456789" } } } } },
      expect = { StationInfos = { { BusinetHours = "24h", EquipmentInfos = { { ManufacturingID = "123456789" } } } } },
    },
  },
}
