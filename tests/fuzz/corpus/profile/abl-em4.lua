-- ABL eM4 (single and twin), Modbus TCP, unit 255; connector n lies n - 1 times 0x100 further. Untested on hardware.
return {
  forecourt = 1,
  kind = "profile",
  name = "abl-em4",
  description = "ABL eM4 Single, eM4 Twin, two connectors, three phases",
  source = "reference/chargers.md 1.11 (EVCC; states as its eMH1's)",
  line = { framing = "tcp" },
  modbus = { max_words = 6, merge_gap = 0 },
  connectors = { count = 2, stride = 0x100 },
  points = {
    current_a      = { address = 0x3001, type = "u32", scale = 0.1, unit = "A", max = 100 },
    current_b      = { address = 0x3003, type = "u32", scale = 0.1, unit = "A", max = 100 },
    current_c      = { address = 0x3005, type = "u32", scale = 0.1, unit = "A", max = 100 },
    voltage_a      = { address = 0x3007, type = "u32", scale = 0.1, unit = "V", max = 500 },
    voltage_b      = { address = 0x3009, type = "u32", scale = 0.1, unit = "V", max = 500 },
    voltage_c      = { address = 0x300B, type = "u32", scale = 0.1, unit = "V", max = 500 },
    power          = { address = 0x300D, type = "u32", unit = "W", max = 50000 },
    energy         = { address = 0x300F, type = "u32", scale = 0.01, unit = "kWh" },
    -- Low byte: the letter and its number
    state          = { address = 0x3031, type = "u16", mask = 0xFF },
    current_limit  = { address = 0x3032, type = "u16", scale = 0.1, unit = "A", max = 100 },
  },
  status = {
    point = "state",
    map = {
      [0xA1] = 1, [0xB1] = 2, [0xB2] = 2, [0xC2] = 3, [0xC3] = 3, [0xC4] = 3, [0xE0] = 0, [0xE1] = 0, [0xE2] = 0, [0xE3] = 0,
    },
    default = 255,
  },
  setpoint = {
    fc = 16, address = 0x3032, type = "u16", scale = 0.1, unit = "A", min = 6, max = 32, pause = 0,
    verify = "current_limit",
  },
  commands = {
    start = { steps = { { limit = 32 }, { check = "current_limit", ["not"] = 0 } } },
    stop = { steps = { { pause = true }, { check = "current_limit", equals = 0 } } },
  },
  examples = {
    {
      registers = {
        [0x3001] = 0, [0x3002] = 159, [0x3007] = 0, [0x3008] = 2306, [0x300D] = 0, [0x300E] = 11010, [0x300F] = 1,
        [0x3010] = 57920, [0x3031] = 0x00C2, [0x3032] = 160,
      },
      expect = {
        state = 0xC2, status = 3, current_a = 15.9, voltage_a = 230.6, power = 11010, energy = 1234.56, current_limit = 16,
      },
    },
    { connector = 2, registers = { [0x3131] = 0x00A1, [0x3132] = 0 }, expect = { status = 1, current_limit = 0 } },
    { connector = 2, registers = { [0x3131] = 0x00F9, [0x310D] = 0xFFFF, [0x310E] = 0 }, expect = { status = 255, power = false } },
  },
}
