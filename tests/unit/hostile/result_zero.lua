-- tries: a key with a zero byte
-- fails: at call, script
-- expect: : the value: a key holds a zero byte
local function f(v)
  return { ['a\0b'] = 1 }
end
return { f = f, ok = function(x) return x end }
