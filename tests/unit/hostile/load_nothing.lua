-- tries: no table
-- fails: at load, script
-- expect: : must return a table, not a number
return 5
