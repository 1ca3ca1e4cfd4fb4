-- tries: a coroutine that is resumed for ever
-- fails: at call, limit
-- expect: :6: the script took too long (limit of instructions or time)
local function f(v)
  local co = coroutine.wrap(function() while true do coroutine.yield() end end)
  while true do co() end
end
return { f = f, ok = function(x) return x end }
