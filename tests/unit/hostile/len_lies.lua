-- tries: a length that is small when first asked for
-- fails: at call, limit
-- expect: :7: the script took too long (limit of instructions or time)
local function f(v)
  local n = 0
  local t = setmetatable({}, { __len = function() n = n + 1 return n > 1 and 1e15 or 10 end, __index = type, __newindex = type })
  while true do table.sort(t) table.insert(t, 1, 2) table.remove(t, 1) end
end
return { f = f, ok = function(x) return x end }
