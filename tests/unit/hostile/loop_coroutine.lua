-- tries: work in coroutines, each with a count of its own
-- fails: at call, limit
-- expect: :6: the script took too long (limit of instructions or time)
local function f(v)
  while true do
    coroutine.wrap(function() for i = 1, 50 do local _ = i end end)()
  end
end
return { f = f, ok = function(x) return x end }
