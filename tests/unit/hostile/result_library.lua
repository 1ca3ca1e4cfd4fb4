-- tries: the library as a result
-- fails: at call, script
-- expect: : b: a function can't be part of a message
local function f(v)
  return { a = string, b = string.format }
end
return { f = f, ok = function(x) return x end }
