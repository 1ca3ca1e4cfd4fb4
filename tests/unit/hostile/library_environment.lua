-- tries: another metatable for the globals
-- fails: at call, script
-- expect: :5: cannot change a protected metatable
local function f(v)
  setmetatable(_G, { __index = function() return 1 end })
end
return { f = f, ok = function(x) return x end }
