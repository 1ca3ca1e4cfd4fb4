local times = require("times")

return {
  days = function(m)
    return { times.day_begin(m[1]), times.day_end(m[1]), times.day_begin(m[2]), times.day_end(m[2]) }
  end,
  compact = function(m)
    return { times.compact(m[1]), times.from_compact(m[2]), times.compact("x"), times.from_compact("x") }
  end,
  iso = function(m)
    return { times.iso(m[1]), times.from_iso(m[2]), times.iso("x"), times.from_iso("x") }
  end,
  examples = {
    {
      call = "days",
      input = { "2026-03-01", "2026-03-01 10:00:00" },
      expect = { "2026-03-01 00:00:00", "2026-03-01 23:59:59", "2026-03-01 10:00:00", "2026-03-01 10:00:00" },
    },
    {
      call = "compact",
      input = { "2026-03-01 10:20:30", "20260301102030" },
      expect = { "20260301102030", "2026-03-01 10:20:30", "x", "x" },
    },
    {
      call = "iso",
      input = { "2026-03-01 10:20:30", "2026-03-01T10:20:30.123+08:00" },
      expect = { "2026-03-01T10:20:30+08:00", "2026-03-01 10:20:30", "x", "x" },
    },
  },
}
