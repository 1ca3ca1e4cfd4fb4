-- bench.lua as functions: what a mapping costs that says in Lua what a description could say.
local function rename_keys(value, rename)
  if type(value) ~= "table" then
    return value
  end
  local copy = {}
  for key, inner in pairs(value) do
    copy[type(key) == "string" and rename(key) or key] = rename_keys(inner, rename)
  end
  return #value > 0 and array(copy) or copy
end

local special = { qrCode = "QRCode" }

local function upper(key)
  return special[key] or key:sub(1, 1):upper() .. key:sub(2)
end

local function request(message)
  return rename_keys(message, upper)
end

local function answer(message)
  message.gateway = "forecourt"
  return message
end

return {
  forecourt = 1,
  kind = "operator",
  name = "bench-functions",
  map = {
    query_equip_auth = { request = request, answer = answer },
    query_equip_business_policy = {
      request = request,
      answer = function(message)
        for _, period in ipairs(message.PolicyInfos) do
          period.ElecPrice = fixed(period.ElecPrice, 4)
        end
        return answer(message)
      end,
    },
    query_equip_charge_status = { request = request, answer = answer },
    query_start_charge = { request = request, answer = answer },
  },
}
