-- tries: a variable whose closing never ends
-- fails: at call, limit
-- expect: :5: the script took too long (limit of instructions or time)
local function f(v)
  local t <close> = setmetatable({}, { __close = function() while true do end end })
  while true do end
end
return { f = f, ok = function(x) return x end }
