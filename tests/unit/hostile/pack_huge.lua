-- tries: string.pack filled up to a gigabyte
-- fails: at call, script
-- expect: :5: string.pack: the result would be larger than 1 MiB
local function f(v)
  return string.pack('c1000000000', 'x')
end
return { f = f, ok = function(x) return x end }
