-- tries: a text that doubles
-- fails: at call, limit
-- expect: : not enough memory: the limit is 1024 KiB
local function f(v)
  local s = 'x'
  while true do s = s .. s end
end
return { f = f, ok = function(x) return x end }
