-- tries: a module outside of lib
-- fails: at call, script
-- expect: :5: require: there is no module "../../etc/passwd"
local function f(v)
  return require('../../etc/passwd')
end
return { f = f, ok = function(x) return x end }
