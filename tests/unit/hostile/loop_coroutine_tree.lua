-- tries: coroutines in coroutines
-- fails: at call, limit
-- expect: : the script took too long (limit of instructions or time)
local function f(v)
  local function g() for _ = 1, 10 do pcall(coroutine.wrap(g)) end end
  while true do g() end
end
return { f = f, ok = function(x) return x end }
