-- Field variation 23: other codes for a connector's state. A fault is 0 there (off line) and told apart by FaultType; 100 was seen
-- for a connector under repair. Our own codes are 0 off line, 1 idle, 2 occupied, 3 charging, 4 reserved, 255 fault.
local enums = require("enums")
local messages = require("messages")
local walk = require("walk")

local status = enums.both({ [255] = 0 }, { [0] = 0, [100] = 255 })

local function shape(connector)
  if connector.Status == 255 then
    connector.FaultType = 1
  end
  connector.Status = status(connector.Status)
end

local map = {
  notification_stationStatus = {
    request = function(message)
      return walk.at(message, "ConnectorStatusInfo", shape)
    end,
  },
  query_station_status = {
    answer = function(message)
      return walk.at(message, "StationStatusInfos.ConnectorStatusInfos", shape)
    end,
  },
}
-- The state is told with a charge, too.
local charge = messages.ways(function(message)
  return walk.fields(message, { ConnectorStatus = status })
end)
map.query_equip_charge_status = { answer = charge }
map.notification_equip_charge_status = { request = charge }

return {
  forecourt = 1,
  kind = "operator",
  name = "status-codes",
  description = "Variation 23: other codes for states",
  map = map,
  examples = {
    {
      call = "map.notification_stationStatus.request",
      input = { ConnectorStatusInfo = { ConnectorID = "c", Status = 255 } },
      expect = { ConnectorStatusInfo = { ConnectorID = "c", Status = 0, FaultType = 1 } },
    },
    {
      call = "map.notification_stationStatus.request",
      input = { ConnectorStatusInfo = { ConnectorID = "c", Status = 1 } },
      expect = { ConnectorStatusInfo = { ConnectorID = "c", Status = 1 } },
    },
    {
      call = "map.query_station_status.answer",
      input = { StationStatusInfos = { { ConnectorStatusInfos = { { Status = 0 }, { Status = 255 } } } } },
      expect = { StationStatusInfos = { { ConnectorStatusInfos = { { Status = 0 }, { Status = 0, FaultType = 1 } } } } },
    },
    {
      call = "map.notification_equip_charge_status.request",
      context = { direction = "out" },
      input = { ConnectorStatus = 255 },
      expect = { ConnectorStatus = 0 },
    },
  },
}
