-- tries: an error in the handler of xpcall
-- fails: at call, script
-- expect: :5: in the handler
local function f(v)
  local _, e = xpcall(error, function() error('in the handler') end)
  error(e, 0)
end
return { f = f, ok = function(x) return x end }
