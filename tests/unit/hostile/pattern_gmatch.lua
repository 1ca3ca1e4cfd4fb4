-- tries: gmatch that looks to the end from every place
-- fails: at call, limit
-- expect: :5: the script took too long (limit of instructions or time)
local function f(v)
  for _ in ('a'):rep(200000):gmatch('a-b') do end
end
return { f = f, ok = function(x) return x end }
