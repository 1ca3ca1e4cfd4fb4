-- tries: chance from the order of tables as keys
-- fails: at call, script
-- expect: :6: pairs, next: two keys are no text, number or boolean: nothing tells which comes first
local function f(v)
  local s = ''
  for k in pairs({ [{}] = 'a', [{}] = 'b' }) do s = s .. k end
  return s
end
return { f = f, ok = function(x) return x end }
