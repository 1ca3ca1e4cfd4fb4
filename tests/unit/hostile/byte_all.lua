-- tries: all bytes of a long text at once
-- fails: at call, script
-- expect: :5: stack overflow (string slice too long)
local function f(v)
  return select('#', ('x'):rep(300000):byte(1, -1))
end
return { f = f, ok = function(x) return x end }
