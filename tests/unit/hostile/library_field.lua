-- tries: changing a function of the library
-- fails: at call, script
-- expect: :5: string.format belongs to the library: it can't be changed
local function f(v)
  string.format = nil
end
return { f = f, ok = function(x) return x end }
