-- Enovates, Modbus TCP, unit 1; control by an energy manager must be switched on in it. -1 as limit means none, 0 switches it
-- off. The card (401) is personal data. Untested on hardware.
return {
  forecourt = 1,
  kind = "profile",
  name = "enovates",
  description = "Enovates single wallbox, one connector, three phases",
  source = "reference/chargers.md 1.11 (EVCC)",
  line = { framing = "tcp" },
  modbus = { max_words = 20, merge_gap = 9 },
  points = {
    current_a      = { address = 200, type = "u16", scale = 0.001, unit = "A" },
    current_b      = { address = 201, type = "u16", scale = 0.001, unit = "A" },
    current_c      = { address = 202, type = "u16", scale = 0.001, unit = "A" },
    voltage_a      = { address = 203, type = "s16", unit = "V", min = 0, max = 500 },
    voltage_b      = { address = 204, type = "s16", unit = "V", min = 0, max = 500 },
    voltage_c      = { address = 205, type = "s16", unit = "V", min = 0, max = 500 },
    power          = { address = 206, type = "s16", unit = "W" },
    energy         = { address = 216, type = "s32", unit = "Wh", min = 0 },
    state          = { address = 301, type = "text", words = 2 },
    current_limit  = { address = 400, type = "s16", scale = 0.001, unit = "A", invalid = { -1 } },
    serial         = { address = 5032, type = "text", words = 16, optional = true, period_ms = 60000 },
    firmware       = { address = 5064, type = "text", words = 16, optional = true, period_ms = 60000 },
  },
  status = {
    point = "state",
    map = { A = 1, A1 = 1, A2 = 1, B1 = 2, B2 = 2, C1 = 2, C2 = 3, D1 = 2, D2 = 3, E = 255, F = 255 },
    default = 255,
  },
  setpoint = {
    fc = 6, address = 400, type = "s16", scale = 0.001, unit = "A", min = 6, max = 32, pause = 0,
    verify = "current_limit", verify_within = 0.5,
  },
  commands = {
    start = { steps = { { limit = 32 }, { check = "current_limit", ["not"] = 0 } } },
    stop = { steps = { { pause = true }, { check = "current_limit", equals = 0 } } },
  },
  examples = {
    {
      registers = {
        [200] = 15950, [201] = 15990, [202] = 16010, [203] = 231, [204] = 230, [205] = 229, [206] = 11010, [216] = 18,
        [217] = 54919, [301] = 0x4332, [302] = 0, [400] = 16000,
      },
      expect = {
        state = "C2", status = 3, current_a = 15.95, voltage_b = 230, power = 11010, energy = 1234567, current_limit = 16,
      },
    },
    { registers = { [301] = 0x4131, [302] = 0, [400] = 0xFFFF }, expect = { status = 1, current_limit = false } },
    { registers = { [301] = 0x4331, [302] = 0 }, expect = { status = 2 } },
    { registers = { [301] = 0x4600, [302] = 0, [203] = 0xFFFF }, expect = { status = 255, voltage_a = false } },
  },
}
