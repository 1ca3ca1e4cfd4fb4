-- Phoenix Contact EV-CC-AC1 with Ethernet ("ETH"), Modbus TCP, unit 255; DIP switch 10 on. The low word comes first. Wallboxes
-- of Wallbe have the same controller with another firmware: see wallbe-eco. The card (606) is personal data. Untested on
-- hardware.
return {
  forecourt = 1,
  kind = "profile",
  name = "phoenix-ev-cc-eth",
  description = "Phoenix Contact EV-CC-AC1 ETH, one connector, three phases",
  source = "reference/chargers.md 1.1 and 1.4 (EVCC)",
  line = { framing = "tcp" },
  modbus = { max_words = 6, merge_gap = 0 },
  points = {
    -- The letter is the second byte
    state          = { fc = 4, address = 100, type = "text", words = 1, skip = 1, chars = 1 },
    session_time   = { fc = 4, address = 102, type = "u32", order = "lo-hi", unit = "s" },
    firmware       = { fc = 4, address = 105, type = "text", words = 2, swap = true, optional = true, period_ms = 60000 },
    voltage_a      = { fc = 4, address = 108, type = "s32", order = "lo-hi", unit = "V", max = 500 },
    voltage_b      = { fc = 4, address = 110, type = "s32", order = "lo-hi", unit = "V", max = 500 },
    voltage_c      = { fc = 4, address = 112, type = "s32", order = "lo-hi", unit = "V", max = 500 },
    current_a      = { fc = 4, address = 114, type = "s32", order = "lo-hi", unit = "A", max = 100 },
    current_b      = { fc = 4, address = 116, type = "s32", order = "lo-hi", unit = "A", max = 100 },
    current_c      = { fc = 4, address = 118, type = "s32", order = "lo-hi", unit = "A", max = 100 },
    power          = { fc = 4, address = 120, type = "s32", order = "lo-hi", unit = "W", max = 50000 },
    enabled        = { fc = 1, address = 400, type = "bool" },
    current_limit  = { address = 528, type = "u16", unit = "A", max = 80 },
    energy         = { address = 904, type = "u32", order = "lo-hi", unit = "Wh" },
  },
  status = { point = "state", map = { A = 1, B = 2, C = 3, D = 3, E = 255, F = 255 }, default = 255 },
  setpoint = { fc = 6, address = 528, type = "u16", unit = "A", min = 6, max = 32, verify = "current_limit" },
  -- It pauses by its coil, not by a limit of 0.
  commands = {
    start = { steps = { { limit = 32 }, { fc = 5, address = 400, value = 1 }, { check = "enabled", equals = 1 } } },
    stop = { steps = { { fc = 5, address = 400, value = 0 }, { check = "enabled", equals = 0 } } },
  },
  examples = {
    {
      fc = 4,
      registers = {
        [100] = 0x0043, [102] = 3600, [103] = 0, [105] = 0x2E31, [106] = 0x3332, [108] = 231, [109] = 0, [114] = 16,
        [115] = 0, [120] = 11040, [121] = 0,
      },
      expect = {
        state = "C", status = 3, session_time = 3600, voltage_a = 231, current_a = 16, power = 11040, firmware = "1.23",
      },
    },
    { fc = 3, registers = { [528] = 16, [904] = 0xD687, [905] = 0x0012 }, expect = { current_limit = 16, energy = 1234567 } },
    { fc = 4, registers = { [100] = 0x0041 }, expect = { state = "A", status = 1 } },
    { fc = 4, registers = { [100] = 0x0046, [120] = 0xFFFF, [121] = 0x7FFF }, expect = { status = 255, power = false } },
  },
}
