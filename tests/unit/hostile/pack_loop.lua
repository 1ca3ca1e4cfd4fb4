-- tries: string.pack of 300 kB, again and again
-- fails: at call, limit
-- expect: :5: the script took too long (limit of instructions or time)
local function f(v)
  while true do string.pack('c300000', 'x') end
end
return { f = f, ok = function(x) return x end }
