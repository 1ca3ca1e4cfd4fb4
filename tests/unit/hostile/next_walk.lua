-- tries: walking a large table by next
-- fails: at call, limit
-- expect: :8: the script took too long (limit of instructions or time)
local function f(v)
  local t = {}
  for i = 1, 5000 do t['k' .. i] = i end
  local k = nil
  repeat k = next(t, k) until not k
end
return { f = f, ok = function(x) return x end }
