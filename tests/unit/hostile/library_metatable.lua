-- tries: changing the metatable of texts
-- fails: at call, script
-- expect: :5: attempt to index a boolean value
local function f(v)
  getmetatable('').__index.format = nil
end
return { f = f, ok = function(x) return x end }
