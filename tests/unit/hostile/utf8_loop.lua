-- tries: utf8.len over a long text, again and again
-- fails: at call, limit
-- expect: :6: the script took too long (limit of instructions or time)
local function f(v)
  local s = ('ä'):rep(50000)
  while true do utf8.len(s) end
end
return { f = f, ok = function(x) return x end }
