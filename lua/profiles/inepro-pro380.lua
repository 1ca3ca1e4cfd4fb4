-- Inepro PRO380, Modbus RTU, 9600 baud 8E1. Power in kW. A meter has no state: its connector stays off line; give it to one as
-- its meter. Untested on hardware.
return {
  forecourt = 1,
  kind = "profile",
  name = "inepro-pro380",
  description = "Inepro PRO380, three phases",
  source = "reference/chargers.md 1b (MBMD)",
  line = { framing = "rtu", baud = 9600, parity = "even", stop_bits = 1 },
  modbus = { max_words = 20, merge_gap = 8 },
  points = {
    voltage_a      = { address = 0x5002, type = "f32", unit = "V" },
    voltage_b      = { address = 0x5004, type = "f32", unit = "V" },
    voltage_c      = { address = 0x5006, type = "f32", unit = "V" },
    frequency      = { address = 0x5008, type = "f32", unit = "Hz" },
    current_a      = { address = 0x500C, type = "f32", unit = "A" },
    current_b      = { address = 0x500E, type = "f32", unit = "A" },
    current_c      = { address = 0x5010, type = "f32", unit = "A" },
    power          = { address = 0x5012, type = "f32", unit = "kW" },
    energy         = { address = 0x600C, type = "f32", unit = "kWh", min = 0 },
    energy_out     = { address = 0x6018, type = "f32", unit = "kWh", min = 0 },
  },
  examples = {
    {
      registers = {
        [0x5002] = 0x4366, [0x5003] = 0x8000, [0x5008] = 0x4248, [0x5009] = 0, [0x500C] = 0x4178, [0x500D] = 0,
        [0x5012] = 0x4134, [0x5013] = 0, [0x600C] = 0x449A, [0x600D] = 0x5000, [0x6018] = 0x3E80, [0x6019] = 0,
      },
      expect = { voltage_a = 230.5, frequency = 50, current_a = 15.5, power = 11.25, energy = 1234.5, energy_out = 0.25 },
    },
    { registers = { [0x5004] = 0x7FC0, [0x5005] = 0 }, expect = { voltage_b = false } },
    { registers = { [0x600C] = 0xBF80, [0x600D] = 0 }, expect = { energy = false, status = 0 } },
  },
}
