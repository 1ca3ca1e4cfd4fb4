local pad = require("pad")

return {
  left = function(m)
    return { pad.left(m[1], 5), pad.left(m[2], 5, "-"), pad.left("1234567", 5) }
  end,
  strip = function(m)
    return { pad.strip(m[1]), pad.strip(m[2]), pad.strip(m[3]) }
  end,
  examples = {
    { call = "left", input = { "12", "x" }, expect = { "00012", "----x", "1234567" } },
    { call = "strip", input = { "00012", "0000", "a0" }, expect = { "12", "0", "a0" } },
  },
}
