-- Orno OR-WE-516 and OR-WE-517, Modbus RTU, 9600 baud 8E1. Power in kW. A meter has no state: its connector stays off line;
-- give it to one as its meter. Untested on hardware.
return {
  forecourt = 1,
  kind = "profile",
  name = "orno-we516",
  description = "Orno OR-WE-516, OR-WE-517, three phases",
  source = "reference/chargers.md 1b (MBMD)",
  line = { framing = "rtu", baud = 9600, parity = "even", stop_bits = 1 },
  modbus = { max_words = 20, merge_gap = 4 },
  points = {
    voltage_a      = { address = 0x000E, type = "f32", unit = "V" },
    voltage_b      = { address = 0x0010, type = "f32", unit = "V" },
    voltage_c      = { address = 0x0012, type = "f32", unit = "V" },
    frequency      = { address = 0x0014, type = "f32", unit = "Hz" },
    current_a      = { address = 0x0016, type = "f32", unit = "A" },
    current_b      = { address = 0x0018, type = "f32", unit = "A" },
    current_c      = { address = 0x001A, type = "f32", unit = "A" },
    power          = { address = 0x001C, type = "f32", unit = "kW" },
    energy_sum     = { address = 0x0100, type = "f32", unit = "kWh", min = 0 },
    energy         = { address = 0x0108, type = "f32", unit = "kWh", min = 0 },
    energy_out     = { address = 0x0110, type = "f32", unit = "kWh", min = 0 },
  },
  examples = {
    {
      registers = {
        [0x000E] = 0x4366, [0x000F] = 0x8000, [0x0014] = 0x4248, [0x0015] = 0, [0x0016] = 0x4178, [0x0017] = 0,
        [0x001C] = 0x4134, [0x001D] = 0, [0x0100] = 0x449A, [0x0101] = 0x5800, [0x0108] = 0x449A, [0x0109] = 0x5000,
        [0x0110] = 0x3E80, [0x0111] = 0,
      },
      expect = {
        voltage_a = 230.5, frequency = 50, current_a = 15.5, power = 11.25, energy_sum = 1234.75, energy = 1234.5,
        energy_out = 0.25,
      },
    },
    { registers = { [0x10] = 0x7FC0, [0x11] = 0 }, expect = { voltage_b = false } },
    { registers = { [0x108] = 0xBF80, [0x109] = 0 }, expect = { energy = false, status = 0 } },
  },
}
