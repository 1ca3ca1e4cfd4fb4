-- tries: an error that is a table
-- fails: at call, script
-- expect: :5: an error of type table was raised
local function f(v)
  error({ code = 1 })
end
return { f = f, ok = function(x) return x end }
