-- tries: an __eq, __lt and __concat that never end
-- fails: at call, limit
-- expect: :8: the script took too long (limit of instructions or time)
local function f(v)
  local mt = {}
  mt.__eq = function(a, b) return a .. b end
  mt.__concat = function(a, b) return a < b end
  mt.__lt = function() while true do end end
  return setmetatable({}, mt) == setmetatable({}, mt)
end
return { f = f, ok = function(x) return x end }
