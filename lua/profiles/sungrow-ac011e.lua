-- Sungrow AC011E-01, Modbus RTU or TCP through the inverter, unit 248. The low word comes first; voltages and currents of the
-- phases alternate. After a minute of silence it closes the link and falls back. The vendor's table has the limit in 0.01 A,
-- what works in the field is 0.1 A: written so, a wrong guess is a tenth of what was meant and never ten times. Untested on
-- hardware.
return {
  forecourt = 1,
  kind = "profile",
  name = "sungrow-ac011e",
  description = "Sungrow AC011E-01, one connector, three phases",
  source = "reference/chargers.md 1.1 and 1.11 (EVCC), section 4 row 32",
  line = { framing = "tcp or rtu" },
  modbus = { max_words = 18, merge_gap = 4 },
  points = {
    energy         = { fc = 4, address = 21299, type = "u32", order = "lo-hi", unit = "Wh" },
    voltage_a      = { fc = 4, address = 21301, type = "u16", scale = 0.1, unit = "V", max = 500 },
    current_a      = { fc = 4, address = 21302, type = "u16", scale = 0.1, unit = "A", max = 100 },
    voltage_b      = { fc = 4, address = 21303, type = "u16", scale = 0.1, unit = "V", max = 500 },
    current_b      = { fc = 4, address = 21304, type = "u16", scale = 0.1, unit = "A", max = 100 },
    voltage_c      = { fc = 4, address = 21305, type = "u16", scale = 0.1, unit = "V", max = 500 },
    current_c      = { fc = 4, address = 21306, type = "u16", scale = 0.1, unit = "A", max = 100 },
    power          = { fc = 4, address = 21307, type = "u32", order = "lo-hi", unit = "W", max = 50000 },
    session_energy = { fc = 4, address = 21309, type = "u32", order = "lo-hi", unit = "Wh" },
    state          = { fc = 4, address = 21316, type = "u16" },
  },
  status = {
    point = "state",
    -- idle, standby, charging, paused by pile, paused by car, done, reserved, unavailable, faulted
    map = { [1] = 1, [2] = 2, [3] = 3, [4] = 2, [5] = 2, [6] = 2, [7] = 4, [8] = 0, [9] = 255 },
    default = 255,
  },
  keep_alive = { fc = 4, address = 21316, words = 1, period_ms = 30000 },
  setpoint = { fc = 6, address = 21202, type = "u16", scale = 0.1, unit = "A", min = 6, max = 16 },
  commands = {
    -- Without being available it does not start.
    start = { steps = { { fc = 6, address = 21210, value = 1 }, { fc = 6, address = 21211, value = 0 }, { limit = 16 } } },
    stop = { fc = 6, address = 21211, value = 1 },
  },
  examples = {
    {
      registers = {
        [21299] = 0xD687, [21300] = 0x0012, [21301] = 2306, [21302] = 159, [21303] = 2311, [21304] = 158, [21305] = 2298,
        [21306] = 160, [21307] = 11010, [21308] = 0, [21309] = 4321, [21310] = 0, [21316] = 3,
      },
      expect = {
        status = 3, energy = 1234567, voltage_a = 230.6, current_b = 15.8, current_c = 16, power = 11010, session_energy = 4321,
      },
    },
    { registers = { [21316] = 1 }, expect = { status = 1 } },
    { registers = { [21316] = 4 }, expect = { status = 2 } },
    { registers = { [21316] = 9, [21307] = 0xFFFF, [21308] = 0xFFFF }, expect = { status = 255, power = false } },
  },
}
