-- tries: an error that is nil
-- fails: at call, script
-- expect: :5: an error of type nil was raised
local function f(v)
  error()
end
return { f = f, ok = function(x) return x end }
