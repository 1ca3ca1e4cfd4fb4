-- tries: pcall in pcall in pcall
-- fails: at call, script
-- expect: : C stack overflow
local function f(v)
  local function g() local ok, e = pcall(g) if not ok then error(e, 0) end end
  g()
  error('here')
end
return { f = f, ok = function(x) return x end }
