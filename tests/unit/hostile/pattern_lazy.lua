-- tries: lazy repetitions over a long text
-- fails: at call, limit
-- expect: :5: the script took too long (limit of instructions or time)
local function f(v)
  return ('a'):rep(100000):find('.-.-.-.-b')
end
return { f = f, ok = function(x) return x end }
