-- tries: an error of 200 kB
-- fails: at call, script
-- expect: :5: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx
local function f(v)
  error(('x'):rep(200000))
end
return { f = f, ok = function(x) return x end }
