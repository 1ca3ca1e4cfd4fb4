-- tries: a pattern that never closes its set
-- fails: at call, script
-- expect: :5: malformed pattern (missing ']')
local function f(v)
  return ('x'):find('[a')
end
return { f = f, ok = function(x) return x end }
