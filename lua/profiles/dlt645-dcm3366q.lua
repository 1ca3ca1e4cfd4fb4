-- DC meter DCM3366Q by DL/T 645-2007: the energy is a binary number of the maker's own, the rest is BCD. Untested on hardware.
return {
  forecourt = 1,
  kind = "profile",
  name = "dlt645-dcm3366q",
  description = "DC meter DCM3366Q, DL/T 645-2007",
  source = "reference/chargers.md 1b (gdgly TCU firmware)",
  dlt645 = {},
  line = { framing = "dlt645", baud = 2400, data_bits = 8, parity = "even", stop_bits = 1, response_timeout_ms = 1000,
           byte_timeout_ms = 500 },
  points = {
    energy    = { id = 0x00D10000, type = "u32", scale = 0.001, unit = "kWh" },
    voltage_a = { id = 0x02000200, type = "sbcd", bytes = 4, scale = 0.001, unit = "V" },
    current_a = { id = 0x02000100, type = "sbcd", bytes = 4, scale = 0.0001, unit = "A" },
  },
  examples = {
    {
      data = { [0x00D10000] = 1234567, [0x02000200] = 0x00512345, [0x02000100] = 0x01205000 },
      expect = { energy = 1234.567, voltage_a = 512.345, current_a = 120.5 },
    },
    { data = { [0x00D10000] = 0 }, expect = { energy = 0, voltage_a = false } },
    { data = { [0x02000100] = 0x80000500 }, expect = { current_a = -0.05 } },
  },
}
