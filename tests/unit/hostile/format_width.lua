-- tries: string.format with a width of 99999
-- fails: at call, script
-- expect: :5: invalid conversion specification: '%99999d'
local function f(v)
  return string.format('%99999d', 1)
end
return { f = f, ok = function(x) return x end }
