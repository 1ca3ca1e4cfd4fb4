-- The functions of a mapping's table map, made from functions that serve several methods.
local messages = {}

-- All methods of the standard. Cities' additions are not among them.
messages.methods = {
  "query_token", "query_stations_info", "notification_stationStatus", "query_station_status", "query_station_stats",
  "notification_stationInfo", "notification_station_stats", "query_equip_auth", "query_equip_business_policy",
  "query_start_charge", "notification_start_charge_result", "query_equip_charge_status", "notification_equip_charge_status",
  "query_stop_charge", "notification_stop_charge_result", "notification_charge_order_info", "check_charge_orders",
}

-- One function for both directions: outward(message, context) for what we send, inward for what comes in. nil changes nothing.
function messages.ways(outward, inward)
  return function(message, context)
    local fn = inward
    if context.direction == "out" then
      fn = outward
    end
    return fn and fn(message, context) or message
  end
end

-- Several functions, one behind the other.
function messages.chain(...)
  local all = { ... }
  return function(message, context)
    for _, fn in ipairs(all) do
      message = fn(message, context)
    end
    return message
  end
end

-- A table map in which fn(message, context) shapes requests and answers of the methods of a list (default: all of them).
function messages.map(fn, methods)
  local map = {}
  for _, method in ipairs(methods or messages.methods) do
    map[method] = { request = fn, answer = fn }
  end
  return map
end

return messages
