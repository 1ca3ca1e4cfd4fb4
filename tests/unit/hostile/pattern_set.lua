-- tries: a set of thousands of ranges
-- fails: at call, limit
-- expect: :5: the script took too long (limit of instructions or time)
local function f(v)
  return ('a'):rep(100000):find('[' .. ('b-c'):rep(3000) .. ']')
end
return { f = f, ok = function(x) return x end }
