-- A three-phase AC meter by DL/T 645-2007, as it stands in most Chinese chargers: 2400 8E1, its own line or its own bus section with
-- framing 'dlt645'. Untested on hardware.
-- Each value is a read of its own; at 2400 baud one takes about a fifth of a second, so that what orders are not made of comes seldom.
return {
  forecourt = 1,
  kind = "profile",
  name = "dlt645-ac",
  description = "AC meter, DL/T 645-2007",
  source = "reference/chargers.md 1b (gdgly TCU firmware, id table of coyool/XXOO_000); phases B and C by the standard",
  dlt645 = {},
  line = { framing = "dlt645", baud = 2400, data_bits = 8, parity = "even", stop_bits = 1, response_timeout_ms = 1000,
           byte_timeout_ms = 500 },
  points = {
    energy        = { id = 0x00010000, type = "bcd", bytes = 4, scale = 0.01, unit = "kWh" },
    -- by period: sharp, peak, flat, valley
    energy_sharp  = { id = 0x00010100, type = "bcd", bytes = 4, scale = 0.01, unit = "kWh", period_ms = 60000, optional = true },
    energy_peak   = { id = 0x00010200, type = "bcd", bytes = 4, scale = 0.01, unit = "kWh", period_ms = 60000, optional = true },
    energy_flat   = { id = 0x00010300, type = "bcd", bytes = 4, scale = 0.01, unit = "kWh", period_ms = 60000, optional = true },
    energy_valley = { id = 0x00010400, type = "bcd", bytes = 4, scale = 0.01, unit = "kWh", period_ms = 60000, optional = true },
    voltage_a     = { id = 0x02010100, type = "bcd", bytes = 2, scale = 0.1, unit = "V", period_ms = 5000 },
    voltage_b     = { id = 0x02010200, type = "bcd", bytes = 2, scale = 0.1, unit = "V", period_ms = 5000, optional = true },
    voltage_c     = { id = 0x02010300, type = "bcd", bytes = 2, scale = 0.1, unit = "V", period_ms = 5000, optional = true },
    current_a     = { id = 0x02020100, type = "sbcd", bytes = 3, scale = 0.001, unit = "A", period_ms = 5000 },
    current_b     = { id = 0x02020200, type = "sbcd", bytes = 3, scale = 0.001, unit = "A", period_ms = 5000, optional = true },
    current_c     = { id = 0x02020300, type = "sbcd", bytes = 3, scale = 0.001, unit = "A", period_ms = 5000, optional = true },
    power         = { id = 0x02030000, type = "sbcd", bytes = 3, scale = 0.1, unit = "W" },
  },
  examples = {
    {
      data = {
        [0x00010000] = 0x00123456, [0x00010100] = 0x00000150, [0x02010100] = 0x2204, [0x02020100] = 0x032015,
        [0x02030000] = 0x070512,
      },
      expect = { energy = 1234.56, energy_sharp = 1.5, voltage_a = 220.4, current_a = 32.015, power = 7051.2, voltage_b = false },
    },
    -- the highest bit is the sign: energy flows back
    { data = { [0x02030000] = 0x800100 }, expect = { power = -10 } },
    -- a digit that is none is no value
    { data = { [0x02010100] = 0x22F4 }, expect = { voltage_a = false } },
  },
}
