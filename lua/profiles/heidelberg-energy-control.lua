-- Heidelberg and Amperfied Energy Control, and Walther basicEVO PRO, Modbus RTU, 19200 baud 8E1, units 1 to 16 by switch; 100
-- ms before each request. State and measurements are input registers only (function 3 is refused). In standby the bus is deaf:
-- so it is switched off, again whenever it is found on (firmware up to 1.0.7 forgets that, with everything else). Untested on
-- hardware.
return {
  forecourt = 1,
  kind = "profile",
  name = "heidelberg-energy-control",
  description = "Heidelberg, Amperfied Energy Control, one connector, three phases",
  source = "reference/chargers.md 1.1 and 1.9 (EVCC, captures in its issues), section 4 rows 18 and 44",
  line = { framing = "rtu", baud = 19200, parity = "even", stop_bits = 1 },
  -- Three words are read well; nobody has shown more. Sixteen on a line want a slower pace still.
  modbus = { max_words = 3, merge_gap = 0, gap_ms = 100, min_period_ms = 2000 },
  points = {
    -- 2, 3 A; 4, 5 B; 6, 7 C; 8 derating; 9 E; 10 F: locked, or starting
    state          = { fc = 4, address = 5, type = "u16" },
    current_a      = { fc = 4, address = 6, type = "u16", scale = 0.1, unit = "A", max = 100 },
    current_b      = { fc = 4, address = 7, type = "u16", scale = 0.1, unit = "A", max = 100 },
    current_c      = { fc = 4, address = 8, type = "u16", scale = 0.1, unit = "A", max = 100 },
    temperature    = { fc = 4, address = 9, type = "s16", scale = 0.1, unit = "degC", period_ms = 10000 },
    voltage_a      = { fc = 4, address = 10, type = "u16", unit = "V", max = 500 },
    voltage_b      = { fc = 4, address = 11, type = "u16", unit = "V", max = 500 },
    voltage_c      = { fc = 4, address = 12, type = "u16", unit = "V", max = 500 },
    -- VA for all it can tell
    power          = { fc = 4, address = 14, type = "u16", unit = "W", max = 30000 },
    energy         = { fc = 4, address = 17, type = "u32", unit = "Wh" },
    -- 4: off
    standby        = { address = 258, type = "u16", period_ms = 10000 },
    current_limit  = { address = 261, type = "u16", scale = 0.1, unit = "A", max = 32 },
  },
  status = {
    point = "state",
    map = { [2] = 1, [3] = 1, [4] = 2, [5] = 2, [6] = 3, [7] = 3, [8] = 3, [9] = 255, [10] = 0 },
    default = 255,
  },
  keep_alive = {
    { fc = 16, address = 258, values = { 4 }, period_ms = 10000, unless = { standby = 4 } },
    -- Its watchdog (257, in ms; 15000 seen) wants to hear anything in time: a quarter of that, whatever else is read.
    { fc = 4, address = 5, words = 1, period_ms = 3750 },
  },
  -- Gone at power-up: written again when the charger comes back, and each half minute for one that slept unnoticed.
  setpoint = {
    fc = 16, address = 261, type = "u16", scale = 0.1, unit = "A", min = 6, max = 16, pause = 0, refresh_ms = 30000,
    verify = "current_limit",
  },
  commands = {
    start = { steps = { { limit = 16 }, { check = "current_limit", ["not"] = 0 } } },
    stop = { steps = { { pause = true }, { check = "current_limit", equals = 0 } } },
  },
  examples = {
    {
      fc = 4,
      registers = {
        [5] = 7, [6] = 158, [7] = 157, [8] = 159, [9] = 325, [10] = 231, [11] = 230, [12] = 232, [14] = 10980, [17] = 18,
        [18] = 54919,
      },
      expect = {
        status = 3, current_a = 15.8, current_c = 15.9, temperature = 32.5, voltage_b = 230, power = 10980, energy = 1234567,
      },
    },
    { fc = 4, registers = { [5] = 4, [9] = 0xFF6F }, expect = { status = 2, temperature = -14.5 } },
    { fc = 4, registers = { [5] = 2 }, expect = { status = 1 } },
    { fc = 4, registers = { [5] = 9 }, expect = { status = 255 } },
    { fc = 4, registers = { [5] = 10, [14] = 0xFFFF }, expect = { status = 0, power = false } },
    { fc = 3, registers = { [258] = 4, [261] = 160 }, expect = { standby = 4, current_limit = 16, status = 0 } },
  },
}
