-- Delta AC Max and Delta DC chargers, Modbus RTU (115200 baud) or TCP, unit 1: EVSE n lies n * 1000 further. What a model does
-- not have it refuses: those points are optional. Its time limit (201 on, 202 seconds, 203 W to fall back to) is set on site
-- and only read here. Native state (+1) is not on every model: the state is taken from +0. Untested on hardware.
return {
  forecourt = 1,
  kind = "profile",
  name = "delta",
  description = "Delta AC Max, DC Wallbox, Ultra Fast, up to four connectors",
  source = "reference/chargers.md 1.1 and 1.10 (EVCC, and the capture in evcc-io/evcc#14890), section 4 row 28",
  line = { framing = "tcp or rtu", baud = 115200 },
  modbus = { max_words = 20, merge_gap = 0 },
  connectors = { count = 4, stride = 1000 },
  groups = { output = { optional = true }, session = { optional = true } },
  points = {
    -- 0 not ready, 1 operational, 10 faulted, 255 silent
    station_state  = { fc = 4, address = 100, type = "u16", shared = true },
    serial         = { fc = 4, address = 110, type = "text", words = 20, shared = true, optional = true, period_ms = 60000 },
    failsafe_on    = { address = 201, type = "u16", shared = true, optional = true, period_ms = 10000 },
    failsafe_s     = { address = 202, type = "u16", unit = "s", shared = true, optional = true, period_ms = 10000 },
    state          = { fc = 4, address = 1000, type = "u16" },
    voltage_a      = { fc = 4, address = 1003, type = "f32", unit = "V", max = 1200, group = "output" },
    power          = { fc = 4, address = 1005, type = "u32", unit = "W", max = 1000000 },
    current_a      = { fc = 4, address = 1007, type = "f32", unit = "A", group = "output" },
    soc            = { fc = 4, address = 1011, type = "u16", scale = 0.1, unit = "%", max = 100, group = "session" },
    session_time   = { fc = 4, address = 1017, type = "u32", unit = "s", group = "session" },
    session_energy = { fc = 4, address = 1019, type = "u32", unit = "Wh", group = "session" },
    power_limit    = { address = 1600, type = "u32", unit = "W", optional = true },
    paused         = { address = 1602, type = "u16", optional = true },
  },
  status = {
    point = "state",
    -- unavailable, available, occupied, preparing, charging, finishing, suspended by car, by charger, not ready, faulted
    map = { [0] = 0, [1] = 1, [2] = 2, [3] = 2, [4] = 3, [5] = 2, [6] = 2, [7] = 2, [8] = 0, [9] = 255 },
    default = 255,
    faults = { { point = "station_state", equals = 10 } },
  },
  -- The most is what is installed (200 kW is a guess), the least is one too.
  setpoint = {
    fc = 16, address = 1600, type = "u32", unit = "W", min = 1400, max = 200000,
    refresh_ms = 15000, refresh_from = "failsafe_s", refresh_share = 0.5,
    verify = "power_limit",
  },
  commands = {
    start = { fc = 16, address = 1602, values = { 0 } },
    stop = { fc = 16, address = 1602, values = { 1 } },
  },
  examples = {
    {
      fc = 4,
      registers = {
        [100] = 1, [2000] = 4, [2003] = 0x43C8, [2004] = 0x2666, [2005] = 0, [2006] = 60000, [2007] = 0x4316, [2008] = 0,
        [2011] = 455, [2017] = 0, [2018] = 600, [2019] = 0, [2020] = 10000,
      },
      connector = 2,
      expect = {
        status = 3, station_state = 1, voltage_a = 400.3, power = 60000, current_a = 150, soc = 45.5, session_time = 600,
        session_energy = 10000,
      },
    },
    { fc = 4, registers = { [1000] = 7 }, expect = { status = 2 } },
    { fc = 4, registers = { [100] = 1, [1000] = 1 }, expect = { status = 1 } },
    { fc = 4, registers = { [100] = 10, [1000] = 1 }, expect = { status = 255 } },
    { fc = 4, registers = { [1000] = 0, [1003] = 0x7FC0, [1004] = 0 }, expect = { status = 0, voltage_a = false } },
    { fc = 3, registers = { [201] = 1, [202] = 60, [1602] = 1 }, expect = { failsafe_s = 60, paused = 1 } },
  },
}
