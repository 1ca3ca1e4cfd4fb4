-- Field variation 24: the government's own ids instead of ours. Some stand in a list, as they were handed out on paper; others come in
-- the answer to the station's information, and are kept from then on.
local ids = require("ids")
local messages = require("messages")
local walk = require("walk")

local listed_out, listed_in = ids.listed({ ["11010500010011"] = "HZ-330106-000451" })
local kept_out, kept_in, learn = ids.kept("connectors")

local map = messages.map(messages.ways(function(message)
  return walk.fields(message, {
    ConnectorID = function(id)
      return kept_out(listed_out(id))
    end,
  })
end, function(message)
  return walk.fields(message, {
    ConnectorID = function(id)
      return listed_in(kept_in(id))
    end,
  })
end))

-- { Status = 0, Connectors = { { ConnectorID = ours, GovID = theirs } } }
map.notification_stationInfo = {
  answer = function(message)
    return walk.at(message, "Connectors", function(pair)
      learn(pair.ConnectorID, pair.GovID)
    end)
  end,
}

return {
  forecourt = 1,
  kind = "operator",
  name = "government-ids",
  description = "Variation 24: the government's ids for connectors, listed or learnt",
  methods = { notification_stationInfo = true },
  map = map,
  examples = {
    {
      call = "map.notification_stationStatus.request",
      context = { direction = "out" },
      input = { ConnectorStatusInfo = { ConnectorID = "11010500010011", Status = 1 } },
      expect = { ConnectorStatusInfo = { ConnectorID = "HZ-330106-000451", Status = 1 } },
    },
    {
      call = "map.notification_stationInfo.answer",
      context = { direction = "in" },
      input = { Status = 0, Connectors = { { ConnectorID = "11010500010021", GovID = "HZ-330106-000452" } } },
      expect = { Status = 0, Connectors = { { ConnectorID = "11010500010021", GovID = "HZ-330106-000452" } } },
      expect_tables = { connectors = { ["11010500010021"] = "HZ-330106-000452" } },
    },
    {
      call = "map.notification_stationStatus.request",
      context = { direction = "out" },
      tables = { connectors = { ["11010500010021"] = "HZ-330106-000452" } },
      input = { ConnectorStatusInfo = { ConnectorID = "11010500010021", Status = 1 } },
      expect = { ConnectorStatusInfo = { ConnectorID = "HZ-330106-000452", Status = 1 } },
    },
    {
      call = "map.query_start_charge.request",
      context = { direction = "in" },
      tables = { connectors = { ["11010500010021"] = "HZ-330106-000452" } },
      input = { StartChargeSeq = "s", ConnectorID = "HZ-330106-000452" },
      expect = { StartChargeSeq = "s", ConnectorID = "11010500010021" },
    },
  },
}
