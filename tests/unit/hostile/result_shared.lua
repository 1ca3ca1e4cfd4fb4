-- tries: a result that doubles at each level
-- fails: at call, limit
-- expect: is too large
local function f(v)
  local t = { 1 }
  for _ = 1, 30 do t = { t, t } end
  return t
end
return { f = f, ok = function(x) return x end }
