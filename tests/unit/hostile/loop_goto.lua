-- tries: a loop by goto
-- fails: at call, limit
-- expect: :6: the script took too long (limit of instructions or time)
local function f(v)
  ::again::
  goto again
end
return { f = f, ok = function(x) return x end }
