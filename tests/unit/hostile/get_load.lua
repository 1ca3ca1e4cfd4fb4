-- tries: compiling text
-- fails: at call, script
-- expect: :5: attempt to call a nil value (global 'load')
local function f(v)
  return load('return 1')()
end
return { f = f, ok = function(x) return x end }
