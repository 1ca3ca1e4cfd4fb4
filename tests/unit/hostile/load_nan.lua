-- tries: a number that nothing can be
-- fails: at load, script
-- expect: : a.b[1]: is not a finite number
return { a = { b = { 0 / 0 } } }
