-- tries: a long text made capital, again and again
-- fails: at call, limit
-- expect: :6: the script took too long (limit of instructions or time)
local function f(v)
  local s = ('x'):rep(100000)
  while true do s:upper():reverse():lower() end
end
return { f = f, ok = function(x) return x end }
