-- Eastron SDM630 and SDM72-V2, Modbus RTU, 9600 baud 8N1. Some firmware refuses reads above 50 words, though the manual allows
-- 80. Import is energy. A meter has no state: its connector stays off line; give it to one as its meter. Untested on hardware.
return {
  forecourt = 1,
  kind = "profile",
  name = "eastron-sdm630",
  description = "Eastron SDM630, SDM72-V2, three phases",
  source = "reference/chargers.md 1b (MBMD), section 4 row 24",
  line = { framing = "rtu", baud = 9600, parity = "none", stop_bits = 1 },
  modbus = { max_words = 50, merge_gap = 8 },
  points = {
    voltage_a      = { fc = 4, address = 0x0000, type = "f32", unit = "V" },
    voltage_b      = { fc = 4, address = 0x0002, type = "f32", unit = "V" },
    voltage_c      = { fc = 4, address = 0x0004, type = "f32", unit = "V" },
    current_a      = { fc = 4, address = 0x0006, type = "f32", unit = "A" },
    current_b      = { fc = 4, address = 0x0008, type = "f32", unit = "A" },
    current_c      = { fc = 4, address = 0x000A, type = "f32", unit = "A" },
    power_a        = { fc = 4, address = 0x000C, type = "f32", unit = "W" },
    power_b        = { fc = 4, address = 0x000E, type = "f32", unit = "W" },
    power_c        = { fc = 4, address = 0x0010, type = "f32", unit = "W" },
    power          = { fc = 4, address = 0x0034, type = "f32", unit = "W" },
    frequency      = { fc = 4, address = 0x0046, type = "f32", unit = "Hz" },
    energy         = { fc = 4, address = 0x0048, type = "f32", unit = "kWh", min = 0 },
    energy_out     = { fc = 4, address = 0x004A, type = "f32", unit = "kWh", min = 0 },
    energy_sum     = { fc = 4, address = 0x0156, type = "f32", unit = "kWh", min = 0, optional = true, period_ms = 10000 },
  },
  examples = {
    {
      registers = {
        [0x0000] = 0x4366, [0x0001] = 0x8000, [0x0006] = 0x4178, [0x0007] = 0, [0x000C] = 0x455F, [0x000D] = 0x4C00,
        [0x0034] = 0x462C, [0x0035] = 0x8000, [0x0046] = 0x4248, [0x0047] = 0, [0x0048] = 0x449A, [0x0049] = 0x5000,
        [0x004A] = 0x3E80, [0x004B] = 0,
      },
      expect = {
        voltage_a = 230.5, current_a = 15.5, power_a = 3572.75, power = 11040, frequency = 50, energy = 1234.5, energy_out =
        0.25,
      },
    },
    -- What is not there is no number
    { registers = { [0x02] = 0x7FC0, [0x03] = 0 }, expect = { voltage_b = false } },
    { registers = { [0x34] = 0xC47A, [0x35] = 0 }, expect = { power = -1000, status = 0 } },
  },
}
