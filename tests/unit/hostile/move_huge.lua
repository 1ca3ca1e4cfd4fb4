-- tries: moving 10^15 elements that are not there
-- fails: at call, limit
-- expect: :5: the script took too long (limit of instructions or time)
local function f(v)
  return table.move({}, 1, math.maxinteger - 1, 2)
end
return { f = f, ok = function(x) return x end }
