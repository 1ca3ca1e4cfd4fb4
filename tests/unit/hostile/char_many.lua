-- tries: as many arguments as a list can give
-- fails: at call, limit
-- expect: :7: the script took too long (limit of instructions or time)
local function f(v)
  local t = {}
  for i = 1, 10000 do t[i] = 65 end
  while true do string.char(table.unpack(t)) end
end
return { f = f, ok = function(x) return x end }
