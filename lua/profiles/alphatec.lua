-- Alphatec wallboxes, Modbus RTU, 9600 baud 8N1, unit 1; the maker asks for about 60 ms before each request. It measures
-- nothing: a meter beside it does. That 0 A pauses is IEC 61851 (below 6 A nothing is offered), not stated there. Untested on
-- hardware.
return {
  forecourt = 1,
  kind = "profile",
  name = "alphatec",
  description = "Alphatec Xline, Mini, one connector",
  source = "reference/chargers.md 1.1 and 1.11 (EVCC), section 4 row 18. No measurements.",
  line = { framing = "rtu", baud = 9600, parity = "none", stop_bits = 1 },
  modbus = { max_words = 1, merge_gap = 0, gap_ms = 60 },
  points = {
    -- 1 A, 2 and 8 B, 3 C
    state          = { address = 0, type = "u16" },
    current_limit  = { address = 5, type = "u16", unit = "A", max = 80 },
  },
  status = { point = "state", map = { [1] = 1, [2] = 2, [3] = 3, [8] = 2 }, default = 255 },
  setpoint = { fc = 16, address = 5, type = "u16", unit = "A", min = 6, max = 32, pause = 0, verify = "current_limit" },
  commands = {
    start = { steps = { { limit = 32 }, { check = "current_limit", ["not"] = 0 } } },
    stop = { steps = { { pause = true }, { check = "current_limit", equals = 0 } } },
  },
  examples = {
    { registers = { [0] = 3, [5] = 16 }, expect = { status = 3, current_limit = 16 } },
    { registers = { [0] = 8 }, expect = { status = 2 } },
    { registers = { [0] = 1, [5] = 0xFFFF }, expect = { status = 1, current_limit = false } },
    { registers = { [0] = 4 }, expect = { status = 255 } },
  },
}
