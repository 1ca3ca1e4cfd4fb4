local numbers = require("numbers")
local walk = require("walk")

local function of(change)
  return function(m)
    return walk.fields(m, { x = change })
  end
end

return {
  fixed = of(numbers.fixed(3)),
  text = of(numbers.text(2)),
  whole = of(numbers.text(0)),
  plain = of(numbers.plain()),
  scaled = of(numbers.scaled(1000000)),
  unscaled = of(numbers.unscaled(100)),
  padded = of(numbers.padded(6)),
  examples = {
    { call = "fixed", input = { x = 10, l = { { x = 0.0005 } } }, expect = { x = fixed(10, 3), l = { { x = fixed(0.001, 3) } } } },
    { call = "fixed", input = { x = "7.5" }, expect = { x = fixed(7.5, 3) } },
    { call = "fixed", input = { x = "none" }, expect = { x = "none" } },
    { call = "text", input = { x = 0.285 }, expect = { x = "0.29" } },
    { call = "text", input = { x = 12.5 }, expect = { x = "12.50" } },
    { call = "whole", input = { x = 255 }, expect = { x = "255" } },
    { call = "plain", input = { x = "12.50" }, expect = { x = 12.5 } },
    { call = "plain", input = { x = "255" }, expect = { x = 255 } },
    { call = "scaled", input = { x = 12.34 }, expect = { x = 12340000 } },
    { call = "scaled", input = { x = 0.0000005 }, expect = { x = 1 } },
    { call = "unscaled", input = { x = 1234 }, expect = { x = 12.34 } },
    { call = "padded", input = { x = 0 }, expect = { x = "000000" } },
    { call = "padded", input = { x = "73000" }, expect = { x = "073000" } },
    { call = "padded", input = { x = 1234567 }, expect = { x = "1234567" } },
  },
}
