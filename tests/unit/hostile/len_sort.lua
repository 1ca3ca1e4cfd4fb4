-- tries: sorting what says it is large, by functions in C
-- fails: at call, limit
-- expect: : not enough memory: the limit is 1024 KiB
local function f(v)
  return table.sort(setmetatable({}, { __len = function() return 2 ^ 31 - 2 | 0 end, __index = type, __newindex = rawequal }))
end
return { f = f, ok = function(x) return x end }
