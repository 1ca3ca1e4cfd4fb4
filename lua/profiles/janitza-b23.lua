-- Janitza B23 and B24, Modbus RTU; speed and parity are not stated. Energy counts Wh. A meter has no state: its connector
-- stays off line; give it to one as its meter. Untested on hardware.
return {
  forecourt = 1,
  kind = "profile",
  name = "janitza-b23",
  description = "Janitza B23, B24, three phases",
  source = "reference/chargers.md 1b (MBMD)",
  line = { framing = "rtu" },
  modbus = { max_words = 80, merge_gap = 20 },
  points = {
    voltage_a      = { address = 0x4A38, type = "f32", unit = "V" },
    voltage_b      = { address = 0x4A3A, type = "f32", unit = "V" },
    voltage_c      = { address = 0x4A3C, type = "f32", unit = "V" },
    current_a      = { address = 0x4A44, type = "f32", unit = "A" },
    current_b      = { address = 0x4A46, type = "f32", unit = "A" },
    current_c      = { address = 0x4A48, type = "f32", unit = "A" },
    power_a        = { address = 0x4A4C, type = "f32", unit = "W" },
    power_b        = { address = 0x4A4E, type = "f32", unit = "W" },
    power_c        = { address = 0x4A50, type = "f32", unit = "W" },
    power          = { address = 0x4A52, type = "f32", unit = "W" },
    frequency      = { address = 0x4A6A, type = "f32", unit = "Hz" },
    energy         = { address = 0x4A7C, type = "f32", unit = "Wh", min = 0 },
    energy_out     = { address = 0x4A84, type = "f32", unit = "Wh", min = 0 },
  },
  examples = {
    {
      registers = {
        [0x4A38] = 0x4366, [0x4A39] = 0x8000, [0x4A44] = 0x4178, [0x4A45] = 0, [0x4A52] = 0x462C, [0x4A53] = 0x8000,
        [0x4A6A] = 0x4248, [0x4A6B] = 0, [0x4A7C] = 0x4996, [0x4A7D] = 0xB438, [0x4A84] = 0x4140, [0x4A85] = 0,
      },
      expect = { voltage_a = 230.5, current_a = 15.5, power = 11040, frequency = 50, energy = 1234567, energy_out = 12 },
    },
    { registers = { [0x4A3A] = 0x7FC0, [0x4A3B] = 0 }, expect = { voltage_b = false } },
    { registers = { [0x4A7C] = 0xBF80, [0x4A7D] = 0 }, expect = { energy = false, status = 0 } },
  },
}
