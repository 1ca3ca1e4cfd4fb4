-- Ways through a message: change it at places that are named, or copy it with every member changed.
local walk = {}

-- fixed() makes a table that stands for a number, and null stands for nothing: neither is walked into.
local function is_table(value)
  return type(value) == "table" and not tonumber(tostring(value))
end

-- A copy in which change(key, value) has named and valued every member, at any depth; what is inside a value was changed before.
-- A key nil leaves the member out. Lists stay lists. Empty tables are not copied: they alone know whether they are a list.
function walk.copy(value, change)
  if not is_table(value) or next(value) == nil then
    return value
  end
  local copy = {}
  if #value > 0 then
    for i, item in ipairs(value) do
      copy[i] = walk.copy(item, change)
    end
    return array(copy)
  end
  for key, inner in pairs(value) do
    local new_key, new_value = change(key, walk.copy(inner, change))
    if new_key ~= nil then
      copy[new_key] = new_value
    end
  end
  return object(copy)
end

-- Calls fn(part, above) for every table at path, such as "StationInfos.EquipmentInfos"; lists on the way and at its end are
-- gone through. "" is the message itself. Parts that are not there are passed over. Returns the message.
function walk.at(message, path, fn)
  local steps = {}
  for step in path:gmatch("[^.]+") do
    steps[#steps + 1] = step
  end
  local function visit(value, done, above)
    if not is_table(value) then
      return
    end
    if #value > 0 then
      for _, item in ipairs(value) do
        visit(item, done, above)
      end
    elseif done < #steps then
      visit(value[steps[done + 1]], done + 1, value)
    elseif next(value) ~= nil or value == message then
      fn(value, above)
    end
  end
  visit(message, 0, nil)
  return message
end

-- Replaces, at any depth, each member whose name is in changes by changes[name](value). Lists of texts are gone through item by
-- item. In place; returns the message.
function walk.fields(message, changes)
  local function visit(value)
    for key, inner in pairs(value) do
      local change = changes[key]
      if is_table(inner) and (not change or #inner > 0) then
        if change and not is_table(inner[1]) then
          for i, item in ipairs(inner) do
            inner[i] = change(item)
          end
        else
          visit(inner)
        end
      elseif change and inner ~= null then
        value[key] = change(inner)
      end
    end
  end
  visit(message)
  return message
end

return walk
