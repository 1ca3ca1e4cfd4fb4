-- Acrel ADW300, Modbus RTU; the table gives 1200 as its line, which may be the speed. Behind current transformers the
-- currents, powers and energies are those of the secondary side for all that is stated. A meter has no state: its connector
-- stays off line; give it to one as its meter. Untested on hardware.
return {
  forecourt = 1,
  kind = "profile",
  name = "acrel-adw300",
  description = "Acrel ADW300, three phases",
  source = "reference/chargers.md 1b (EVCC)",
  line = { framing = "rtu" },
  modbus = { max_words = 46, merge_gap = 24 },
  points = {
    voltage_a      = { address = 20, type = "u16", scale = 0.1, unit = "V" },
    voltage_b      = { address = 21, type = "u16", scale = 0.1, unit = "V" },
    voltage_c      = { address = 22, type = "u16", scale = 0.1, unit = "V" },
    current_a      = { address = 26, type = "u16", scale = 0.01, unit = "A" },
    current_b      = { address = 27, type = "u16", scale = 0.01, unit = "A" },
    current_c      = { address = 28, type = "u16", scale = 0.01, unit = "A" },
    power_a        = { address = 30, type = "s32", unit = "W", max = 1000000 },
    power_b        = { address = 32, type = "s32", unit = "W", max = 1000000 },
    power_c        = { address = 34, type = "s32", unit = "W", max = 1000000 },
    power          = { address = 36, type = "s32", unit = "W", max = 1000000 },
    energy         = { address = 62, type = "s32", scale = 0.01, unit = "kWh", min = 0 },
    energy_out     = { address = 64, type = "s32", scale = 0.01, unit = "kWh", min = 0 },
  },
  examples = {
    {
      registers = {
        [20] = 2305, [26] = 1550, [30] = 0, [31] = 3572, [36] = 0, [37] = 0x2B20, [62] = 1, [63] = 0xE23A, [64] = 0,
        [65] = 25,
      },
      expect = { voltage_a = 230.5, current_a = 15.5, power_a = 3572, power = 11040, energy = 1234.5, energy_out = 0.25 },
    },
    { registers = { [36] = 0xFFFF, [37] = 0xFC18 }, expect = { power = -1000 } },
    { registers = { [62] = 0xFFFF, [63] = 0xFFFF, [36] = 0x7FFF, [37] = 0 }, expect = { energy = false, power = false, status = 0 } },
  },
}
