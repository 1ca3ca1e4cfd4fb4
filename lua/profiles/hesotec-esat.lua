-- Hesotec eSat, Modbus TCP, unit 1. Its table has the power in mW, the driver it was read from takes it for W: so it is worked
-- out of voltages and currents, and the register is shown as it is. It counts the energy of the session. Untested on hardware.
return {
  forecourt = 1,
  kind = "profile",
  name = "hesotec-esat",
  description = "Hesotec eSat, eBox, one connector, three phases",
  source = "reference/chargers.md 1.11 (EVCC). No total energy is known.",
  line = { framing = "tcp" },
  modbus = { max_words = 30, merge_gap = 8 },
  points = {
    firmware       = { address = 0x0010, type = "text", words = 3, optional = true, period_ms = 60000 },
    paused         = { address = 0x1002, type = "u16" },
    current_limit  = { address = 0x1003, type = "u16", unit = "A", max = 100 },
    temperature    = { address = 0x4000, type = "s16", unit = "degC" },
    voltage_a      = { address = 0x4001, type = "u16", unit = "V", max = 500 },
    voltage_b      = { address = 0x4002, type = "u16", unit = "V", max = 500 },
    voltage_c      = { address = 0x4003, type = "u16", unit = "V", max = 500 },
    current_a      = { address = 0x4004, type = "u32", scale = 0.001, unit = "A", max = 100 },
    current_b      = { address = 0x4006, type = "u32", scale = 0.001, unit = "A", max = 100 },
    current_c      = { address = 0x4008, type = "u32", scale = 0.001, unit = "A", max = 100 },
    power          = {
      address = 0x4001, type = "raw", words = 9, unit = "W", max = 50000,
      hook = function(raw)
        local sum = 0
        for phase = 0, 2 do
          sum = sum + raw[1 + phase] * (raw[4 + 2 * phase] << 16 | raw[5 + 2 * phase])
        end
        return sum / 1000
      end,
    },
    power_raw      = { address = 0x400A, type = "u32" },
    -- The letter is the first byte
    state          = { address = 0x4018, type = "text", words = 1, chars = 1 },
    session_time   = { address = 0x401A, type = "u32", unit = "s" },
    session_energy = { address = 0x401C, type = "u32", unit = "Wh" },
  },
  status = { point = "state", map = { A = 1, B = 2, C = 3, D = 3, E = 255, F = 255 }, default = 255 },
  setpoint = { fc = 16, address = 0x1003, type = "u16", unit = "A", min = 6, max = 32 },
  commands = {
    start = { steps = { { limit = 32 }, { fc = 16, address = 0x1002, values = { 0 } }, { check = "paused", equals = 0 } } },
    stop = { steps = { { fc = 16, address = 0x1002, values = { 1 } }, { check = "paused", equals = 1 } } },
  },
  examples = {
    {
      registers = {
        [0x1002] = 0, [0x1003] = 16, [0x4000] = 28, [0x4001] = 230, [0x4002] = 231, [0x4003] = 229, [0x4004] = 0,
        [0x4005] = 16000, [0x4006] = 0, [0x4007] = 16000, [0x4008] = 0, [0x4009] = 0, [0x400A] = 0, [0x400B] = 7376,
        [0x4018] = 0x4320, [0x401A] = 0, [0x401B] = 900, [0x401C] = 0, [0x401D] = 4321,
      },
      expect = {
        state = "C", status = 3, temperature = 28, voltage_b = 231, current_a = 16, power = 7376, power_raw = 7376,
        session_time = 900, session_energy = 4321, paused = 0,
      },
    },
    { registers = { [0x4018] = 0x4100 }, expect = { status = 1 } },
    { registers = { [0x4018] = 0x4600, [0x4004] = 0xFFFF, [0x4005] = 0xFFFF }, expect = { status = 255, current_a = false } },
  },
}
