-- tries: arguments that are not there
-- fails: at load, script
-- expect: :5: attempt to index a nil value (local 'a')
local a = ...
return { a.b }
