-- Carlo Gavazzi EM330, EM340, ET330, ET340, EM530 and EM540, Modbus RTU, 9600 baud 8N1. The low word comes first. A meter has
-- no state: its connector stays off line; give it to one as its meter. Untested on hardware.
return {
  forecourt = 1,
  kind = "profile",
  name = "gavazzi-em340",
  description = "Carlo Gavazzi EM330, EM340, EM530, EM540, three phases",
  source = "reference/chargers.md 1b (MBMD)",
  line = { framing = "rtu", baud = 9600, parity = "none", stop_bits = 1 },
  modbus = { max_words = 42, merge_gap = 10 },
  points = {
    voltage_a      = { fc = 4, address = 0x0000, type = "s32", order = "lo-hi", scale = 0.1, unit = "V" },
    voltage_b      = { fc = 4, address = 0x0002, type = "s32", order = "lo-hi", scale = 0.1, unit = "V" },
    voltage_c      = { fc = 4, address = 0x0004, type = "s32", order = "lo-hi", scale = 0.1, unit = "V" },
    current_a      = { fc = 4, address = 0x000C, type = "s32", order = "lo-hi", scale = 0.001, unit = "A" },
    current_b      = { fc = 4, address = 0x000E, type = "s32", order = "lo-hi", scale = 0.001, unit = "A" },
    current_c      = { fc = 4, address = 0x0010, type = "s32", order = "lo-hi", scale = 0.001, unit = "A" },
    power_a        = { fc = 4, address = 0x0012, type = "s32", order = "lo-hi", scale = 0.1, unit = "W" },
    power_b        = { fc = 4, address = 0x0014, type = "s32", order = "lo-hi", scale = 0.1, unit = "W" },
    power_c        = { fc = 4, address = 0x0016, type = "s32", order = "lo-hi", scale = 0.1, unit = "W" },
    power          = { fc = 4, address = 0x0028, type = "s32", order = "lo-hi", scale = 0.1, unit = "W" },
    frequency      = { fc = 4, address = 0x0033, type = "s16", scale = 0.1, unit = "Hz" },
    energy         = { fc = 4, address = 0x0034, type = "s32", order = "lo-hi", scale = 0.1, unit = "kWh", min = 0 },
    energy_out     = { fc = 4, address = 0x004E, type = "s32", order = "lo-hi", scale = 0.1, unit = "kWh", min = 0 },
  },
  examples = {
    {
      registers = {
        [0x0000] = 2305, [0x0001] = 0, [0x000C] = 0x3C8C, [0x000D] = 0, [0x0012] = 0x8B8F, [0x0013] = 0,
        [0x0028] = 0xAF40, [0x0029] = 1, [0x0033] = 500, [0x0034] = 0xE240, [0x0035] = 1, [0x004E] = 12, [0x004F] = 0,
      },
      expect = {
        voltage_a = 230.5, current_a = 15.5, power_a = 3572.7, power = 11040, frequency = 50, energy = 12345.6, energy_out =
        1.2,
      },
    },
    { registers = { [0x0028] = 0xD8F0, [0x0029] = 0xFFFF }, expect = { power = -1000 } },
    { registers = { [0x0034] = 0xFFFF, [0x0035] = 0xFFFF }, expect = { energy = false, status = 0 } },
  },
}
