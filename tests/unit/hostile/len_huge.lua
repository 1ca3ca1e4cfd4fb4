-- tries: a list that says it has 10^15 elements
-- fails: at call, limit
-- expect: :5: the script took too long (limit of instructions or time)
local function f(v)
  return table.concat(setmetatable({}, { __len = function() return 10 ^ 15 // 1 | 0 end, __index = function() return '' end }))
end
return { f = f, ok = function(x) return x end }
