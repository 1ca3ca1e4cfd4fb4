-- tries: tables that are one another's __index
-- fails: at call, script
-- expect: :8: '__index' chain too long; possible loop
local function f(v)
  local a, b = {}, {}
  setmetatable(a, { __index = b })
  setmetatable(b, { __index = a })
  return a.x
end
return { f = f, ok = function(x) return x end }
