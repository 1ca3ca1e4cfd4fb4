-- tries: a module that is not there
-- fails: at call, script
-- expect: lib/none.lua: No such file or directory
local function f(v)
  return require('none')
end
return { f = f, ok = function(x) return x end }
