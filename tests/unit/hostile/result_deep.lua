-- tries: a result nested deeply
-- fails: at call, script
-- expect: : [1][1][1][1][1][1][1][1][1][1][1][1][1][1][1][1][1][1][1][1][1][1][1][1][1][1][1][1][1][1][1][1][1]: is nest
local function f(v)
  local t = {}
  for _ = 1, 100 do t = { t } end
  return t
end
return { f = f, ok = function(x) return x end }
