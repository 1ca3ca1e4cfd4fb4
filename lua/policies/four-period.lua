-- Sharp, peak, flat and valley by the time of the day; sharp only in the summer months. The hours are an example: take those of
-- the grid company.
local valley, flat, peak, sharp = 0.32, 0.68, 1.05, 1.26
local service = 0.45

local function is_summer(date)
  local month = date:sub(6, 7)
  return month == "07" or month == "08"
end

local function prices(context)
  local noon = is_summer(context.date) and sharp or peak
  return {
    { start = "00:00", elec = valley, service = service },
    { start = "07:00", elec = flat, service = service },
    { start = "10:00", elec = peak, service = service },
    { start = "11:00", elec = noon, service = service },
    { start = "13:00", elec = flat, service = service },
    { start = "17:00", elec = peak, service = service },
    { start = "22:00", elec = flat, service = service },
    { start = "23:00", elec = valley, service = service },
  }
end

return {
  forecourt = 1,
  kind = "policy",
  name = "four-period",
  description = "Sharp, peak, flat, valley",
  prices = prices,
  -- With an occupancy fee an order waits until the car leaves, two hours at most; a platform that wants its orders at once
  -- (Beijing: within 150 s) can't be served so. After the charge half an hour free, then the place costs:
  --   occupancy_minute = 0.1, occupancy_free_min = 30, occupancy_most_min = 120
  terms = { maximum = 500 },
  examples = {
    {
      call = "prices",
      input = { date = "2026-08-01", weekday = 6 },
      expect = {
        { start = "00:00", elec = 0.32, service = 0.45 },
        { start = "07:00", elec = 0.68, service = 0.45 },
        { start = "10:00", elec = 1.05, service = 0.45 },
        { start = "11:00", elec = 1.26, service = 0.45 },
        { start = "13:00", elec = 0.68, service = 0.45 },
        { start = "17:00", elec = 1.05, service = 0.45 },
        { start = "22:00", elec = 0.68, service = 0.45 },
        { start = "23:00", elec = 0.32, service = 0.45 },
      },
    },
  },
}
