-- tries: table.unpack of a million values
-- fails: at call, script
-- expect: :5: too many results to unpack
local function f(v)
  return select('#', table.unpack({}, 1, 900000))
end
return { f = f, ok = function(x) return x end }
