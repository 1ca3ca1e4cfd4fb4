-- tries: control characters for the log
-- fails: at call, script
-- expect: : ?[2J?]0;title??hidden  forged line
local function f(v)
  error('\27[2J\27]0;title\7\0hidden\r\nforged line', 0)
end
return { f = f, ok = function(x) return x end }
