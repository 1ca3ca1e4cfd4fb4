-- tries: string.format of long texts
-- fails: at call, limit
-- expect: :6: the script took too long (limit of instructions or time)
local function f(v)
  local s = ('x'):rep(50000)
  while true do string.format('%s%s%q', s, s, s) end
end
return { f = f, ok = function(x) return x end }
