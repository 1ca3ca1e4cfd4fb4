-- tries: coroutines without an end
-- fails: at call, limit
-- expect: : not enough memory: the limit is 1024 KiB
local function f(v)
  local t = {}
  while true do t[#t + 1] = coroutine.create(function() end) end
end
return { f = f, ok = function(x) return x end }
