-- Field variations 18, 19 and 20: numbers as texts, a list as JSON text, a wrapper, other names, additions.
local json = require("json")
local keys = require("keys")
local messages = require("messages")
local numbers = require("numbers")
local walk = require("walk")

-- 18 and 19: the platform's types. Of what comes in, texts that are numbers need nothing: the gateway takes both.
local forms = {
  Status = numbers.text(0), Power = numbers.text(1), StationLng = numbers.text(6), StationLat = numbers.text(6),
  Total = numbers.text(0), PageCount = numbers.text(0),
}
local names = keys.both({ OperatorID = "OperationID", PageCount = "pageCount" })

local function shape(message)
  return names(walk.fields(message, forms))
end

return {
  forecourt = 1,
  kind = "operator",
  name = "text-numbers",
  description = "Variations 18, 19 and 20: numbers and lists as texts, wrappers, added fields",
  map = {
    query_stations_info = {
      answer = function(message)
        walk.at(message, "StationInfos", function(station)
          station.FullStationID = station.OperatorID .. "_" .. station.StationID -- 20
        end)
        walk.at(message, "StationInfos.EquipmentInfos.ConnectorInfos", function(connector, equipment)
          connector.EquipmentID = equipment.EquipmentID -- 19
        end)
        return shape(message)
      end,
    },
    query_station_status = { answer = messages.ways(shape) }, -- 20: Total "1"
    notification_stationStatus = {
      request = function(message)
        -- 18: one more wrapper.
        return shape({ StationStatusInfo = { ConnectorStatusInfos = array({ message.ConnectorStatusInfo }) } })
      end,
    },
    query_start_charge = {
      answer = function(message)
        message.FailReasonMsg = message.FailReason == 0 and "" or "reason " .. message.FailReason
        return message
      end,
    },
    notification_charge_order_info = {
      request = function(order)
        walk.at(order, "ChargeDetails", function(detail)
          detail.DetailType = 1
          -- In a JSON text nobody else looks after the form of numbers.
          walk.fields(detail, {
            ElecPrice = numbers.fixed(4), SevicePrice = numbers.fixed(4), DetailPower = numbers.fixed(2),
            DetailElecMoney = numbers.fixed(2), DetailSeviceMoney = numbers.fixed(2),
          })
        end)
        order.ChargeDetails = json.list(order.ChargeDetails or {})
        order.BizExtParams = "{}"
        return order
      end,
    },
  },
  examples = {
    {
      call = "map.query_stations_info.answer",
      input = {
        PageCount = 1,
        StationInfos = {
          {
            StationID = "1", OperatorID = "123456789", StationLng = 116.480881, StationLat = 39.98941,
            EquipmentInfos = { { EquipmentID = "e", Power = 120, ConnectorInfos = { { ConnectorID = "c", Power = 60 } } } },
          },
        },
      },
      expect = {
        pageCount = "1",
        StationInfos = {
          {
            StationID = "1", FullStationID = "123456789_1", OperationID = "123456789", StationLng = "116.480881", StationLat = "39.989410",
            EquipmentInfos = {
              { EquipmentID = "e", Power = "120.0", ConnectorInfos = { { ConnectorID = "c", Power = "60.0", EquipmentID = "e" } } },
            },
          },
        },
      },
    },
    {
      call = "map.query_station_status.answer",
      context = { direction = "out" },
      input = { Total = 1, StationStatusInfos = { { ConnectorStatusInfos = { { Status = 255 } } } } },
      expect = { Total = "1", StationStatusInfos = { { ConnectorStatusInfos = { { Status = "255" } } } } },
    },
    {
      call = "map.notification_stationStatus.request",
      input = { ConnectorStatusInfo = { ConnectorID = "c", Status = 3 } },
      expect = { StationStatusInfo = { ConnectorStatusInfos = { { ConnectorID = "c", Status = "3" } } } },
    },
    { call = "map.query_start_charge.answer", input = { FailReason = 0 }, expect = { FailReason = 0, FailReasonMsg = "" } },
    {
      call = "map.notification_charge_order_info.request",
      input = { SumPeriod = 1, ChargeDetails = { { DetailPower = 10, ElecPrice = 0.8 } } },
      expect = { SumPeriod = 1, ChargeDetails = '[{"DetailPower":10.00,"DetailType":1,"ElecPrice":0.8000}]', BizExtParams = "{}" },
    },
    {
      call = "map.notification_charge_order_info.request",
      input = { SumPeriod = 0, ChargeDetails = {} },
      expect = { SumPeriod = 0, ChargeDetails = "[]", BizExtParams = "{}" },
    },
  },
}
