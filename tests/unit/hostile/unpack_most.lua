-- tries: table.unpack of all there could be
-- fails: at call, script
-- expect: :5: too many results to unpack
local function f(v)
  return table.unpack({}, math.mininteger, math.maxinteger)
end
return { f = f, ok = function(x) return x end }
