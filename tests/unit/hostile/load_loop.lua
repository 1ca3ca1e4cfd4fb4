-- tries: a loop without an end at load
-- fails: at load, limit
-- expect: :4: the script took too long (limit of instructions or time)
while true do end
