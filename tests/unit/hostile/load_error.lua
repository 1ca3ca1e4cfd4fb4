-- tries: an error at load
-- fails: at load, script
-- expect: :4: an error of type table was raised
error({})
