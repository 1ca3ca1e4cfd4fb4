-- A part of a message as JSON text, for platforms that want a list as a text. Names are sorted, so that the same is always the same.
local json = {}

local escapes = { ['"'] = '\\"', ["\\"] = "\\\\", ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t" }

local function text(value)
  return '"' .. value:gsub('[%c"\\]', function(c)
    return escapes[c] or string.format("\\u%04x", c:byte())
  end) .. '"'
end

local encode

local function list(value)
  local items = {}
  for i, item in ipairs(value) do
    items[i] = encode(item)
  end
  return "[" .. table.concat(items, ",") .. "]"
end

local function members(value)
  local names, items = {}, {}
  for name in pairs(value) do
    names[#names + 1] = name
  end
  table.sort(names)
  for i, name in ipairs(names) do
    items[i] = text(name) .. ":" .. encode(value[name])
  end
  return "{" .. table.concat(items, ",") .. "}"
end

encode = function(value)
  if value == nil or value == null then
    return "null"
  end
  if type(value) == "string" then
    return text(value)
  end
  if type(value) ~= "table" then
    return tostring(value)
  end
  -- fixed() stands for a number.
  if tonumber(tostring(value)) then
    return tostring(value)
  end
  return #value > 0 and list(value) or members(value)
end

-- An empty table is {}: what must be [] is json.list(value).
function json.encode(value)
  return encode(value)
end

function json.list(value)
  return list(value)
end

return json
