-- tries: a handler of xpcall that never ends
-- fails: at call, limit
-- expect: :5: the script took too long (limit of instructions or time)
local function f(v)
  xpcall(function() while true do end end, function() while true do end end)
  return v
end
return { f = f, ok = function(x) return x end }
