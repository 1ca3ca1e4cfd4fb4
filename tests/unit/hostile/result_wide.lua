-- tries: a result of 200 000 values
-- fails: at call, limit
-- expect: : not enough memory: the limit is 1024 KiB
local function f(v)
  local t = {}
  for i = 1, 30000 do t[i] = 2.5 end
  return t
end
return { f = f, ok = function(x) return x end }
