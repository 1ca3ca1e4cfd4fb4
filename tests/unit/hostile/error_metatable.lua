-- tries: an error that hides what it is
-- fails: at call, script
-- expect: :5: an error of type table was raised, whose __tostring gives no text
local function f(v)
  error(setmetatable({}, { __metatable = 'x', __name = '\27[31m', __tostring = function() return 7 end }))
end
return { f = f, ok = function(x) return x end }
