-- Field variation 22: connector ids of 13 digits (6 of the area, 4 of the station, 3 of the terminal), and StartTime of a price as an
-- integer, whose leading zeros are lost: 073000 is 73000 there. PageNo and PageSize, which it always sends, need nothing; a page of
-- more than 100 does not come about (option page_size_max, 100).
local messages = require("messages")
local walk = require("walk")

-- Ours are area (6), station (4), charger (3) and gun (1): 11010500010012 is 1101050001 and terminal 001, gun 2. The terminal there
-- counts guns: three digits of (charger - 1) * guns of a charger + gun.
local GUNS = 2

local function out_id(id)
  local head, charger, gun = id:match("^(%d%d%d%d%d%d%d%d%d%d)(%d%d%d)(%d)$")
  if not head then
    return id
  end
  return head .. string.format("%03d", (tonumber(charger) - 1) * GUNS + tonumber(gun))
end

local function in_id(id)
  local head, terminal = id:match("^(%d%d%d%d%d%d%d%d%d%d)(%d%d%d)$")
  if not head then
    return id
  end
  terminal = tonumber(terminal) - 1
  return head .. string.format("%03d%d", terminal // GUNS + 1, terminal % GUNS + 1)
end

local map = messages.map(messages.ways(function(message)
  return walk.fields(message, { ConnectorID = out_id })
end, function(message)
  return walk.fields(message, { ConnectorID = in_id })
end))

local ids_out = map.query_equip_business_policy.answer
map.query_equip_business_policy.answer = messages.chain(ids_out, function(message)
  return walk.at(message, "PolicyInfos", function(period)
    period.StartTime = math.tointeger(tonumber(period.StartTime))
  end)
end)

return {
  forecourt = 1,
  kind = "operator",
  name = "orise",
  description = "Variation 22: 13-digit connector ids, StartTime of a price as an integer",
  map = map,
  examples = {
    {
      call = "map.query_equip_business_policy.answer",
      context = { direction = "out" },
      input = { ConnectorID = "11010500010012", PolicyInfos = { { StartTime = "000000", ElecPrice = 1 }, { StartTime = "073000" } } },
      expect = { ConnectorID = "1101050001002", PolicyInfos = { { StartTime = 0, ElecPrice = 1 }, { StartTime = 73000 } } },
    },
    {
      call = "map.query_start_charge.request",
      context = { direction = "in" },
      input = { StartChargeSeq = "s", ConnectorID = "1101050001004" },
      expect = { StartChargeSeq = "s", ConnectorID = "11010500010022" },
    },
    {
      call = "map.notification_stationStatus.request",
      context = { direction = "out" },
      input = { ConnectorStatusInfo = { ConnectorID = "11010500010022", Status = 1 } },
      expect = { ConnectorStatusInfo = { ConnectorID = "1101050001004", Status = 1 } },
    },
  },
}
