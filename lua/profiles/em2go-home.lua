-- EM2GO Home, Modbus TCP, unit 255: at most three words in a request, 60 ms before each, one connection only. It falls back
-- when nothing was heard for the seconds in 89: the reads are enough, and one of them does not wait for the poll plan. Phases
-- (200) are not switched. Untested on hardware.
return {
  forecourt = 1,
  kind = "profile",
  name = "em2go-home",
  description = "EM2GO Home, one connector, three phases",
  source = "reference/chargers.md 1.1 and 1.11 (EVCC; command values: its driver), section 4 row 23",
  line = { framing = "tcp", connections = 1 },
  modbus = { max_words = 3, merge_gap = 0, gap_ms = 60, min_period_ms = 2000 },
  points = {
    state          = { address = 0, type = "u16" },
    current_a      = { address = 6, type = "u16", scale = 0.1, unit = "A", max = 100 },
    current_b      = { address = 8, type = "u16", scale = 0.1, unit = "A", max = 100 },
    current_c      = { address = 10, type = "u16", scale = 0.1, unit = "A", max = 100 },
    power          = { address = 12, type = "u32", unit = "W", max = 50000 },
    energy         = { address = 28, type = "u32", scale = 0.1, unit = "kWh" },
    failsafe_s     = { address = 89, type = "u16", unit = "s", period_ms = 60000 },
    current_limit  = { address = 91, type = "u16", scale = 0.1, unit = "A", max = 100 },
    voltage_a      = { address = 109, type = "u16", scale = 0.1, unit = "V", max = 500, period_ms = 5000 },
    voltage_b      = { address = 111, type = "u16", scale = 0.1, unit = "V", max = 500, period_ms = 5000 },
    voltage_c      = { address = 113, type = "u16", scale = 0.1, unit = "V", max = 500, period_ms = 5000 },
  },
  -- free, connected, starting, charging, end
  status = { point = "state", map = { [1] = 1, [2] = 2, [3] = 2, [4] = 3, [6] = 2 }, default = 255 },
  keep_alive = { fc = 3, address = 89, words = 1, period_ms = 5000 },
  setpoint = { fc = 16, address = 91, type = "u16", scale = 0.1, unit = "A", min = 6, max = 32, verify = "current_limit" },
  commands = {
    -- Firmware before 1.3 forgets the limit when it is switched on.
    start = { steps = { { fc = 16, address = 95, values = { 1 } }, { limit = 32 } } },
    stop = { fc = 16, address = 95, values = { 2 } },
  },
  examples = {
    {
      registers = {
        [0] = 4, [6] = 159, [8] = 158, [10] = 160, [12] = 0, [13] = 11010, [28] = 0, [29] = 12345, [89] = 60, [91] = 160,
        [109] = 2306,
      },
      expect = {
        status = 3, current_b = 15.8, power = 11010, energy = 1234.5, failsafe_s = 60, current_limit = 16, voltage_a =
        230.6,
      },
    },
    { registers = { [0] = 1 }, expect = { status = 1 } },
    { registers = { [0] = 6 }, expect = { status = 2 } },
    { registers = { [0] = 5, [12] = 0xFFFF, [13] = 0xFFFF }, expect = { status = 255, power = false } },
  },
}
