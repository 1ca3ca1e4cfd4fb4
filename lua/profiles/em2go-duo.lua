-- EM2GO Duo, Modbus TCP, unit 255. Both connectors' states stand in one register: the low byte is the first's, the high byte the
-- second's. One connection only. It is only read here: the limit's register (c * 256 + 44) has no stated scale, and another account
-- puts the second connector 100 further than the first, with the Home's registers. Untested on hardware.
return {
  forecourt = 1,
  kind = "profile",
  name = "em2go-duo",
  description = "EM2GO Duo, two connectors",
  source = "reference/chargers.md 1.1 and 1.11 (EVCC), section 4 row 23; states and scales are those of the EM2GO Home",
  line = { framing = "tcp", connections = 1 },
  -- The vendor's document: three words in a request at most, else exception 4. 60 ms before each.
  modbus = { max_words = 3, merge_gap = 0, gap_ms = 60, min_period_ms = 2000 },
  connectors = { count = 2, stride = 256 },
  points = {
    -- 1 free, 2 connected, 3 starting, 4 charging, 6 end. The hook takes the connector's byte: shift_stride = 8 would too.
    state          = {
      address = 56, type = "u16", stride = 0,
      hook = function(raw, _, connector) return raw >> 8 * (connector - 1) & 0xFF end,
    },
    current_a      = { address = 256, type = "u16", scale = 0.1, unit = "A", max = 100 },
    current_b      = { address = 258, type = "u16", scale = 0.1, unit = "A", max = 100 },
    current_c      = { address = 260, type = "u16", scale = 0.1, unit = "A", max = 100 },
    voltage_a      = { address = 262, type = "u16", scale = 0.1, unit = "V", max = 500, period_ms = 5000 },
    voltage_b      = { address = 264, type = "u16", scale = 0.1, unit = "V", max = 500, period_ms = 5000 },
    voltage_c      = { address = 266, type = "u16", scale = 0.1, unit = "V", max = 500, period_ms = 5000 },
    power          = { address = 280, type = "u32", unit = "W", max = 50000 },
    energy         = { address = 284, type = "u32", scale = 0.1, unit = "kWh" },
  },
  status = { point = "state", map = { [1] = 1, [2] = 2, [3] = 2, [4] = 3, [6] = 2 }, default = 255 },
  examples = {
    {
      registers = { [56] = 0x0104, [262] = 2306, [280] = 0, [281] = 11040, [284] = 0, [285] = 12345 },
      expect = { state = 4, status = 3, voltage_a = 230.6, power = 11040, energy = 1234.5 },
    },
    { connector = 2, registers = { [56] = 0x0104, [536] = 0, [537] = 0 }, expect = { state = 1, status = 1, power = 0 } },
    { connector = 2, registers = { [56] = 0x0901 }, expect = { state = 9, status = 255 } },
  },
}
