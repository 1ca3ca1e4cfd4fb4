-- tries: passing on tens of thousands of values
-- fails: at call, limit
-- expect: : not enough memory: the limit is 1024 KiB
local function f(v)
  local t = {}
  for i = 1, 10000 do t[i] = i end
  local function g(...) return select('#', ...) + g(0, ...) end
  return g(table.unpack(t))
end
return { f = f, ok = function(x) return x end }
