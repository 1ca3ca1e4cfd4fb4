-- tries: a text that never ends
-- fails: at load, script
-- expect: :5: unfinished long string (starting at line 4) near <eof>
return { a = [[
