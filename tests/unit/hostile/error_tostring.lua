-- tries: an error whose text is made by a function that fails
-- fails: at call, script
-- expect: :5: an error of type table was raised
local function f(v)
  error(setmetatable({}, { __tostring = function() error({}) end }))
end
return { f = f, ok = function(x) return x end }
