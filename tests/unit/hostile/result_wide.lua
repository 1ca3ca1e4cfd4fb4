-- tries: a result of 120 000 values from a small table
-- fails: at call, limit
-- expect: is too large
local function f(v)
  local t, row = {}, {}
  for i = 1, 300 do row[i] = true end
  for i = 1, 400 do t[i] = row end
  return t
end
return { f = f, ok = function(x) return x end }
