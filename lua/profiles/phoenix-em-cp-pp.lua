-- Phoenix Contact EM-CP-PP-ETH, Modbus TCP, unit 180. The low word comes first; power comes in steps of 10 W. Untested on
-- hardware.
return {
  forecourt = 1,
  kind = "profile",
  name = "phoenix-em-cp-pp",
  description = "Phoenix Contact EM-CP-PP-ETH, one connector, three phases",
  source = "reference/chargers.md 1.1 and 1.4 (EVCC)",
  line = { framing = "tcp" },
  modbus = { max_words = 6, merge_gap = 0 },
  points = {
    -- The letter is the second byte
    state          = { fc = 4, address = 100, type = "text", words = 1, skip = 1, chars = 1 },
    session_time   = { fc = 4, address = 102, type = "u32", order = "lo-hi", unit = "s" },
    voltage_a      = { fc = 4, address = 108, type = "s32", order = "lo-hi", scale = 0.01, unit = "V", max = 500 },
    voltage_b      = { fc = 4, address = 110, type = "s32", order = "lo-hi", scale = 0.01, unit = "V", max = 500 },
    voltage_c      = { fc = 4, address = 112, type = "s32", order = "lo-hi", scale = 0.01, unit = "V", max = 500 },
    current_a      = { fc = 4, address = 114, type = "s32", order = "lo-hi", scale = 0.001, unit = "A", max = 100 },
    current_b      = { fc = 4, address = 116, type = "s32", order = "lo-hi", scale = 0.001, unit = "A", max = 100 },
    current_c      = { fc = 4, address = 118, type = "s32", order = "lo-hi", scale = 0.001, unit = "A", max = 100 },
    power          = { fc = 4, address = 120, type = "s32", order = "lo-hi", scale = 10, unit = "W", max = 50000 },
    energy         = { fc = 4, address = 128, type = "u32", order = "lo-hi", scale = 0.01, unit = "kWh" },
    enabled        = { fc = 1, address = 400, type = "bool" },
    current_limit  = { address = 300, type = "u16", unit = "A", max = 80 },
  },
  status = { point = "state", map = { A = 1, B = 2, C = 3, D = 3, E = 255, F = 255 }, default = 255 },
  setpoint = { fc = 6, address = 300, type = "u16", unit = "A", min = 6, max = 32 },
  commands = {
    start = { steps = { { limit = 32 }, { fc = 5, address = 400, value = 1 }, { check = "enabled", equals = 1 } } },
    stop = { steps = { { fc = 5, address = 400, value = 0 }, { check = "enabled", equals = 0 } } },
  },
  examples = {
    {
      fc = 4,
      registers = {
        [100] = 0x0043, [102] = 60, [103] = 0, [108] = 23051, [109] = 0, [114] = 15980, [115] = 0, [120] = 1102,
        [121] = 0, [128] = 0xE240, [129] = 1,
      },
      expect = {
        state = "C", status = 3, session_time = 60, voltage_a = 230.51, current_a = 15.98, power = 11020, energy = 1234.56,
      },
    },
    { fc = 4, registers = { [100] = 0x0041 }, expect = { status = 1 } },
    { fc = 4, registers = { [100] = 0x0045, [108] = 0, [109] = 0x7FFF }, expect = { status = 255, voltage_a = false } },
    { fc = 3, registers = { [300] = 16 }, expect = { current_limit = 16 } },
  },
}
