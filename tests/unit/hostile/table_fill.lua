-- tries: a list without an end
-- fails: at call, limit
-- expect: : not enough memory: the limit is 1024 KiB
local function f(v)
  local t = {}
  for i = 1, 1e9 do t[i] = i end
end
return { f = f, ok = function(x) return x end }
