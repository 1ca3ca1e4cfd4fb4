-- GoodWe HCA Gen2, Modbus TCP, unit 247. It has one slot for a client, and the inverter needs it: a second one breaks the
-- inverter's link and the charge ends after half a minute. The card (10050) is personal data. Untested on hardware.
return {
  forecourt = 1,
  kind = "profile",
  name = "goodwe-hca",
  description = "GoodWe HCA Gen2, one connector, three phases",
  source = "reference/chargers.md 1.1 and 1.11 (EVCC), section 4 row 20",
  line = { framing = "tcp", connections = 1 },
  modbus = { max_words = 9, merge_gap = 1, min_period_ms = 2000 },
  points = {
    voltage_a      = { address = 10009, type = "u16", scale = 0.1, unit = "V", max = 500 },
    voltage_b      = { address = 10010, type = "u16", scale = 0.1, unit = "V", max = 500 },
    voltage_c      = { address = 10011, type = "u16", scale = 0.1, unit = "V", max = 500 },
    current_a      = { address = 10012, type = "u16", scale = 0.1, unit = "A", max = 100 },
    current_b      = { address = 10013, type = "u16", scale = 0.1, unit = "A", max = 100 },
    current_c      = { address = 10014, type = "u16", scale = 0.1, unit = "A", max = 100 },
    power          = { address = 10015, type = "u16", scale = 100, unit = "W", max = 50000 },
    state          = { address = 10017, type = "u16" },
    power_limit    = { address = 10029, type = "u16", scale = 0.1, unit = "kW" },
    -- 0 fast, 1 sun, 2 sun and battery
    mode           = { address = 10032, type = "u16" },
    energy         = { address = 10065, type = "u32", scale = 0.1, unit = "kWh" },
  },
  -- none; plugged, handshake, charging, completed, scheduled, interrupted
  status = { point = "state", map = { [0] = 1, [1] = 2, [2] = 2, [3] = 3, [4] = 2, [6] = 2, [10] = 2 }, default = 255 },
  setpoint = { fc = 6, address = 10029, type = "u16", scale = 0.1, unit = "kW", min = 1.4, max = 22 },
  commands = {
    -- In another mode the sun decides.
    start = { steps = { { fc = 6, address = 10032, value = 0 }, { fc = 6, address = 10060, value = 2 } } },
    stop = { fc = 6, address = 10060, value = 1 },
  },
  examples = {
    {
      registers = {
        [10009] = 2306, [10010] = 2311, [10011] = 2298, [10012] = 159, [10013] = 158, [10014] = 160, [10015] = 110, [10017] = 3,
        [10029] = 110, [10032] = 0, [10065] = 0, [10066] = 12345,
      },
      expect = { status = 3, voltage_c = 229.8, current_a = 15.9, power = 11000, power_limit = 11, energy = 1234.5 },
    },
    { registers = { [10017] = 0 }, expect = { status = 1 } },
    { registers = { [10017] = 10 }, expect = { status = 2 } },
    { registers = { [10017] = 5, [10015] = 0xFFFF }, expect = { status = 255, power = false } },
  },
}
