-- tries: opening a file
-- fails: at call, script
-- expect: :5: attempt to index a nil value (global 'io')
local function f(v)
  return io.open('/etc/passwd'):read('a')
end
return { f = f, ok = function(x) return x end }
