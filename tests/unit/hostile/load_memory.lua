-- tries: all memory at load
-- fails: at load, limit
-- expect: : not enough memory: the limit is 1024 KiB
local t = {}
for i = 1, 1e9 do t[i] = { i } end
return t
