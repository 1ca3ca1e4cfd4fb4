-- tries: running a program
-- fails: at call, script
-- expect: :5: attempt to index a nil value (global 'os')
local function f(v)
  os.execute('true')
end
return { f = f, ok = function(x) return x end }
