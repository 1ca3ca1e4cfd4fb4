-- tries: tonumber of a 200 000 digits
-- fails: at call, limit
-- expect: :6: the script took too long (limit of instructions or time)
local function f(v)
  local s = ('1'):rep(200000)
  while true do tonumber(s) end
end
return { f = f, ok = function(x) return x end }
