-- tries: control characters in a key
-- fails: at load, script
-- expect: : ?[2J [1]: is not a finite number
return { ['\27[2J\n'] = { 0 / 0 } }
