-- tries: an error that looks like a format
-- fails: at call, script
-- expect: : %s%n%s%n
local function f(v)
  error('%s%n%s%n', 0)
end
return { f = f, ok = function(x) return x end }
