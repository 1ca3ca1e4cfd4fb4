-- tries: string.rep of 300 kB, again and again
-- fails: at call, limit
-- expect: :5: the script took too long (limit of instructions or time)
local function f(v)
  while true do local _ = ('x'):rep(300000) end
end
return { f = f, ok = function(x) return x end }
