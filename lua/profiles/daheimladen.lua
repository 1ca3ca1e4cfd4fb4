-- DaheimLaden and DaheimLaden Touch, Modbus TCP, unit 255: a second of silence after each command. Paused it stays in state 4:
-- below 6 A it is shown as occupied. A limit of 0 would let it start by itself again, so the pause is 0.1 A. It falls back
-- when nothing was heard for the seconds in 89. The card (54) is personal data. Untested on hardware.
return {
  forecourt = 1,
  kind = "profile",
  name = "daheimladen",
  description = "DaheimLaden, one connector, three phases",
  source = "reference/chargers.md 1.1 and 1.11 (EVCC), section 4 row 34",
  line = { framing = "tcp" },
  modbus = { max_words = 6, merge_gap = 1, rest_ms = 1000 },
  points = {
    -- 7 is ours: 4 while it is held
    state          = {
      address = 0, type = "u16",
      hook = function(raw, get) return raw == 4 and (get("current_limit") or 6) < 6 and 7 or raw end,
    },
    current_a      = { address = 6, type = "u16", scale = 0.1, unit = "A", max = 100 },
    current_b      = { address = 8, type = "u16", scale = 0.1, unit = "A", max = 100 },
    current_c      = { address = 10, type = "u16", scale = 0.1, unit = "A", max = 100 },
    power          = { address = 12, type = "u32", unit = "W", max = 50000 },
    energy         = { address = 28, type = "u32", scale = 0.1, unit = "kWh" },
    session_energy = { address = 72, type = "u16", scale = 0.1, unit = "kWh", optional = true },
    session_time   = { address = 78, type = "u32", unit = "s", optional = true },
    failsafe_s     = { address = 89, type = "u16", unit = "s", period_ms = 60000 },
    current_limit  = { address = 91, type = "u16", scale = 0.1, unit = "A", max = 100 },
    voltage_a      = { address = 109, type = "u16", scale = 0.1, unit = "V", max = 500 },
    voltage_b      = { address = 111, type = "u16", scale = 0.1, unit = "V", max = 500 },
    voltage_c      = { address = 113, type = "u16", scale = 0.1, unit = "V", max = 500 },
  },
  -- A, B1, B2, C, start failed, ended by the charger, held, updating
  status = { point = "state", map = { [1] = 1, [2] = 2, [3] = 2, [4] = 3, [5] = 2, [6] = 2, [7] = 2, [9] = 0 }, default = 255 },
  keep_alive = { fc = 3, address = 87, words = 1, period_ms = 5000 },
  setpoint = {
    fc = 16, address = 91, type = "u16", scale = 0.1, unit = "A", min = 6, max = 32, pause = 0.1,
    verify = "current_limit",
  },
  commands = { start = { limit = 32 }, stop = { pause = true } },
  examples = {
    {
      registers = {
        [0] = 4, [6] = 159, [8] = 158, [10] = 160, [12] = 0, [13] = 11010, [28] = 0, [29] = 12345, [72] = 43, [78] = 0, [79] = 1800,
        [89] = 60, [91] = 160, [109] = 2306,
      },
      expect = {
        state = 4, status = 3, current_a = 15.9, power = 11010, energy = 1234.5, session_energy = 4.3, session_time = 1800,
        current_limit = 16, voltage_a = 230.6,
      },
    },
    { registers = { [0] = 4, [91] = 1 }, expect = { state = 7, status = 2 } },
    { registers = { [0] = 1 }, expect = { status = 1 } },
    { registers = { [0] = 9 }, expect = { status = 0 } },
    { registers = { [0] = 8, [109] = 0xFFFF }, expect = { status = 255, voltage_a = false } },
  },
}
