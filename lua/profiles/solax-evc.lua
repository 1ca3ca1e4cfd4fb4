-- SolaX X3-EVC, X1-EVC, Modbus RTU or TCP, unit 1. The order of the words of the energy depends on the firmware, and which has
-- which is not known (324 s were once read as 21233664): what is above 100 MWh is taken for a swapped one and is unknown. If
-- yours stays unknown, or is a multiple of 6553.6 kWh, copy this file and say order = "lo-hi". Untested on hardware.
return {
  forecourt = 1,
  kind = "profile",
  name = "solax-evc",
  description = "SolaX X1-EVC, X3-EVC, one connector, three phases",
  source = "reference/chargers.md 1.11 (EVCC; command values: its driver), section 4 row 36",
  line = { framing = "tcp or rtu" },
  modbus = { max_words = 18, merge_gap = 4 },
  points = {
    voltage_a      = { fc = 4, address = 0x0000, type = "u16", scale = 0.01, unit = "V", max = 500 },
    voltage_b      = { fc = 4, address = 0x0001, type = "u16", scale = 0.01, unit = "V", max = 500 },
    voltage_c      = { fc = 4, address = 0x0002, type = "u16", scale = 0.01, unit = "V", max = 500 },
    current_a      = { fc = 4, address = 0x0004, type = "u16", scale = 0.01, unit = "A", max = 100 },
    current_b      = { fc = 4, address = 0x0005, type = "u16", scale = 0.01, unit = "A", max = 100 },
    current_c      = { fc = 4, address = 0x0006, type = "u16", scale = 0.01, unit = "A", max = 100 },
    power          = { fc = 4, address = 0x000B, type = "u16", unit = "W", max = 50000 },
    energy         = { fc = 4, address = 0x0010, type = "u32", scale = 0.1, unit = "kWh", max = 100000 },
    state          = { fc = 4, address = 0x001D, type = "u16" },
    mode           = { address = 0x060D, type = "u16" },
    current_limit  = { address = 0x0628, type = "u16", scale = 0.01, unit = "A", max = 100 },
  },
  status = {
    point = "state",
    -- available, preparing, charging, finishing, faulted, unavailable, reserved, suspended by car, by charger; 11 to 13 and 17 are
    -- seen between those with a car, their names are not stated
    map = {
      [0] = 1, [1] = 2, [2] = 3, [3] = 2, [4] = 255, [5] = 0, [6] = 4, [7] = 2, [8] = 2, [11] = 2, [12] = 2, [13] = 2, [17] = 2,
    },
    default = 255,
  },
  setpoint = { fc = 6, address = 0x0628, type = "u16", scale = 0.01, unit = "A", min = 6, max = 32 },
  commands = { start = { fc = 6, address = 0x0627, value = 4 }, stop = { fc = 6, address = 0x0627, value = 3 } },
  examples = {
    {
      fc = 4,
      registers = {
        [0] = 23061, [1] = 23110, [2] = 22980, [4] = 1590, [5] = 1580, [6] = 1600, [0x0B] = 11010, [0x10] = 0, [0x11] = 12345,
        [0x1D] = 2,
      },
      expect = { status = 3, voltage_a = 230.61, current_c = 16, power = 11010, energy = 1234.5 },
    },
    { fc = 4, registers = { [0x1D] = 0 }, expect = { status = 1 } },
    -- 1234.5 kWh with its words the other way round
    { fc = 4, registers = { [0x1D] = 8, [0x10] = 12345, [0x11] = 0 }, expect = { status = 2, energy = false } },
    { fc = 4, registers = { [0x1D] = 4 }, expect = { status = 255 } },
    { fc = 3, registers = { [0x060D] = 1, [0x0628] = 1600 }, expect = { mode = 1, current_limit = 16 } },
  },
}
