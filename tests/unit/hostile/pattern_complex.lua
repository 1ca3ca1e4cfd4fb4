-- tries: more repetitions than a matcher holds
-- fails: at call, script
-- expect: :5: pattern too complex
local function f(v)
  return ('x'):rep(300):find(('x?'):rep(300) .. 'y')
end
return { f = f, ok = function(x) return x end }
