-- tries: a syntax error
-- fails: at load, script
-- expect: :6: unexpected symbol near '='
return {
  a = 1,
  b = = 2,
}
