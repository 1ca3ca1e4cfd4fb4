-- tries: comparing texts of zero bytes
-- fails: at call, limit of time
-- expect: :6: the script took too long (limit of instructions or time)
local function f(v)
  local a, b = ('\0'):rep(150000) .. 'a', ('\0'):rep(150000) .. 'b'
  while true do local _ = a < b end
end
return { f = f, ok = function(x) return x end }
