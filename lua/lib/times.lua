-- Forms of dates and times; the standard's are 2026-03-01 and 2026-03-01 10:20:30. What has another form stays.
local times = {}

-- A date as the first, or the last, second of its day.
function times.day_begin(date)
  return date:match("^%d%d%d%d%-%d%d%-%d%d$") and date .. " 00:00:00" or date
end

function times.day_end(date)
  return date:match("^%d%d%d%d%-%d%d%-%d%d$") and date .. " 23:59:59" or date
end

-- 2026-03-01 10:20:30 <-> 20260301102030.
function times.compact(time)
  return time:match("^%d%d%d%d%-%d%d%-%d%d %d%d:%d%d:%d%d$") and time:gsub("[- :]", "") or time
end

function times.from_compact(time)
  local y, mo, d, h, mi, s = time:match("^(%d%d%d%d)(%d%d)(%d%d)(%d%d)(%d%d)(%d%d)$")
  return y and y .. "-" .. mo .. "-" .. d .. " " .. h .. ":" .. mi .. ":" .. s or time
end

-- 2026-03-01 10:20:30 <-> 2026-03-01T10:20:30+08:00.
function times.iso(time)
  local day, clock = time:match("^(%d%d%d%d%-%d%d%-%d%d) (%d%d:%d%d:%d%d)$")
  return day and day .. "T" .. clock .. "+08:00" or time
end

function times.from_iso(time)
  local day, clock = time:match("^(%d%d%d%d%-%d%d%-%d%d)T(%d%d:%d%d:%d%d)[^Z]*$")
  return day and day .. " " .. clock or time
end

return times
