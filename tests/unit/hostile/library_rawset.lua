-- tries: changing the library past its metatable
-- fails: at call, script
-- expect: :5: this.format belongs to the library: it can't be changed
local function f(v)
  rawset(string, 'format', nil)
end
return { f = f, ok = function(x) return x end }
