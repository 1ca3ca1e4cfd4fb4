-- tries: chance from an address
-- fails: at call, script
-- expect: :5: string.format: %p is not allowed: an address is another in each run
local function f(v)
  return string.format('%p', {})
end
return { f = f, ok = function(x) return x end }
