-- Raedian NEO wallbox, Modbus RTU or TCP, unit 1: the layout of the ABB Terra AC at 0x8xxx. Only what the source names is
-- read. Register 0x8105 starts and stops sessions too, but its stop ends the session for good: guarded. Untested on hardware.
return {
  forecourt = 1,
  kind = "profile",
  name = "raedian-neo",
  description = "Raedian NEO, one connector, three phases",
  source = "reference/chargers.md 1.2 (EVCC). No total energy is known.",
  line = { framing = "tcp or rtu" },
  modbus = { max_words = 6, merge_gap = 0, deny_write = { { 0x8105, 0x8105 } } },
  points = {
    -- Third byte, without its bit 7
    state          = { address = 0x800C, type = "u32", shift = 8, mask = 0x7F },
    current_a      = { address = 0x8010, type = "u32", scale = 0.001, unit = "A", max = 100 },
    current_b      = { address = 0x8012, type = "u32", scale = 0.001, unit = "A", max = 100 },
    current_c      = { address = 0x8014, type = "u32", scale = 0.001, unit = "A", max = 100 },
    voltage_a      = { address = 0x8016, type = "u32", scale = 0.1, unit = "V", max = 500 },
    voltage_b      = { address = 0x8018, type = "u32", scale = 0.1, unit = "V", max = 500 },
    voltage_c      = { address = 0x801A, type = "u32", scale = 0.1, unit = "V", max = 500 },
    power          = { address = 0x801C, type = "u32", unit = "W", max = 50000 },
    session_energy = { address = 0x801E, type = "u32", unit = "Wh" },
  },
  -- idle, B1 not authorised, B2 ready, C1 no PWM, C2 delivering, session stopped
  status = { point = "state", map = { [0] = 1, [1] = 2, [2] = 2, [3] = 2, [4] = 3, [5] = 2 }, default = 255 },
  setpoint = { fc = 16, address = 0x8100, type = "u32", scale = 0.001, unit = "A", min = 6, max = 32, pause = 0 },
  -- As the ABB it falls back when it hears nothing, whatever else is polled.
  keep_alive = { fc = 3, address = 0x800C, words = 2, period_ms = 15000 },
  commands = { start = { limit = 32 }, stop = { pause = true } },
  examples = {
    {
      registers = {
        [0x800C] = 0, [0x800D] = 0x8400, [0x8010] = 0, [0x8011] = 15950, [0x8016] = 0, [0x8017] = 2304, [0x801C] = 0,
        [0x801D] = 10980, [0x801E] = 0, [0x801F] = 4321,
      },
      expect = { status = 3, state = 4, current_a = 15.95, voltage_a = 230.4, power = 10980, session_energy = 4321 },
    },
    { registers = { [0x800C] = 0, [0x800D] = 0 }, expect = { status = 1 } },
    { registers = { [0x800C] = 0, [0x800D] = 0x0500 }, expect = { status = 2 } },
    { registers = { [0x801C] = 0xFFFF, [0x801D] = 0xFFFF }, expect = { power = false, status = 0 } },
  },
}
