-- tries: pairs of a large table, again and again
-- fails: at call, limit
-- expect: :7: the script took too long (limit of instructions or time)
local function f(v)
  local t = {}
  for i = 1, 5000 do t['k' .. i] = i end
  while true do pairs(t) end
end
return { f = f, ok = function(x) return x end }
