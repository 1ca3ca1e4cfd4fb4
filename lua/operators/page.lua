-- Field variations 12 and 13: ItemSize is the number on the page, statistics name a connector by its gun's number alone, and two
-- reasons for a failure are swapped. The rest of 12 are options of the platform:
--     option item_size_is_page '1'      ItemSize is the size of the page, without any script
--     option missing_token_ret '4003'   a call without a token
--     option token_any_case '1'         our tokens may come back in other case
--     option response_sig 'success'     errors need no signature (the default)
-- 13, a pager that ignores PageNo, is for those who ask. The gateway never asks for pages; its own end, and an empty page is beyond.
local enums = require("enums")
local messages = require("messages")
local walk = require("walk")

local swapped = enums.both({ [1] = 2, [2] = 1 })

local function swap_reason(message)
  if message.FailReason then
    message.FailReason = swapped(message.FailReason)
  end
  return message
end

local map = messages.map(swap_reason, { "query_token", "query_equip_auth", "query_start_charge" })

map.query_stations_info = {
  answer = function(message)
    message.ItemSize = #message.StationInfos
    return message
  end,
}
-- The last two digits of the ids of this station are the gun's number.
map.query_station_stats = {
  answer = function(message)
    return walk.at(message, "StationStats.EquipmentStatsInfos.ConnectorStatsInfos", function(connector)
      connector.ConnectorID = tostring(tonumber(connector.ConnectorID:sub(-2)))
    end)
  end,
}

return {
  forecourt = 1,
  kind = "operator",
  name = "page",
  description = "Variations 12 and 13: ItemSize of the page, gun numbers in statistics, FailReason 1 and 2 swapped",
  map = map,
  examples = {
    {
      call = "map.query_stations_info.answer",
      input = { PageNo = 1, PageCount = 2, ItemSize = 12, StationInfos = { { StationID = "1" }, { StationID = "2" } } },
      expect = { PageNo = 1, PageCount = 2, ItemSize = 2, StationInfos = { { StationID = "1" }, { StationID = "2" } } },
    },
    {
      call = "map.query_station_stats.answer",
      input = { StationStats = { EquipmentStatsInfos = { { ConnectorStatsInfos = { { ConnectorID = "11010500010012" } } } } } },
      expect = { StationStats = { EquipmentStatsInfos = { { ConnectorStatsInfos = { { ConnectorID = "12" } } } } } },
    },
    { call = "map.query_token.answer", input = { SuccStat = 1, FailReason = 2 }, expect = { SuccStat = 1, FailReason = 1 } },
    { call = "map.query_start_charge.answer", input = { FailReason = 1 }, expect = { FailReason = 2 } },
    { call = "map.query_start_charge.answer", input = { FailReason = 10 }, expect = { FailReason = 10 } },
    { call = "map.query_start_charge.request", input = { ConnectorID = "c" }, expect = { ConnectorID = "c" } },
  },
}
