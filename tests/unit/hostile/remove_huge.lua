-- tries: moving up 10^15 elements that are not there
-- fails: at call, limit
-- expect: :5: the script took too long (limit of instructions or time)
local function f(v)
  return table.remove(setmetatable({}, { __len = function() return 10 ^ 15 // 1 | 0 end }), 1)
end
return { f = f, ok = function(x) return x end }
