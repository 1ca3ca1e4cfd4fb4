-- FoxESS EV charger, Modbus TCP (protocol 1.6), unit 1: what is read and written is written by function 16, commands by 6. A
-- limit is good for the seconds in 0x3005 (10 to 60): then it goes to the MOST it can, so it is written again at half of them,
-- and of the least while they are not known. The fallback current (0x3006) is set on site. Untested on hardware.
return {
  forecourt = 1,
  kind = "profile",
  name = "foxess-evc",
  description = "FoxESS A-series EV charger, one connector, three phases",
  source = "reference/chargers.md 1.1 and 1.11 (EVCC), section 4 row 31",
  line = { framing = "tcp" },
  modbus = { max_words = 30, merge_gap = 4 },
  points = {
    state          = { address = 0x1003, type = "u16" },
    temperature    = { address = 0x1006, type = "u16", scale = 0.1, offset = -50, unit = "degC" },
    voltage_a      = { address = 0x1008, type = "u16", scale = 0.1, unit = "V", max = 500 },
    voltage_b      = { address = 0x1009, type = "u16", scale = 0.1, unit = "V", max = 500 },
    voltage_c      = { address = 0x100A, type = "u16", scale = 0.1, unit = "V", max = 500 },
    current_a      = { address = 0x100B, type = "u16", scale = 0.1, unit = "A", max = 100 },
    current_b      = { address = 0x100C, type = "u16", scale = 0.1, unit = "A", max = 100 },
    current_c      = { address = 0x100D, type = "u16", scale = 0.1, unit = "A", max = 100 },
    power          = { address = 0x100E, type = "u16", scale = 100, unit = "W", max = 50000 },
    alarm          = { address = 0x1015, type = "u16" },
    energy         = { address = 0x1016, type = "u32", scale = 0.1, unit = "kWh" },
    session_energy = { address = 0x1018, type = "u32", scale = 0.1, unit = "kWh" },
    fault          = { address = 0x101A, type = "u32" },
    serial         = { address = 0x1022, type = "text", words = 16, optional = true, period_ms = 60000 },
    power_limit    = { address = 0x3002, type = "u16", scale = 0.1, unit = "kW" },
    failsafe_s     = { address = 0x3005, type = "u16", unit = "s" },
  },
  status = {
    point = "state",
    -- idle, plugged, starting, charging, pause, finish, fault, locked, switching phases
    map = { [0] = 1, [1] = 2, [2] = 2, [3] = 3, [4] = 2, [5] = 2, [6] = 255, [8] = 0, [9] = 2 },
    default = 255,
    faults = { { point = "fault", ["not"] = 0 } },
  },
  -- Below 1.4 kW it pauses.
  setpoint = {
    fc = 16, address = 0x3002, type = "u16", scale = 0.1, unit = "kW", min = 1.4, max = 22, pause = 0, safe = 22,
    refresh_ms = 5000, refresh_from = "failsafe_s", refresh_share = 0.5,
  },
  commands = { start = { fc = 6, address = 0x4001, value = 1 }, stop = { fc = 6, address = 0x4001, value = 2 } },
  examples = {
    {
      registers = {
        [0x1003] = 3, [0x1006] = 755, [0x1008] = 2306, [0x100B] = 159, [0x100E] = 110, [0x1015] = 0, [0x1016] = 0,
        [0x1017] = 12345, [0x1018] = 0, [0x1019] = 43, [0x101A] = 0, [0x101B] = 0, [0x3002] = 110, [0x3005] = 60,
      },
      expect = {
        status = 3, temperature = 25.5, voltage_a = 230.6, current_a = 15.9, power = 11000, energy = 1234.5, session_energy = 4.3,
        power_limit = 11, failsafe_s = 60,
      },
    },
    { registers = { [0x1003] = 0, [0x101A] = 0, [0x101B] = 0 }, expect = { status = 1 } },
    { registers = { [0x1003] = 1, [0x101A] = 0, [0x101B] = 4 }, expect = { status = 255, fault = 4 } },
    { registers = { [0x1003] = 8 }, expect = { status = 0 } },
    { registers = { [0x1008] = 0xFFFF, [0x1003] = 4 }, expect = { status = 2, voltage_a = false } },
  },
}
