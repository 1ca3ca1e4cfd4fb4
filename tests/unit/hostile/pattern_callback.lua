-- tries: replacing by a function that replaces by itself
-- fails: at call, script
-- expect: : C stack overflow
local function f(v)
  local function g(s) return s:gsub('.', g) end
  return g('x')
end
return { f = f, ok = function(x) return x end }
