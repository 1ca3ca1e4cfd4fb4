-- tries: %b from each of many brackets
-- fails: at call, limit
-- expect: :5: the script took too long (limit of instructions or time)
local function f(v)
  return ('('):rep(200000):find('%b()')
end
return { f = f, ok = function(x) return x end }
