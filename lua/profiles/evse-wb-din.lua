-- EVSE-WB-DIN, SimpleEVSE-WB and the wallboxes built on them, Modbus RTU, 9600 baud 8N1, unit 1; 200 ms before each request.
-- It measures nothing: a meter beside it does. Registers from 2000 on lie in a memory that wears: never written. Untested on
-- hardware.
return {
  forecourt = 1,
  kind = "profile",
  name = "evse-wb-din",
  description = "EVSE-WB-DIN, SimpleEVSE-WB, one connector",
  source = "reference/chargers.md 1.1 and 1.11 (EVCC). No measurements.",
  line = { framing = "rtu", baud = 9600, parity = "none", stop_bits = 1 },
  modbus = { max_words = 6, merge_gap = 1, gap_ms = 200, deny_write = { { 2000, 2099 } } },
  points = {
    current_limit  = { address = 1000, type = "u16", unit = "A", max = 80 },
    -- 1 A, 2 B, 3 and 4 C
    state          = { address = 1002, type = "u16" },
    firmware       = { address = 1005, type = "u16", period_ms = 60000 },
  },
  status = { point = "state", map = { 1, 2, 3, 3 }, default = 255 },
  setpoint = { fc = 16, address = 1000, type = "u16", unit = "A", min = 6, max = 32, pause = 0, verify = "current_limit" },
  commands = {
    start = { steps = { { limit = 32 }, { check = "current_limit", ["not"] = 0 } } },
    stop = { steps = { { pause = true }, { check = "current_limit", equals = 0 } } },
  },
  examples = {
    { registers = { [1000] = 16, [1002] = 3, [1005] = 17 }, expect = { status = 3, current_limit = 16, firmware = 17 } },
    { registers = { [1000] = 0, [1002] = 1 }, expect = { status = 1, current_limit = 0 } },
    { registers = { [1000] = 0xFFFF, [1002] = 5 }, expect = { status = 255, current_limit = false } },
  },
}
