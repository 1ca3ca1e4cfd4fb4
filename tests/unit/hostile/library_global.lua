-- tries: another table in place of the library
-- fails: at call, script
-- expect: :5: string belongs to the library: it can't be changed
local function f(v)
  string = {}
end
return { f = f, ok = function(x) return x end }
