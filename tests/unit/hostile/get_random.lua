-- tries: chance
-- fails: at call, script
-- expect: :5: attempt to call a nil value (field 'random')
local function f(v)
  return math.random()
end
return { f = f, ok = function(x) return x end }
