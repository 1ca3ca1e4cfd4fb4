-- tries: tail calls without an end
-- fails: at call, limit
-- expect: :5: the script took too long (limit of instructions or time)
local function f(v)
  local function g(n) return g(n + 1) end
  return g(1)
end
return { f = f, ok = function(x) return x end }
