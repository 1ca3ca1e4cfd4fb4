-- tries: a __call that is called by a __call
-- fails: at call, limit
-- expect: : not enough memory: the limit is 1024 KiB
local function f(v)
  local t = setmetatable({}, {})
  getmetatable(t).__call = t
  return t()
end
return { f = f, ok = function(x) return x end }
