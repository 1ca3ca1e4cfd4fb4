-- tries: chance from a weak table
-- fails: at call, script
-- expect: :5: __mode is not allowed
local function f(v)
  setmetatable({}, { __mode = 'k' })
end
return { f = f, ok = function(x) return x end }
