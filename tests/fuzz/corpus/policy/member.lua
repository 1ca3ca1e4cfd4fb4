-- Members pay less for service, and on holidays and weekends everyone does.
local holidays = {
  ["2026-01-01"] = true,
  ["2026-10-01"] = true, ["2026-10-02"] = true, ["2026-10-03"] = true,
  ["2027-01-01"] = true,
}
-- Service fee in yuan per kWh by user class; "" is everyone else. Decimals: 0.6 - 0.1 is 0.5, and nothing else.
local decimal = forecourt.decimal
local service = { [""] = decimal("0.6"), silver = decimal("0.5"), gold = decimal("0.4") }
local holiday_off = decimal("0.1")

local function is_holiday(context)
  return holidays[context.date] or context.weekday >= 6
end

local function prices(context)
  local fee = service[context.user_class] or service[""]
  if is_holiday(context) then
    fee = fee - holiday_off
  end
  return {
    { start = "00:00", elec = 0.35, service = fee },
    { start = "08:00", elec = 0.95, service = fee },
    { start = "22:00", elec = 0.35, service = fee },
  }
end

return {
  forecourt = 1,
  kind = "policy",
  name = "member",
  description = "Member discounts and a holiday calendar",
  prices = prices,
  terms = function(context)
    -- The first kWh is on the house for gold members.
    return { free_kwh = context.user_class == "gold" and 1 or 0, minimum = 0.5 }
  end,
  examples = {
    {
      call = "prices",
      input = { date = "2026-10-01", weekday = 4, user_class = "gold" },
      expect = {
        { start = "00:00", elec = 0.35, service = 0.3 },
        { start = "08:00", elec = 0.95, service = 0.3 },
        { start = "22:00", elec = 0.35, service = 0.3 },
      },
    },
    { call = "terms", input = { user_class = "" }, expect = { free_kwh = 0, minimum = 0.5 } },
  },
}
