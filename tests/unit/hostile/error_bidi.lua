-- tries: characters that turn the direction of writing
-- fails: at call, script
-- expect: : a?b?c????
local function f(v)
  error('a\u{202e}b\u{2066}c\u{200b}\xff\xc0\x80', 0)
end
return { f = f, ok = function(x) return x end }
