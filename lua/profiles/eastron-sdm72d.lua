-- Eastron SDM72D-M, Modbus RTU, 9600 baud 8N1: total power and energy only. Import is energy. A meter has no state: its
-- connector stays off line; give it to one as its meter. Untested on hardware.
return {
  forecourt = 1,
  kind = "profile",
  name = "eastron-sdm72d",
  description = "Eastron SDM72D-M",
  source = "reference/chargers.md 1b (MBMD), section 4 row 24",
  line = { framing = "rtu", baud = 9600, parity = "none", stop_bits = 1 },
  modbus = { max_words = 50, merge_gap = 0 },
  points = {
    power          = { fc = 4, address = 0x0034, type = "f32", unit = "W" },
    energy         = { fc = 4, address = 0x0048, type = "f32", unit = "kWh", min = 0 },
    energy_out     = { fc = 4, address = 0x004A, type = "f32", unit = "kWh", min = 0 },
    energy_sum     = { fc = 4, address = 0x0156, type = "f32", unit = "kWh", min = 0, optional = true, period_ms = 10000 },
  },
  examples = {
    {
      registers = {
        [0x0034] = 0x462C, [0x0035] = 0x8000, [0x0048] = 0x449A, [0x0049] = 0x5000, [0x004A] = 0x3E80, [0x004B] = 0,
      },
      expect = { power = 11040, energy = 1234.5, energy_out = 0.25 },
    },
    { registers = { [0x48] = 0xBF80, [0x49] = 0 }, expect = { energy = false } },
    { registers = { [0x34] = 0x7FC0, [0x35] = 0 }, expect = { power = false, status = 0 } },
  },
}
