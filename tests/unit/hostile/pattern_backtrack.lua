-- tries: a pattern that tries every way
-- fails: at call, limit
-- expect: :5: the script took too long (limit of instructions or time)
local function f(v)
  return ('a'):rep(60):find(('a*'):rep(40) .. 'b')
end
return { f = f, ok = function(x) return x end }
