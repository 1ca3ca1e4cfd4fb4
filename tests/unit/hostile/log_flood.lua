-- tries: filling the log
-- fails: at call, limit
-- expect: :5: the script took too long (limit of instructions or time)
local function f(v)
  while true do log(('x'):rep(1000)) end
end
return { f = f, ok = function(x) return x end }
