-- Field variation 31: StationID always has 20 characters, zeros in front; ManufacturerID is required.
local messages = require("messages")
local pad = require("pad")
local walk = require("walk")

local MANUFACTURER = "000000000" -- of chargers whose section has no manufacturer_id

local function long(id)
  return pad.left(id, 20)
end

local map = messages.map(messages.ways(function(message)
  walk.at(message, "StationInfos.EquipmentInfos", function(equipment)
    equipment.ManufacturerID = equipment.ManufacturerID or MANUFACTURER
  end)
  walk.at(message, "StationInfo.EquipmentInfos", function(equipment)
    equipment.ManufacturerID = equipment.ManufacturerID or MANUFACTURER
  end)
  return walk.fields(message, { StationID = long })
end, function(message)
  return walk.fields(message, { StationID = pad.strip, StationIDs = pad.strip })
end))

return {
  forecourt = 1,
  kind = "operator",
  name = "state-grid",
  description = "Variation 31: StationID of 20 characters, ManufacturerID required",
  map = map,
  examples = {
    {
      call = "map.query_stations_info.answer",
      context = { direction = "out" },
      input = {
        StationInfos = {
          { StationID = "110105000100001", EquipmentInfos = { { EquipmentID = "e" }, { ManufacturerID = "123456789" } } },
        },
      },
      expect = {
        StationInfos = {
          {
            StationID = "00000110105000100001",
            EquipmentInfos = { { EquipmentID = "e", ManufacturerID = "000000000" }, { ManufacturerID = "123456789" } },
          },
        },
      },
    },
    {
      call = "map.query_station_status.request",
      context = { direction = "in" },
      input = { StationIDs = { "00000110105000100001", "00000110105000100002" } },
      expect = { StationIDs = { "110105000100001", "110105000100002" } },
    },
    {
      call = "map.query_station_stats.request",
      context = { direction = "in" },
      input = { StationID = "00000110105000100001" },
      expect = { StationID = "110105000100001" },
    },
  },
}
