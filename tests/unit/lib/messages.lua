local messages = require("messages")

local function add(name)
  return function(message)
    message[#message + 1] = name
    return message
  end
end
local map = messages.map(messages.ways(add("out"), nil), { "query_token" })

return {
  methods = messages.methods,
  ways = messages.ways(add("out"), add("in")),
  one_way = map.query_token.request,
  same = function()
    return { map.query_token.request == map.query_token.answer, map.query_stations_info == nil }
  end,
  all = function()
    local count = 0
    for _ in pairs(messages.map(add("x"))) do
      count = count + 1
    end
    return { count }
  end,
  chain = messages.chain(add(1), add(2), add(3)),
  examples = {
    { call = "ways", input = { 0 }, context = { direction = "out" }, expect = { 0, "out" } },
    { call = "ways", input = { 0 }, context = { direction = "in" }, expect = { 0, "in" } },
    { call = "one_way", input = { 0 }, context = { direction = "in" }, expect = { 0 } },
    { call = "same", expect = { true, true } },
    { call = "all", expect = { #messages.methods } },
    { call = "chain", input = { 0 }, expect = { 0, 1, 2, 3 } },
  },
}
