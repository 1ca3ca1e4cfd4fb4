-- tries: string.rep with a long separator
-- fails: at call, script
-- expect: :5: string.rep: the result would be larger than 1 MiB
local function f(v)
  return ('x'):rep(100000, ('y'):rep(1000))
end
return { f = f, ok = function(x) return x end }
