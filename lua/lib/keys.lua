-- Other names for fields, both ways.
local walk = require("walk")

local keys = {}

-- StationID -> stationID, and back. (An operator that writes stationId needs a table: keys.both.)
function keys.lower_first(key)
  return key:sub(1, 1):lower() .. key:sub(2)
end

function keys.upper_first(key)
  return key:sub(1, 1):upper() .. key:sub(2)
end

-- A copy of the message with every name passed through rename, a function or a table of name = new name.
function keys.rename(message, rename)
  local by_table = type(rename) == "table"
  return walk.copy(message, function(key, value)
    if type(key) ~= "string" then
      return key, value
    end
    if by_table then
      return rename[key] or key, value
    end
    return rename(key), value
  end)
end

-- From a table of ours = theirs two functions of a message: outward, inward.
function keys.both(names)
  local back = {}
  for ours, theirs in pairs(names) do
    assert(back[theirs] == nil, "keys.both: two fields are called " .. theirs)
    back[theirs] = ours
  end
  return function(message)
    return keys.rename(message, names)
  end, function(message)
    return keys.rename(message, back)
  end
end

-- The members of a list of names, and no other.
function keys.pick(message, names)
  local picked = {}
  for _, name in ipairs(names) do
    picked[name] = message[name]
  end
  return object(picked)
end

return keys
