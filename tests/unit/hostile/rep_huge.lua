-- tries: string.rep of a gigabyte
-- fails: at call, script
-- expect: :5: string.rep: the result would be larger than 1 MiB
local function f(v)
  return ('x'):rep(1e9)
end
return { f = f, ok = function(x) return x end }
