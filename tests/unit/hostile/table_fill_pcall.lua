-- tries: a list without an end, and what fails is caught
-- fails: at call, limit
-- expect: : not enough memory: the limit is 1024 KiB
local function f(v)
  local t = {}
  while true do pcall(function() for i = 1, 1e9 do t[#t + 1] = {} end end) end
end
return { f = f, ok = function(x) return x end }
