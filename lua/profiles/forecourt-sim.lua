-- The simulated charger of the demo and the tests (core/sim/README.md has its register map).
return {
  forecourt = 1,
  kind = "profile",
  name = "forecourt-sim",
  description = "Simulated charger, AC or DC, up to four connectors",
  source = "core/sim/README.md",
  tested = "simulator",
  modbus = {
    max_words = 40,
    merge_gap = 8,
    deny = { { 60, 79 } },
  },
  connectors = { count = 4, stride = 100 },
  points = {
    state          = { fc = 3, address = 0, type = "u16" },
    fault          = { fc = 3, address = 1, type = "u16" },
    voltage_a      = { fc = 3, address = 2, type = "u16", scale = 0.1, unit = "V", max = 1200 },
    current_a      = { fc = 3, address = 3, type = "u16", scale = 0.1, unit = "A", max = 1000 },
    power          = { fc = 3, address = 4, type = "u32", unit = "W", max = 1000000 },
    energy         = { fc = 3, address = 6, type = "u32", scale = 0.01, unit = "kWh" },
    session_energy = { fc = 3, address = 8, type = "u32", scale = 0.01, unit = "kWh" },
    soc            = { fc = 3, address = 10, type = "u16", scale = 0.1, unit = "%", max = 100 },
    temperature    = { fc = 3, address = 11, type = "s16", scale = 0.1, unit = "degC" },
    card           = { fc = 3, address = 12, type = "text", words = 8 },
    vin            = { fc = 3, address = 28, type = "text", words = 9 },
    limit_kw       = { fc = 3, address = 38, type = "u16", scale = 0.1, unit = "kW" },
    serial         = { fc = 3, address = 20, type = "text", words = 8, shared = true, period_ms = 60000 },
  },
  status = {
    point = "state",
    map = { [0] = 1, [1] = 2, [2] = 3, [3] = 2, [4] = 4, [9] = 255 },
    default = 255,
    faults = { { point = "fault", ["not"] = 0 } },
  },
  commands = {
    start = { fc = 6, address = 40, value = 1 },
    stop  = { fc = 6, address = 40, value = 2 },
    unlock = { fc = 6, address = 40, value = 6 },
  },
  setpoint = {
    fc = 6, address = 38, type = "u16", scale = 0.1, unit = "kW", min = 1, max = 400, verify = "limit_kw",
  },
  examples = {
    { registers = { [0] = 0, [1] = 0 }, expect = { status = 1 } },
    {
      registers = { [0] = 2, [1] = 0, [2] = 4001, [3] = 1500, [4] = 0, [5] = 60000, [6] = 1, [7] = 34464, [10] = 455, [11] = 65526 },
      expect = { status = 3, voltage_a = 400.1, current_a = 150, power = 60000, energy = 1000, soc = 45.5, temperature = -1 },
    },
    { registers = { [200] = 1, [201] = 17 }, connector = 3, expect = { status = 255, fault = 17 } },
    { registers = { [10] = 2000 }, expect = { soc = false, status = 0 } },
  },
}
