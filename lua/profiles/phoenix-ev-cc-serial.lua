-- Phoenix Contact EV-CC-AC1-M, Modbus RTU, unit 1: no measurements, registers one by one. A meter beside it is a device of its
-- own. Line speed and parity are not stated. Untested on hardware.
return {
  forecourt = 1,
  kind = "profile",
  name = "phoenix-ev-cc-serial",
  description = "Phoenix Contact EV-CC-AC1-M (serial), one connector",
  source = "reference/chargers.md 1.1 and 1.4 (EVCC)",
  line = { framing = "rtu" },
  modbus = { single = true },
  points = {
    -- The letter is the first byte
    state          = { fc = 4, address = 24000, type = "text", words = 1, chars = 1 },
    enabled        = { fc = 1, address = 20000, type = "bool" },
    current_limit  = { address = 22000, type = "u16", unit = "A", max = 80 },
  },
  status = { point = "state", map = { A = 1, B = 2, C = 3, D = 3, E = 255, F = 255 }, default = 255 },
  setpoint = { fc = 6, address = 22000, type = "u16", unit = "A", min = 6, max = 32 },
  commands = {
    start = { steps = { { limit = 32 }, { fc = 5, address = 20000, value = 1 }, { check = "enabled", equals = 1 } } },
    stop = { steps = { { fc = 5, address = 20000, value = 0 }, { check = "enabled", equals = 0 } } },
  },
  examples = {
    { fc = 4, registers = { [24000] = 0x4331 }, expect = { state = "C", status = 3 } },
    { fc = 4, registers = { [24000] = 0x4100 }, expect = { state = "A", status = 1 } },
    { fc = 4, registers = { [24000] = 0x4600 }, expect = { status = 255 } },
    { fc = 3, registers = { [22000] = 13 }, expect = { current_limit = 13, status = 0 } },
    { fc = 1, registers = { [20000] = 1 }, expect = { enabled = 1 } },
  },
}
