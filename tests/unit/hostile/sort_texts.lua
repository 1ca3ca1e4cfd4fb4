-- tries: sorting long texts that differ at their end
-- fails: at call, limit
-- expect: : not enough memory: the limit is 1024 KiB
local function f(v)
  local a, b, t = ('x'):rep(100000) .. 'a', ('x'):rep(100000) .. 'b', {}
  for i = 1, 20000 do t[i] = i % 2 == 0 and a or b end
  table.sort(t)
end
return { f = f, ok = function(x) return x end }
