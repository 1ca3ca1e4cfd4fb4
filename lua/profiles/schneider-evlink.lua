-- Schneider EVlink Pro AC, Modbus TCP, unit 255. The low word comes first. Untested on hardware.
return {
  forecourt = 1,
  kind = "profile",
  name = "schneider-evlink",
  description = "Schneider EVlink Pro AC, one connector, three phases",
  source = "reference/chargers.md 1.1 and 1.6 (EVCC)",
  line = { framing = "tcp" },
  -- Six words in one request are known to be read well.
  modbus = { max_words = 6, merge_gap = 0 },
  points = {
    state          = { address = 1, type = "u16" },
    current_a      = { address = 2999, type = "f32", order = "lo-hi", unit = "A", max = 100 },
    current_b      = { address = 3001, type = "f32", order = "lo-hi", unit = "A", max = 100 },
    current_c      = { address = 3003, type = "f32", order = "lo-hi", unit = "A", max = 100 },
    voltage_a      = { address = 3027, type = "f32", order = "lo-hi", unit = "V", max = 500 },
    voltage_b      = { address = 3029, type = "f32", order = "lo-hi", unit = "V", max = 500 },
    voltage_c      = { address = 3031, type = "f32", order = "lo-hi", unit = "V", max = 500 },
    power          = { address = 3059, type = "f32", order = "lo-hi", unit = "kW", max = 50 },
    energy         = { address = 3203, type = "u64", order = "lo-hi", unit = "Wh" },
    life           = { address = 4000, type = "u16" },
    current_limit  = { address = 4004, type = "u16", unit = "A" },
    session_time   = { address = 4009, type = "u16", unit = "s" },
    stop_cause     = { address = 4011, type = "u16" },
  },
  status = {
    point = "state",
    -- 0, 1, 2, 6 no car; 3, 4, 5, 7 connected; 8, 9 charging
    map = { [0] = 1, [1] = 1, [2] = 1, [3] = 2, [4] = 2, [5] = 2, [6] = 1, [7] = 2, [8] = 3, [9] = 3 },
    default = 255,
  },
  keep_alive = { fc = 6, address = 4000, value = 1, period_ms = 2000, unless = { life = 2 } },
  -- The range is not stated there: 6 A is IEC 61851's least; put in what is installed as the most.
  -- What it does when it hears no more is not stated there.
  setpoint = { fc = 6, address = 4004, type = "u16", unit = "A", min = 6, max = 32, pause = 0, verify = "current_limit" },
  commands = {
    start = { steps = { { limit = 32 }, { check = "current_limit", ["not"] = 0 } } },
    stop = { steps = { { pause = true }, { check = "current_limit", equals = 0 } } },
  },
  examples = {
    {
      registers = {
        [1] = 8, [2999] = 0, [3000] = 0x4180, [3027] = 0x8000, [3028] = 0x4366, [3059] = 0, [3060] = 0x4130,
        [3203] = 0xD687, [3204] = 0x0012, [3205] = 0, [3206] = 0, [4000] = 2, [4004] = 16,
      },
      expect = {
        status = 3, current_a = 16, voltage_a = 230.5, power = 11, energy = 1234567, life = 2, current_limit = 16,
      },
    },
    { registers = { [1] = 6 }, expect = { status = 1 } },
    { registers = { [1] = 7 }, expect = { status = 2 } },
    { registers = { [1] = 10 }, expect = { status = 255 } },
    { registers = { [3059] = 0, [3060] = 0x7FC0 }, expect = { power = false } },
  },
}
