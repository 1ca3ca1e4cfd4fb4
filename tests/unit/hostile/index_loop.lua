-- tries: an __index that calls itself
-- fails: at call, script
-- expect: :6: C stack overflow
local function f(v)
  local t = setmetatable({}, {})
  getmetatable(t).__index = function(_, k) return t[k] end
  return t.x
end
return { f = f, ok = function(x) return x end }
