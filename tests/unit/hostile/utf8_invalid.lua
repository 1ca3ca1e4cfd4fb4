-- tries: utf8.codes over what is no UTF-8
-- fails: at call, script
-- expect: :5: invalid UTF-8 code
local function f(v)
  for _ in utf8.codes(('a'):rep(1000) .. '\xff') do end
end
return { f = f, ok = function(x) return x end }
