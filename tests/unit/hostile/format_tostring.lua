-- tries: a __tostring that never ends
-- fails: at call, limit
-- expect: :5: the script took too long (limit of instructions or time)
local function f(v)
  return string.format('%s', setmetatable({}, { __tostring = function() while true do end end }))
end
return { f = f, ok = function(x) return x end }
