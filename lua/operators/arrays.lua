-- Field variation 6: a list where the standard has one object, and one object where others have a list.

-- { Name = {..} } becomes { Names = { {..} } }.
local function as_list(message, name, list_name)
  message[list_name] = array({ message[name] })
  message[name] = nil
  return message
end

return {
  forecourt = 1,
  kind = "operator",
  name = "arrays",
  description = "Variation 6: lists instead of objects",
  methods = { notification_stationInfo = true },
  map = {
    notification_stationStatus = {
      request = function(message)
        return as_list(message, "ConnectorStatusInfo", "ConnectorStatusInfos")
      end,
    },
    -- A platform that takes a single StationInfo (Shenzhen) needs no function: that is what the gateway sends.
    notification_stationInfo = {
      request = function(message)
        return as_list(message, "StationInfo", "StationInfos")
      end,
    },
  },
  examples = {
    {
      call = "map.notification_stationStatus.request",
      input = { ConnectorStatusInfo = { ConnectorID = "c1", Status = 1 } },
      expect = { ConnectorStatusInfos = { { ConnectorID = "c1", Status = 1 } } },
    },
    {
      call = "map.notification_stationInfo.request",
      input = { StationInfo = { StationID = "s1" } },
      expect = { StationInfos = { { StationID = "s1" } } },
    },
  },
}
