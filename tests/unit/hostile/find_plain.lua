-- tries: plain searches, each over a long text
-- fails: at call, limit
-- expect: :6: the script took too long (limit of instructions or time)
local function f(v)
  local s = ('x'):rep(300000)
  while true do s:find('y', 1, true) end
end
return { f = f, ok = function(x) return x end }
