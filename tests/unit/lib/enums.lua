local enums = require("enums")
local out, inward = enums.both({ [255] = 0, [2] = "busy" }, { [0] = 0, [100] = 255 })

return {
  out = function(m)
    return { out(m[1]), out(m[2]), out(m[3]), out(m[4]) }
  end,
  inward = function(m)
    return { inward(m[1]), inward(m[2]), inward(m[3]), inward(m[4]) }
  end,
  ambiguous = function()
    local good, why = pcall(enums.both, { a = 1, b = 1 })
    return { good = good, why = tostring(why):match("1 stands for two codes") }
  end,
  settled = function()
    local _, back = enums.both({ a = 1, b = 1 }, { [1] = "a" })
    return { back(1) }
  end,
  examples = {
    { call = "out", input = { 255, 2, 1, 0 }, expect = { 0, "busy", 1, 0 } },
    { call = "inward", input = { 0, "busy", 100, 3 }, expect = { 0, 2, 255, 3 } },
    { call = "ambiguous", expect = { good = false, why = "1 stands for two codes" } },
    { call = "settled", expect = { "a" } },
  },
}
