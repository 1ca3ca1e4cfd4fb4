-- Field variation 5: the status goes out without envelope and without token, with names in lower camel case, and is answered by
-- a bare body: either {"Status":0}, or ret and msg in lower case. The gateway reads ret by itself (0 is a yes, -1 is tried
-- again); what the answer says besides is for the function here.
--
-- plain works for what we answer too, but never for query_token nor for calls that change something: anybody could make them.
local keys = require("keys")

return {
  forecourt = 1,
  kind = "operator",
  name = "bare-status",
  description = "Variation 5: status pushes without envelope and token, lower-camel names",
  plain = { notification_stationStatus = true },
  map = {
    notification_stationStatus = {
      request = function(message)
        return keys.rename(message, keys.lower_first)
      end,
      answer = function(message)
        return { Status = message.Status or message.status or message.ret }
      end,
    },
  },
  examples = {
    {
      call = "map.notification_stationStatus.request",
      input = { ConnectorStatusInfo = { ConnectorID = "c1", Status = 1 } },
      expect = { connectorStatusInfo = { connectorID = "c1", status = 1 } },
    },
    { call = "map.notification_stationStatus.answer", input = { ret = 0, msg = "ok" }, expect = { Status = 0 } },
    { call = "map.notification_stationStatus.answer", input = { Status = 1 }, expect = { Status = 1 } },
  },
}
