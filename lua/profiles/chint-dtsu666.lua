-- Chint DTSU666, Modbus RTU, 9600 baud 8N1: floats, and scaled all the same (energy is not). A meter has no state: its
-- connector stays off line; give it to one as its meter. Untested on hardware.
return {
  forecourt = 1,
  kind = "profile",
  name = "chint-dtsu666",
  description = "Chint DTSU666, three phases",
  source = "reference/chargers.md 1b (MBMD)",
  line = { framing = "rtu", baud = 9600, parity = "none", stop_bits = 1 },
  modbus = { max_words = 20, merge_gap = 8 },
  points = {
    voltage_a      = { address = 0x2006, type = "f32", scale = 0.1, unit = "V" },
    voltage_b      = { address = 0x2008, type = "f32", scale = 0.1, unit = "V" },
    voltage_c      = { address = 0x200A, type = "f32", scale = 0.1, unit = "V" },
    current_a      = { address = 0x200C, type = "f32", scale = 0.001, unit = "A" },
    current_b      = { address = 0x200E, type = "f32", scale = 0.001, unit = "A" },
    current_c      = { address = 0x2010, type = "f32", scale = 0.001, unit = "A" },
    power          = { address = 0x2012, type = "f32", scale = 0.1, unit = "W" },
    frequency      = { address = 0x2044, type = "f32", scale = 0.01, unit = "Hz" },
    energy         = { address = 0x101E, type = "f32", unit = "kWh", min = 0 },
    energy_out     = { address = 0x1028, type = "f32", unit = "kWh", min = 0 },
  },
  examples = {
    {
      registers = {
        [0x2006] = 0x4510, [0x2007] = 0x1000, [0x200C] = 0x4672, [0x200D] = 0x3000, [0x2012] = 0x47D7,
        [0x2013] = 0xA000, [0x2044] = 0x459C, [0x2045] = 0x4000, [0x101E] = 0x449A, [0x101F] = 0x5000,
        [0x1028] = 0x3E80, [0x1029] = 0,
      },
      expect = { voltage_a = 230.5, current_a = 15.5, power = 11040, frequency = 50, energy = 1234.5, energy_out = 0.25 },
    },
    { registers = { [0x2008] = 0x7FC0, [0x2009] = 0 }, expect = { voltage_b = false } },
    { registers = { [0x2012] = 0xC61C, [0x2013] = 0x4000 }, expect = { power = -1000, status = 0 } },
  },
}
