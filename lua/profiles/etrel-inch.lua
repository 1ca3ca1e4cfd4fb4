-- Etrel INCH, sonnenCharger, Modbus TCP, unit 1: the second connector lies 100 further. The limit can only be written; what is
-- in force is read at input 4. Session energy and time (30, 32) are always 0 and are left out: a meter beside it counts.
-- Untested on hardware.
return {
  forecourt = 1,
  kind = "profile",
  name = "etrel-inch",
  description = "Etrel INCH, sonnenCharger, two connectors, three phases",
  source = "reference/chargers.md 1.11 (EVCC), section 4 row 40. No energy is known.",
  line = { framing = "tcp" },
  modbus = { max_words = 14, merge_gap = 6 },
  connectors = { count = 2, stride = 100 },
  points = {
    state          = { fc = 4, address = 0, type = "u16" },
    current_limit  = { fc = 4, address = 4, type = "f32", unit = "A" },
    current_a      = { fc = 4, address = 14, type = "f32", unit = "A", max = 100 },
    current_b      = { fc = 4, address = 16, type = "f32", unit = "A", max = 100 },
    current_c      = { fc = 4, address = 18, type = "f32", unit = "A", max = 100 },
    power          = { fc = 4, address = 26, type = "f32", unit = "kW", max = 50 },
    serial         = { fc = 4, address = 990, type = "text", words = 10, shared = true, optional = true, period_ms = 60000 },
    firmware       = { fc = 4, address = 1015, type = "text", words = 5, shared = true, optional = true, period_ms = 60000 },
  },
  status = {
    point = "state",
    -- free, waits for car, for start, charging, paused by car, by charger, ended, fault, unpausing, unavailable
    map = { [1] = 1, [2] = 1, [3] = 2, [4] = 3, [5] = 2, [6] = 2, [7] = 2, [8] = 255, [9] = 2, [10] = 0 },
    default = 0,
  },
  setpoint = {
    fc = 16, address = 8, type = "f32", unit = "A", min = 6, max = 32, pause = 0,
    verify = "current_limit", verify_at_most = true,
  },
  commands = { start = { limit = 32 }, stop = { pause = true } },
  examples = {
    {
      registers = {
        [0] = 4, [4] = 0x4180, [5] = 0, [14] = 0x4178, [15] = 0, [16] = 0x4178, [17] = 0, [18] = 0x4170, [19] = 0, [26] = 0x4130,
        [27] = 0,
      },
      expect = { status = 3, current_limit = 16, current_a = 15.5, current_c = 15, power = 11 },
    },
    { connector = 2, registers = { [100] = 1 }, expect = { status = 1 } },
    { registers = { [0] = 6 }, expect = { status = 2 } },
    { registers = { [0] = 8, [26] = 0x7FC0, [27] = 0 }, expect = { status = 255, power = false } },
    { registers = { [0] = 10 }, expect = { status = 0 } },
  },
}
