-- Field variation 29: the 18-character credit code of a company where the standard has the 9 of its organisation code, which stand in it
-- from the 9th on. The options operator_id and equipment_owner_id take both; this file gives a platform the other one.
local messages = require("messages")
local walk = require("walk")

local codes = { ["MA0123456"] = "91110105MA01234567" } -- short = long; the last character is a check digit of its own

local function long(id)
  return codes[id] or id
end

local function short(id)
  return #id == 18 and id:sub(9, 17) or id
end

return {
  forecourt = 1,
  kind = "operator",
  name = "credit-code",
  description = "Variation 29: credit codes of 18 characters",
  map = messages.map(messages.ways(function(message)
    return walk.fields(message, { OperatorID = long, EquipmentOwnerID = long })
  end, function(message)
    return walk.fields(message, { OperatorID = short, EquipmentOwnerID = short })
  end), { "query_stations_info", "notification_stationInfo" }),
  examples = {
    {
      call = "map.query_stations_info.answer",
      context = { direction = "out" },
      input = { StationInfos = { { OperatorID = "MA0123456", EquipmentOwnerID = "123456789" } } },
      expect = { StationInfos = { { OperatorID = "91110105MA01234567", EquipmentOwnerID = "123456789" } } },
    },
    {
      call = "map.query_stations_info.request",
      context = { direction = "in" },
      input = { OperatorID = "91110105MA01234567", PageNo = 1 },
      expect = { OperatorID = "MA0123456", PageNo = 1 },
    },
  },
}
