local keys = require("keys")
local out, inward = keys.both({ SevicePrice = "ServicePrice", Soc = "SOC" })

return {
  lower = function(m)
    return keys.rename(m, keys.lower_first)
  end,
  upper = function(m)
    return keys.rename(m, keys.upper_first)
  end,
  out = out,
  inward = inward,
  pick = function(m)
    return keys.pick(m, { "a", "c", "z" })
  end,
  twice = function()
    local good, why = pcall(keys.both, { A = "x", B = "x" })
    return { good = good, why = tostring(why):match("two fields are called x") }
  end,
  examples = {
    {
      call = "lower",
      input = { StationID = "1", StationInfos = { { ConnectorID = "c" } } },
      expect = { stationID = "1", stationInfos = { { connectorID = "c" } } },
    },
    { call = "upper", input = { pageNo = 1, StationID = "x" }, expect = { PageNo = 1, StationID = "x" } },
    {
      call = "out",
      input = { Soc = 5, PolicyInfos = { { SevicePrice = 1 } } },
      expect = { SOC = 5, PolicyInfos = { { ServicePrice = 1 } } },
    },
    { call = "inward", input = { SOC = 5, ServicePrice = 2, Other = 3 }, expect = { Soc = 5, SevicePrice = 2, Other = 3 } },
    { call = "pick", input = { a = 1, b = 2, c = { 3 } }, expect = { a = 1, c = { 3 } } },
    { call = "twice", expect = { good = false, why = "two fields are called x" } },
  },
}
