-- tries: the debug library
-- fails: at call, script
-- expect: :5: attempt to index a nil value (global 'debug')
local function f(v)
  return debug.getregistry()
end
return { f = f, ok = function(x) return x end }
