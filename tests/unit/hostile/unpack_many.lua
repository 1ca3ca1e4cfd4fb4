-- tries: string.unpack of more values than there is room for
-- fails: at call, limit
-- expect: : not enough memory: the limit is 1024 KiB
local function f(v)
  return string.unpack(('B'):rep(200000), ('x'):rep(200000))
end
return { f = f, ok = function(x) return x end }
