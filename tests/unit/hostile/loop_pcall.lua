-- tries: going on after the limit with pcall
-- fails: at call, limit
-- expect: :5: the script took too long (limit of instructions or time)
local function f(v)
  while true do pcall(function() while true do end end) end
end
return { f = f, ok = function(x) return x end }
