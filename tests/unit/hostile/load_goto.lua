-- tries: a goto to nowhere
-- fails: at load, script
-- expect: :6: no visible label 'nowhere' for <goto> at line 4
goto nowhere
return {}
