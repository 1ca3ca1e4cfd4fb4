-- Schneider iEM3155, iEM3255 and others of the iEM3xxx, Modbus RTU, 19200 baud 8E1. Power in kW, energy in Wh. A meter has no
-- state: its connector stays off line; give it to one as its meter. Untested on hardware.
return {
  forecourt = 1,
  kind = "profile",
  name = "schneider-iem3000",
  description = "Schneider iEM3xxx, three phases",
  source = "reference/chargers.md 1b (MBMD)",
  line = { framing = "rtu", baud = 19200, parity = "even", stop_bits = 1 },
  modbus = { max_words = 64, merge_gap = 22 },
  points = {
    voltage_a      = { address = 0x0BD3, type = "f32", unit = "V" },
    voltage_b      = { address = 0x0BD5, type = "f32", unit = "V" },
    voltage_c      = { address = 0x0BD7, type = "f32", unit = "V" },
    current_a      = { address = 0x0BB7, type = "f32", unit = "A" },
    current_b      = { address = 0x0BB9, type = "f32", unit = "A" },
    current_c      = { address = 0x0BBB, type = "f32", unit = "A" },
    power_a        = { address = 0x0BED, type = "f32", unit = "kW" },
    power_b        = { address = 0x0BEF, type = "f32", unit = "kW" },
    power_c        = { address = 0x0BF1, type = "f32", unit = "kW" },
    power          = { address = 0x0BF3, type = "f32", unit = "kW" },
    frequency      = { address = 0x0C25, type = "f32", unit = "Hz" },
    energy         = { address = 0x0C83, type = "s64", unit = "Wh", min = 0 },
    energy_out     = { address = 0x0C87, type = "s64", unit = "Wh", min = 0 },
  },
  examples = {
    {
      registers = {
        [0x0BB7] = 0x4178, [0x0BB8] = 0, [0x0BD3] = 0x4366, [0x0BD4] = 0x8000, [0x0BF3] = 0x4134, [0x0BF4] = 0,
        [0x0C25] = 0x4248, [0x0C26] = 0, [0x0C83] = 0, [0x0C84] = 0, [0x0C85] = 18, [0x0C86] = 0xD687, [0x0C87] = 0,
        [0x0C88] = 0, [0x0C89] = 0, [0x0C8A] = 12,
      },
      expect = { current_a = 15.5, voltage_a = 230.5, power = 11.25, frequency = 50, energy = 1234567, energy_out = 12 },
    },
    { registers = { [0x0BD5] = 0x7FC0, [0x0BD6] = 0 }, expect = { voltage_b = false } },
    { registers = { [0x0C83] = 0xFFFF, [0x0C84] = 0xFFFF, [0x0C85] = 0xFFFF, [0x0C86] = 0 }, expect = { energy = false, status = 0 } },
  },
}
