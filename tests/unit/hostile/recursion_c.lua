-- tries: through C at each turn
-- fails: at call, script
-- expect: : C stack overflow
local function f(v)
  local function g() local t = { 2, 1 } table.sort(t, function() return g() end) end
  g()
end
return { f = f, ok = function(x) return x end }
