-- tries: a result that holds itself
-- fails: at call, script
-- expect: : [1][1][1][1][1][1][1][1][1][1][1][1][1][1][1][1][1][1][1][1][1][1][1][1][1][1][1][1][1][1][1][1][1]: is nest
local function f(v)
  local t = {}
  t[1] = t
  return t
end
return { f = f, ok = function(x) return x end }
