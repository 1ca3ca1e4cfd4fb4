-- An invented operator that differs from the standard in many ways at once: a collection to copy from. Each difference has the
-- number of the field variation in protocol.md, section 3.

-- Keys in lower camel case (5): StationID -> stationID, PageNo -> pageNo.
local function lower(key)
  return key:sub(1, 1):lower() .. key:sub(2)
end

local function upper(key)
  return key:sub(1, 1):upper() .. key:sub(2)
end

-- A copy of a table with every key, at every depth, passed through rename. Lists stay lists.
local function rename_keys(value, rename)
  if type(value) ~= "table" then
    return value
  end
  local copy = {}
  for key, inner in pairs(value) do
    copy[type(key) == "string" and rename(key) or key] = rename_keys(inner, rename)
  end
  return #value > 0 and array(copy) or copy
end

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
  name = "example",
  description = "Invented: other keys, shapes, number forms, codes and paths",
  -- A path of its own (10, 15).
  paths = { notification_stationStatus = "status_push" },
  map = {
    notification_stationStatus = {
      request = function(message)
        local info = status_out(message.ConnectorStatusInfo)
        -- A list instead of an object (6), and an added field.
        return { connectorStatusInfo = array({ rename_keys(info, lower) }), source = "forecourt" }
      end,
      answer = function(message)
        -- It acknowledges with ConfirmResult (25).
        return { Status = message.ConfirmResult or message.Status }
      end,
    },
    query_stations_info = {
      request = function(message)
        return rename_keys(message, upper)
      end,
      answer = function(message)
        for _, station in ipairs(message.StationInfos) do
          station.SupportOrder = nil -- dropped
          station.BusineHours724 = 1 -- added (8)
          for _, equipment in ipairs(station.EquipmentInfos) do
            -- Power must have exactly three decimals (7).
            equipment.Power = fixed(equipment.Power, 3)
            for _, connector in ipairs(equipment.ConnectorInfos) do
              connector.Power = fixed(connector.Power, 3)
            end
          end
        end
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
