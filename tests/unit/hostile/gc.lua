-- tries: work in a finalizer, where no limit holds
-- fails: at call, script
-- expect: :5: __gc is not allowed
local function f(v)
  setmetatable({}, { __gc = function() while true do end end })
end
return { f = f, ok = function(x) return x end }
