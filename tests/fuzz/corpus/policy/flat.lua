-- One price all day, every day.
return {
  forecourt = 1,
  kind = "policy",
  name = "flat",
  description = "One price all day",
  prices = {
    { start = "00:00", elec = 0.8, service = 0.4 }, -- yuan per kWh
  },
}
