-- Field variation 8: fields that the standard leaves open are required, new ones are added, a code is outside their range.
-- Longer ids (up to 50) need nothing: the gateway neither cuts nor refuses them.
local walk = require("walk")

-- What a station says when its configuration has nothing; the texts are the platform's.
local station_defaults = {
  ElectricityFee = "see app", ServiceFee = "see app", ParkFee = "free", ParkFeeFree = 1, ElectricityTax = fixed(13, 1),
  ServiceTax = fixed(6, 1), BusineHours724 = 1, BusineHoursFormat = "00:00-24:00",
}

local function fill(part, defaults)
  for name, value in pairs(defaults) do
    if part[name] == nil or part[name] == "" then
      part[name] = value
    end
  end
end

-- Only 0 to 4 are taken: our own reasons count as a fault of the charger.
local function known_reason(code)
  return code <= 4 and code or 3
end

return {
  forecourt = 1,
  kind = "operator",
  name = "required",
  description = "Variation 8: optional fields required, new fields, StopReason 0 to 4 only",
  map = {
    query_stations_info = {
      answer = function(message)
        walk.at(message, "StationInfos", function(station)
          fill(station, station_defaults)
        end)
        return walk.at(message, "StationInfos.EquipmentInfos.ConnectorInfos", function(connector)
          fill(connector, { AuxPower = 12 })
        end)
      end,
    },
    notification_charge_order_info = {
      request = function(order)
        order.StopReason = known_reason(order.StopReason)
        order.AccountDate = order.EndTime:sub(1, 10)
        order.StartType = 1
        -- At least one detail: a charge without energy has none of its own.
        if #(order.ChargeDetails or {}) == 0 then
          order.ChargeDetails = array({
            {
              DetailStartTime = order.StartTime, DetailEndTime = order.EndTime, DetailPower = 0, ElecPrice = 0, SevicePrice = 0,
              DetailElecMoney = 0, DetailSeviceMoney = 0,
            },
          })
          order.SumPeriod = 1
        end
        return order
      end,
    },
  },
  examples = {
    {
      call = "map.query_stations_info.answer",
      input = {
        StationInfos = { { StationID = "1", ParkFee = "5 yuan", EquipmentInfos = { { ConnectorInfos = { { ConnectorID = "c" } } } } } },
      },
      expect = {
        StationInfos = {
          {
            StationID = "1", ParkFee = "5 yuan", ElectricityFee = "see app", ServiceFee = "see app", ParkFeeFree = 1,
            ElectricityTax = fixed(13, 1), ServiceTax = fixed(6, 1), BusineHours724 = 1, BusineHoursFormat = "00:00-24:00",
            EquipmentInfos = { { ConnectorInfos = { { ConnectorID = "c", AuxPower = 12 } } } },
          },
        },
      },
    },
    {
      call = "map.notification_charge_order_info.request",
      input = { StartTime = "2026-01-01 10:00:00", EndTime = "2026-01-01 10:00:05", StopReason = 12, SumPeriod = 0, ChargeDetails = {} },
      expect = {
        StartTime = "2026-01-01 10:00:00", EndTime = "2026-01-01 10:00:05", StopReason = 3, SumPeriod = 1, AccountDate = "2026-01-01",
        StartType = 1,
        ChargeDetails = {
          {
            DetailStartTime = "2026-01-01 10:00:00", DetailEndTime = "2026-01-01 10:00:05", DetailPower = 0, ElecPrice = 0,
            SevicePrice = 0, DetailElecMoney = 0, DetailSeviceMoney = 0,
          },
        },
      },
    },
  },
}
