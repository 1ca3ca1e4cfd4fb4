-- tries: an error whose text is made by a function that never ends
-- fails: at call, limit
-- expect: :5: an error of type table was raised
local function f(v)
  error(setmetatable({}, { __tostring = function() while true do end end }))
end
return { f = f, ok = function(x) return x end }
