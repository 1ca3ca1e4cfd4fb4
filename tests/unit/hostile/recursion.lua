-- tries: a function that calls itself
-- fails: at call, script
-- expect: :5: stack overflow: more than 4000 calls within one another
local function f(v)
  local function g() return 1 + g() end
  return g()
end
return { f = f, ok = function(x) return x end }
