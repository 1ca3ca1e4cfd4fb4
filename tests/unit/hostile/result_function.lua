-- tries: a function in the result
-- fails: at call, script
-- expect: : a.b: a function can't be part of a message
local function f(v)
  return { a = { b = print or pairs } }
end
return { f = f, ok = function(x) return x end }
