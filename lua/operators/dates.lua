-- Field variation 9: days are date-times there. What comes in needs nothing, the gateway takes both forms; what goes out here does.
local times = require("times")

local function shape(message)
  message.StationStats.StartTime = times.day_begin(message.StationStats.StartTime)
  message.StationStats.EndTime = times.day_end(message.StationStats.EndTime)
  return message
end

return {
  forecourt = 1,
  kind = "operator",
  name = "dates",
  description = "Variation 9: the days of statistics as date-times",
  map = {
    query_station_stats = { answer = shape },
    notification_station_stats = { request = shape },
  },
  examples = {
    {
      call = "map.query_station_stats.answer",
      input = { StationStats = { StartTime = "2026-03-01", EndTime = "2026-03-07" } },
      expect = { StationStats = { StartTime = "2026-03-01 00:00:00", EndTime = "2026-03-07 23:59:59" } },
    },
    {
      call = "map.notification_station_stats.request",
      input = { StationStats = { StartTime = "2026-03-01", EndTime = "2026-03-01" } },
      expect = { StationStats = { StartTime = "2026-03-01 00:00:00", EndTime = "2026-03-01 23:59:59" } },
    },
  },
}
