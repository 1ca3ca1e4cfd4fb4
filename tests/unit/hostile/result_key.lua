-- tries: keys that JSON has not
-- fails: at call, script
-- expect: : the value: a key is a boolean, not a text
local function f(v)
  return { [true] = 1 }
end
return { f = f, ok = function(x) return x end }
