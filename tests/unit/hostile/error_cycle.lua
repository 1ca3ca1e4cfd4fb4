-- tries: an error that is a table that holds itself
-- fails: at call, script
-- expect: :7: an error of type table was raised
local function f(v)
  local t = {}
  t.t = t
  error(t)
end
return { f = f, ok = function(x) return x end }
