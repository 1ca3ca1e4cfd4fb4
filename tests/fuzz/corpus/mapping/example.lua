-- An invented operator that differs from the standard in many ways at once. Each difference has the number of the field variation in
-- protocol.md, section 3; README.md has a file for each of them.

local keys = require("keys") -- lua/lib/README.md has all of these modules
local numbers = require("numbers")
local walk = require("walk")

-- Its status codes (23): a fault is 0 there, told apart from off line by FaultType.
local function status_out(info)
  if info.Status == 255 then
    info.Status = 0
    info.FaultType = 1
  end
  -- The state as text (18).
  info.Status = tostring(info.Status)
  return info
end

return {
  forecourt = 1,
  kind = "operator",
  name = "t",
  description = "Invented: other keys, shapes, number forms, codes and paths",
  -- A path of its own (10, 15).
  paths = { notification_stationStatus = "status_push" },
  map = {
    notification_stationStatus = {
      request = function(message)
        local info = status_out(message.ConnectorStatusInfo)
        -- Keys in lower camel case (5): StationID -> stationID. A list instead of an object (6), and an added field.
        return { connectorStatusInfo = array({ keys.rename(info, keys.lower_first) }), source = "forecourt" }
      end,
      answer = function(message)
        -- It acknowledges with ConfirmResult (25).
        return { Status = message.ConfirmResult or message.Status }
      end,
    },
    query_stations_info = {
      request = function(message)
        -- pageNo -> PageNo.
        return keys.rename(message, keys.upper_first)
      end,
      answer = function(message)
        walk.at(message, "StationInfos", function(station)
          station.SupportOrder = nil -- dropped
          station.BusineHours724 = 1 -- added (8)
        end)
        -- Power, of the charger and of its connectors, must have exactly three decimals (7).
        walk.fields(message, { Power = numbers.fixed(3) })
        -- ItemSize is the number on this page there (12).
        message.ItemSize = #message.StationInfos
        return message
      end,
    },
  },
  examples = {
    {
      call = "map.notification_stationStatus.request",
      input = { ConnectorStatusInfo = { ConnectorID = "c1", Status = 255 } },
      expect = {
        connectorStatusInfo = array({ { connectorID = "c1", status = "0", faultType = 1 } }),
        source = "forecourt",
      },
    },
    {
      call = "map.notification_stationStatus.request",
      input = { ConnectorStatusInfo = { ConnectorID = "c1", Status = 3 } },
      expect = { connectorStatusInfo = array({ { connectorID = "c1", status = "3" } }), source = "forecourt" },
    },
    { call = "map.notification_stationStatus.answer", input = { ConfirmResult = 0 }, expect = { Status = 0 } },
    {
      call = "map.query_stations_info.answer",
      input = {
        PageNo = 1,
        StationInfos = array({
          { StationID = "1", SupportOrder = 0, EquipmentInfos = array({ { Power = 60, ConnectorInfos = array({ { Power = 7 } }) } }) },
        }),
      },
      expect = {
        PageNo = 1,
        ItemSize = 1,
        StationInfos = array({
          {
            StationID = "1",
            BusineHours724 = 1,
            EquipmentInfos = array({ { Power = fixed(60, 3), ConnectorInfos = array({ { Power = fixed(7, 3) } }) } }),
          },
        }),
      },
    },
  },
}
