local ids = require("ids")
local listed_out, listed_in = ids.listed({ a = "A" })
local kept_out, kept_in, learn = ids.kept("ids")

return {
  listed = function(m)
    return { listed_out(m[1]), listed_out(m[2]), listed_in(m[3]), listed_in(m[4]) }
  end,
  kept = function(m)
    return { kept_out(m[1]), kept_out(m[2]), kept_in(m[3]), kept_in(m[4]) }
  end,
  learn = function(m)
    learn(m[1], m[2])
    return { kept_out(m[1]), kept_in(m[2]) }
  end,
  examples = {
    { call = "listed", input = { "a", "b", "A", "B" }, expect = { "A", "b", "a", "B" } },
    { call = "kept", tables = { ids = { a = "A" } }, input = { "a", "b", "A", "B" }, expect = { "A", "b", "a", "B" } },
    { call = "learn", input = { "x", "X" }, expect = { "X", "x" }, expect_tables = { ids = { x = "X" } } },
    { call = "learn", tables = { ids = { x = "Y" } }, input = { "x", "X" }, expect = { "X", "x" }, expect_tables = { ids = { x = "X" } } },
  },
}
