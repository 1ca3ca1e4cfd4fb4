-- tries: a number that JSON has not
-- fails: at call, script
-- expect: : a: is not a finite number
local function f(v)
  return { a = 0 / 0 }
end
return { f = f, ok = function(x) return x end }
