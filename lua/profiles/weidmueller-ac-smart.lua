-- Weidmueller AC Smart, Modbus TCP, unit 255. The low word comes first. A limit is good for the milliseconds in 11050; nobody
-- here sets them, and the limit is written every five seconds. Whether 0 pauses is not stated for this register; it does for
-- the one before it (702). The card (1000) is personal data. Untested on hardware.
return {
  forecourt = 1,
  kind = "profile",
  name = "weidmueller-ac-smart",
  description = "Weidmueller AC Smart Advanced, Value, one connector, three phases",
  source = "reference/chargers.md 1.11 (EVCC)",
  line = { framing = "tcp" },
  modbus = { max_words = 20, merge_gap = 6 },
  points = {
    -- The letter is the second byte
    state          = { address = 301, type = "text", words = 1, skip = 1, chars = 1 },
    detail         = { address = 302, type = "u16" },
    voltage_a      = { address = 400, type = "u32", order = "lo-hi", scale = 0.001, unit = "V", max = 500 },
    voltage_b      = { address = 402, type = "u32", order = "lo-hi", scale = 0.001, unit = "V", max = 500 },
    voltage_c      = { address = 404, type = "u32", order = "lo-hi", scale = 0.001, unit = "V", max = 500 },
    current_a      = { address = 406, type = "u32", order = "lo-hi", scale = 0.001, unit = "A", max = 100 },
    current_b      = { address = 408, type = "u32", order = "lo-hi", scale = 0.001, unit = "A", max = 100 },
    current_c      = { address = 410, type = "u32", order = "lo-hi", scale = 0.001, unit = "A", max = 100 },
    power          = { address = 418, type = "u32", order = "lo-hi", scale = 0.001, unit = "W", max = 50000 },
    energy         = { address = 457, type = "u32", order = "lo-hi", unit = "Wh" },
  },
  status = { point = "state", map = { A = 1, B = 2, C = 3, D = 3, E = 255, F = 255 }, default = 255 },
  setpoint = { fc = 16, address = 11052, type = "u16", unit = "A", min = 6, max = 32, pause = 0, refresh_ms = 5000 },
  commands = { start = { limit = 32 }, stop = { pause = true } },
  examples = {
    {
      registers = {
        [301] = 0x0043, [302] = 5, [400] = 0x84D0, [401] = 3, [406] = 15950, [407] = 0, [418] = 0xFFD0, [419] = 0xA7, [457] = 0xD687,
        [458] = 0x12,
      },
      expect = {
        state = "C", status = 3, detail = 5, voltage_a = 230.608, current_a = 15.95, power = 11010, energy = 1234567,
      },
    },
    { registers = { [301] = 0x0041 }, expect = { status = 1 } },
    { registers = { [301] = 0x0046, [418] = 0xFFFF, [419] = 0xFFFF }, expect = { status = 255, power = false } },
  },
}
