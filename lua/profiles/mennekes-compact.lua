-- Mennekes Amtron Compact 2.0s and Kostal Enector, Modbus RTU, 57600 baud 8N2, unit 50. Untested on hardware.
return {
  forecourt = 1,
  kind = "profile",
  name = "mennekes-compact",
  description = "Mennekes Amtron Compact 2.0s, one connector, three phases",
  source = "reference/chargers.md 1.1 and 1.7 (EVCC)",
  line = { framing = "rtu", baud = 57600, parity = "none", stop_bits = 2 },
  modbus = { max_words = 8, merge_gap = 0 },
  points = {
    layout         = { address = 0x0000, type = "u16", period_ms = 60000 },
    firmware       = { address = 0x0001, type = "text", words = 8, period_ms = 60000 },
    serial         = { address = 0x0013, type = "text", words = 8, period_ms = 60000 },
    -- 1 idle; 2, 3, 4 connected; 5 charging; 6 error
    state          = { address = 0x0100, type = "u16" },
    pilot          = { address = 0x0108, type = "u16" },
    current_limit  = { address = 0x0302, type = "f32", unit = "A" },
    current_a      = { address = 0x0500, type = "f32", unit = "A", max = 100 },
    current_b      = { address = 0x0502, type = "f32", unit = "A", max = 100 },
    current_c      = { address = 0x0504, type = "f32", unit = "A", max = 100 },
    voltage_a      = { address = 0x0506, type = "f32", unit = "V", max = 500 },
    voltage_b      = { address = 0x0508, type = "f32", unit = "V", max = 500 },
    voltage_c      = { address = 0x050A, type = "f32", unit = "V", max = 500 },
    power          = { address = 0x0512, type = "f32", unit = "W", max = 50000 },
    session_energy = { address = 0x0B02, type = "f32", unit = "kWh" },
    session_time   = { address = 0x0B04, type = "u32", unit = "s" },
    release        = { address = 0x0D05, type = "u16" },
    energy         = { address = 0x1000, type = "f32", unit = "kWh", min = 0 },
  },
  status = { point = "state", map = { [1] = 1, [2] = 2, [3] = 2, [4] = 2, [5] = 3, [6] = 255 }, default = 255 },
  keep_alive = { fc = 6, address = 0x0D00, value = 0x55AA, period_ms = 5000 },
  -- The range is not stated there: 6 A is IEC 61851's least; put in what is installed as the most.
  setpoint = { fc = 16, address = 0x0302, type = "f32", unit = "A", min = 6, max = 32, pause = 0 },
  commands = {
    -- An error is cleared by a limit of 0 and the release after it.
    clear = { steps = { { pause = true }, { fc = 6, address = 0x0D05, value = 1 } } },
    start = { steps = { { limit = 32 }, { fc = 6, address = 0x0D05, value = 1 } } },
    stop  = { fc = 6, address = 0x0D05, value = 0 },
  },
  examples = {
    {
      registers = {
        [0x0100] = 5, [0x0302] = 0x4180, [0x0303] = 0, [0x0500] = 0x4178, [0x0501] = 0, [0x0506] = 0x4366,
        [0x0507] = 0x8000, [0x0512] = 0x462C, [0x0513] = 0x8000, [0x0B04] = 1, [0x0B05] = 0, [0x1000] = 0x449A,
        [0x1001] = 0x5000,
      },
      expect = {
        status = 3, current_limit = 16, current_a = 15.5, voltage_a = 230.5, power = 11040, session_time = 65536,
        energy = 1234.5,
      },
    },
    { registers = { [0x0100] = 1 }, expect = { status = 1 } },
    { registers = { [0x0100] = 6 }, expect = { status = 255 } },
  },
}
