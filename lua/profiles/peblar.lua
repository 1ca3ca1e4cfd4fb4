-- Peblar Home and Business, Modbus TCP, unit 255: measurements are input registers, the limit a holding register. Phases that
-- are not connected may be refused. Phases (40002) are not switched. Untested on hardware.
return {
  forecourt = 1,
  kind = "profile",
  name = "peblar",
  description = "Peblar Home, Peblar Business, one connector, three phases",
  source = "reference/chargers.md 1.11 (EVCC)",
  line = { framing = "tcp" },
  modbus = { max_words = 14, merge_gap = 0 },
  points = {
    energy         = { fc = 4, address = 30000, type = "s64", unit = "Wh", min = 0 },
    power          = { fc = 4, address = 30014, type = "u32", unit = "W", max = 50000 },
    voltage_a      = { fc = 4, address = 30016, type = "u32", unit = "V", max = 500 },
    voltage_b      = { fc = 4, address = 30018, type = "u32", unit = "V", max = 500, optional = true },
    voltage_c      = { fc = 4, address = 30020, type = "u32", unit = "V", max = 500, optional = true },
    current_a      = { fc = 4, address = 30022, type = "u32", scale = 0.001, unit = "A", max = 100 },
    current_b      = { fc = 4, address = 30024, type = "u32", scale = 0.001, unit = "A", max = 100, optional = true },
    current_c      = { fc = 4, address = 30026, type = "u32", scale = 0.001, unit = "A", max = 100, optional = true },
    serial         = { fc = 4, address = 30050, type = "text", words = 12, optional = true, period_ms = 60000 },
    firmware       = { fc = 4, address = 30074, type = "text", words = 12, optional = true, period_ms = 60000 },
    -- The letter of the pilot is the low byte
    state          = { fc = 4, address = 30110, type = "text", words = 1, skip = 1, chars = 1 },
    current_limit  = { address = 40000, type = "u32", scale = 0.001, unit = "A", max = 100 },
  },
  status = { point = "state", map = { A = 1, B = 2, C = 3, D = 3, E = 255, F = 255 }, default = 255 },
  setpoint = {
    fc = 16, address = 40000, type = "u32", scale = 0.001, unit = "A", min = 6, max = 32, pause = 0,
    verify = "current_limit", verify_within = 0.5,
  },
  commands = {
    start = { steps = { { limit = 32 }, { check = "current_limit", ["not"] = 0 } } },
    stop = { steps = { { pause = true }, { check = "current_limit", equals = 0 } } },
  },
  examples = {
    {
      registers = {
        [30000] = 0, [30001] = 0, [30002] = 18, [30003] = 54919, [30014] = 0, [30015] = 11010, [30016] = 0, [30017] = 231,
        [30022] = 0, [30023] = 15950, [30110] = 0x0043, [40000] = 0, [40001] = 16000,
      },
      expect = {
        state = "C", status = 3, energy = 1234567, power = 11010, voltage_a = 231, current_a = 15.95, voltage_b = false,
        current_limit = 16,
      },
    },
    { registers = { [30110] = 0x0041 }, expect = { status = 1 } },
    { registers = { [30110] = 0x0046, [30014] = 0xFFFF, [30015] = 0xFFFF }, expect = { status = 255, power = false } },
  },
}
