-- DZG DVH4013, Modbus RTU, 9600 baud 8E1. Power drawn and fed in are two registers: power is what is drawn. A meter has no
-- state: its connector stays off line; give it to one as its meter. Untested on hardware.
return {
  forecourt = 1,
  kind = "profile",
  name = "dzg-dvh4013",
  description = "DZG DVH4013, three phases",
  source = "reference/chargers.md 1b (MBMD)",
  line = { framing = "rtu", baud = 9600, parity = "even", stop_bits = 1 },
  modbus = { max_words = 20, merge_gap = 2 },
  points = {
    power          = { address = 0x0000, type = "u32", scale = 0.1, unit = "W", max = 1000000 },
    power_out      = { address = 0x0002, type = "u32", scale = 0.1, unit = "W", max = 1000000 },
    voltage_a      = { address = 0x0004, type = "u32", scale = 0.01, unit = "V", max = 500 },
    voltage_b      = { address = 0x0006, type = "u32", scale = 0.01, unit = "V", max = 500 },
    voltage_c      = { address = 0x0008, type = "u32", scale = 0.01, unit = "V", max = 500 },
    current_a      = { address = 0x000A, type = "u32", scale = 0.001, unit = "A" },
    current_b      = { address = 0x000C, type = "u32", scale = 0.001, unit = "A" },
    current_c      = { address = 0x000E, type = "u32", scale = 0.001, unit = "A" },
    frequency      = { address = 0x0012, type = "u32", scale = 0.001, unit = "Hz" },
    energy         = { address = 0x4000, type = "u32", scale = 0.001, unit = "kWh" },
    energy_out     = { address = 0x4100, type = "u32", scale = 0.001, unit = "kWh" },
  },
  examples = {
    {
      registers = {
        [0x0000] = 1, [0x0001] = 0xAF40, [0x0002] = 0, [0x0003] = 0, [0x0004] = 0, [0x0005] = 0x5A0A, [0x000A] = 0,
        [0x000B] = 0x3C8C, [0x0012] = 0, [0x0013] = 0xC350, [0x4000] = 18, [0x4001] = 0xD687, [0x4100] = 0,
        [0x4101] = 12,
      },
      expect = {
        power = 11040, power_out = 0, voltage_a = 230.5, current_a = 15.5, frequency = 50, energy = 1234.567, energy_out =
        0.012,
      },
    },
    { registers = { [0] = 0xFFFF, [1] = 0xFFFF }, expect = { power = false } },
    { registers = { [4] = 1, [5] = 0 }, expect = { voltage_a = false, status = 0 } },
  },
}
