-- tries: a table that pretends
-- fails: at load, script
-- expect: :4: stop
return setmetatable({}, { __index = function() while true do end end, __pairs = error, __len = error, __metatable = {} }), error('stop')
