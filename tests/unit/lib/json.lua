local json = require("json")

return {
  text = function(m)
    return { json.encode(m), json.list({}), json.encode({}) }
  end,
  forms = function()
    return { json.encode({ n = fixed(10, 3), i = 10, f = 0.5, yes = true, nothing = null, list = { 1, { a = 2 } } }) }
  end,
  examples = {
    { call = "text", input = { b = 'a"\\\n\1', a = "电" }, expect = { '{"a":"电","b":"a\\"\\\\\\n\\u0001"}', "[]", "{}" } },
    { call = "forms", expect = { '{"f":0.5,"i":10,"list":[1,{"a":2}],"n":10.000,"nothing":null,"yes":true}' } },
  },
}
