-- tries: a file's table that holds itself
-- fails: at load, script
-- expect: : t.t.t.t.t.t.t.t.t.t.t.t.t.t.t.t.t.t.t.t.t.t.t.t.t.t.t.t.t.t.t.t.t: is nested deeper than 32 (or holds itself
local t = {}
t.t = t
return t
