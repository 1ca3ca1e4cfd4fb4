-- tries: an order that calls for another sort each time
-- fails: at call, limit
-- expect: :5: the script took too long (limit of instructions or time)
local function f(v)
  local function g(n) local t = { 3, 2, 1, 5, 4 } table.sort(t, function(a, b) if n < 20 then g(n + 1) end return a < b end) end
  g(1)
end
return { f = f, ok = function(x) return x end }
