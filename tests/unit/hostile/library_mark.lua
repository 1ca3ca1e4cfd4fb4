-- tries: taking the library's lock off by a mark
-- fails: at call, script
-- expect: :5: a table of the library can't be marked
local function f(v)
  array(string)
end
return { f = f, ok = function(x) return x end }
