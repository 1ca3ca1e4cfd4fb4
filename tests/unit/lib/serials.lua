local serials = require("serials")
local their_out, their_in, their_begin = serials.theirs("t")
local our_out, our_in, our_begin = serials.ours("o")

return {
  theirs = function(m, context)
    local ours = their_begin(m[1], context)
    return { ours, their_begin(m[1], context), their_out(ours), their_in(m[1]), their_out("x"), their_in("x") }
  end,
  standard = function(m, context)
    return { their_begin(m[1], context), their_out(m[1]) }
  end,
  ours = function(m, context)
    local same = our_begin(m[1], context) == m[1] and our_begin(m[1], context) == m[1]
    local ours = our_out(m[1])
    return { same, ours, our_in(ours), #ours, our_out("x"), our_in("x") }
  end,
  differ = function(_, context)
    return { their_begin("1", context) ~= their_begin("2", context), #their_begin("1", context) }
  end,
  examples = {
    {
      call = "theirs",
      context = { platform_id = "123456789" },
      input = { "20260101000000000001" },
      expect = {
        "123456789C3F2697C1E9C709A59", "123456789C3F2697C1E9C709A59", "20260101000000000001", "123456789C3F2697C1E9C709A59", "x", "x",
      },
      expect_tables = { t = { ["123456789C3F2697C1E9C709A59"] = "20260101000000000001" } },
    },
    {
      call = "standard",
      context = { platform_id = "123456789" },
      input = { "123456789000000000000000001" },
      expect = { "123456789000000000000000001", "123456789000000000000000001" },
    },
    {
      call = "ours",
      context = { operator_id = "91110105MA01234567" },
      input = { "123456789000000000000000001" },
      expect = { true, "MA0123456AAAAAAAAhwYZwuhokq", "123456789000000000000000001", 27, "x", "x" },
      expect_tables = { o = { ["123456789000000000000000001"] = "MA0123456AAAAAAAAhwYZwuhokq" } },
    },
    { call = "differ", context = { platform_id = "123456789" }, expect = { true, 27 } },
  },
}
