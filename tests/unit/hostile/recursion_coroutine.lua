-- tries: coroutines in coroutines, all alive
-- fails: at call, limit
-- expect: : not enough memory: the limit is 1024 KiB
local function f(v)
  local function g() return coroutine.wrap(g)() end
  return g()
end
return { f = f, ok = function(x) return x end }
