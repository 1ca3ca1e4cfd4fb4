-- Wallbe Eco and Pro (a Phoenix EV-CC-AC1 inside), Modbus TCP, unit 255; DIP switch 10 on. The low word comes first. The unit
-- of the limit depends on the firmware, A or 0.1 A, and no version is known for it: a limit that reads 60 or more is one in
-- 0.1 A. So the charger is paused by its coil and never by a limit of 0, and no limit is written before one above 0 was read:
-- a wrong guess could be ten times too much. Card and totals of firmware 2 are left out. Untested on hardware.
return {
  forecourt = 1,
  kind = "profile",
  name = "wallbe-eco",
  description = "Wallbe Eco, Wallbe Pro, one connector, three phases",
  source = "reference/chargers.md 1.4 (EVCC)",
  line = { framing = "tcp" },
  modbus = { max_words = 6, merge_gap = 0 },
  points = {
    state          = { fc = 4, address = 100, type = "text", words = 1, skip = 1, chars = 1 },
    session_time   = { fc = 4, address = 102, type = "u32", order = "lo-hi", unit = "s" },
    voltage_a      = { fc = 4, address = 108, type = "s32", order = "lo-hi", unit = "V", max = 500 },
    voltage_b      = { fc = 4, address = 110, type = "s32", order = "lo-hi", unit = "V", max = 500 },
    voltage_c      = { fc = 4, address = 112, type = "s32", order = "lo-hi", unit = "V", max = 500 },
    current_a      = { fc = 4, address = 114, type = "s32", order = "lo-hi", unit = "A", max = 100 },
    current_b      = { fc = 4, address = 116, type = "s32", order = "lo-hi", unit = "A", max = 100 },
    current_c      = { fc = 4, address = 118, type = "s32", order = "lo-hi", unit = "A", max = 100 },
    power          = { fc = 4, address = 120, type = "s32", order = "lo-hi", unit = "W", max = 50000 },
    firmware       = { fc = 4, address = 149, type = "text", words = 6, swap = true, optional = true, period_ms = 60000 },
    enabled        = { fc = 1, address = 400, type = "bool" },
    limit_unit     = {
      address = 528, type = "u16", unit = "A",
      hook = function(raw) return raw >= 60 and 0.1 or raw > 0 and 1 or nil end,
    },
    current_limit  = { address = 528, type = "u16", scale_from = "limit_unit", unit = "A", max = 80 },
    energy         = { address = 2980, type = "u64", order = "lo-hi", unit = "Wh", optional = true },
    session_energy = { address = 3376, type = "u64", order = "lo-hi", unit = "Wh", optional = true },
  },
  status = { point = "state", map = { A = 1, B = 2, C = 3, D = 3, E = 255, F = 255 }, default = 255 },
  setpoint = {
    fc = 6, address = 528, type = "u16", scale_from = "limit_unit", unit = "A", min = 6, max = 32,
    verify = "current_limit",
  },
  commands = {
    start = { steps = { { limit = 32 }, { fc = 5, address = 400, value = 1 }, { check = "enabled", equals = 1 } } },
    stop = { steps = { { fc = 5, address = 400, value = 0 }, { check = "enabled", equals = 0 } } },
  },
  examples = {
    {
      fc = 4,
      registers = { [100] = 0x0043, [108] = 231, [109] = 0, [114] = 16, [115] = 0, [120] = 11040, [121] = 0 },
      expect = { state = "C", status = 3, voltage_a = 231, current_a = 16, power = 11040 },
    },
    { fc = 3, registers = { [528] = 160 }, expect = { limit_unit = 0.1 } },
    { fc = 3, registers = { [528] = 16 }, expect = { limit_unit = 1 } },
    { fc = 3, registers = { [528] = 0 }, expect = { limit_unit = false, current_limit = false } },
    {
      fc = 3, registers = { [2980] = 0xD687, [2981] = 0x0012, [2982] = 0, [2983] = 0 }, expect = { energy = 1234567 },
    },
    { fc = 4, registers = { [100] = 0x0042 }, expect = { status = 2 } },
  },
}
