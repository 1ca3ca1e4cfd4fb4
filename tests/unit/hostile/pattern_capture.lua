-- tries: captures and what they captured once more
-- fails: at call, limit
-- expect: :5: the script took too long (limit of instructions or time)
local function f(v)
  return ('a'):rep(100000):find('(a-)%1%1b')
end
return { f = f, ok = function(x) return x end }
