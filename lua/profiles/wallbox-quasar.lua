-- Wallbox Quasar 1, DC in both directions, Modbus TCP, unit 1: 50 ms before each request, 2.5 s of silence after a write.
-- Remote control (81) is lost when it starts anew and is taken again. When nothing is heard for the time in 88 the user has it
-- back. It counts no energy: a meter beside it does. Discharging is shown as charging. Untested on hardware.
return {
  forecourt = 1,
  kind = "profile",
  name = "wallbox-quasar",
  description = "Wallbox Quasar 1, one DC connector",
  source = "reference/chargers.md 1.1 and 1.10 (V2GL), section 4 row 35. No energy is known.",
  line = { framing = "tcp", connections = 1 },
  modbus = { max_words = 6, merge_gap = 0, gap_ms = 50, rest_ms = 2500 },
  points = {
    -- 0 user, 1 remote
    control        = { address = 81, type = "u16" },
    failsafe_s     = { address = 88, type = "u16", unit = "s", period_ms = 10000 },
    locked         = { address = 256, type = "u16" },
    power_limit    = { address = 514, type = "u16", unit = "W", period_ms = 10000 },
    power          = { address = 526, type = "s16", unit = "W", min = -10000, max = 10000 },
    state          = { address = 537, type = "u16" },
    -- 0, and sometimes 1, are false readings
    soc            = { address = 538, type = "u16", unit = "%", max = 100, invalid = { 0, 1 } },
    fault          = { address = 539, type = "u16" },
    fault_2        = { address = 540, type = "u16" },
    fault_3        = { address = 541, type = "u16" },
    fault_4        = { address = 542, type = "u16" },
  },
  status = {
    point = "state",
    -- none, charging, waiting for car, app's schedule, paused, end of schedule, locked, error, queue, not configured,
    -- queue by power boost, discharging
    map = {
      [0] = 1, [1] = 3, [2] = 2, [3] = 2, [4] = 2, [5] = 2, [6] = 0, [7] = 255, [8] = 2, [9] = 0, [10] = 2, [11] = 3,
    },
    default = 255,
  },
  keep_alive = { fc = 6, address = 81, value = 1, period_ms = 30000, unless = { control = 1 } },
  -- W, signed; only charging is asked for.
  setpoint = {
    fc = 6, address = 260, type = "s16", unit = "W", min = 1400, max = 7400,
    refresh_ms = 15000, refresh_from = "failsafe_s", refresh_share = 0.5,
  },
  commands = {
    start = {
      steps = {
        { fc = 6, address = 81, value = 1 },
        { fc = 6, address = 83, value = 1 }, -- the setpoint is in W
        { limit = 7400 },
        { fc = 6, address = 257, value = 1 },
      },
    },
    stop = { fc = 6, address = 257, value = 2 },
  },
  examples = {
    {
      registers = { [81] = 1, [88] = 60, [256] = 0, [514] = 7400, [526] = 7210, [537] = 1, [538] = 56, [539] = 0 },
      expect = { status = 3, control = 1, failsafe_s = 60, power_limit = 7400, power = 7210, soc = 56, fault = 0 },
    },
    { registers = { [526] = 0xF060, [537] = 11, [538] = 0 }, expect = { status = 3, power = -4000, soc = false } },
    { registers = { [537] = 0 }, expect = { status = 1 } },
    { registers = { [537] = 6 }, expect = { status = 0 } },
    { registers = { [537] = 7, [539] = 8 }, expect = { status = 255, fault = 8 } },
  },
}
