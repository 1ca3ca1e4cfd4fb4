-- tries: the same in a coroutine that is closed
-- fails: at call, limit
-- expect: :6: the script took too long (limit of instructions or time)
local function f(v)
  local co = coroutine.create(function()
    local t <close> = setmetatable({}, { __close = function() while true do end end })
    coroutine.yield()
  end)
  coroutine.resume(co)
  coroutine.close(co)
end
return { f = f, ok = function(x) return x end }
