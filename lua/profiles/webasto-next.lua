-- Webasto Next and Ampure Next, Modbus TCP, unit 255. Currents are single words, read by function 4. Its network dies at about
-- one new connection a second: the gateway keeps the one it has. No voltages are known. Untested on hardware.
return {
  forecourt = 1,
  kind = "profile",
  name = "webasto-next",
  description = "Webasto Next, Ampure Next, one connector, three phases",
  source = "reference/chargers.md 1.1 and 1.8 (EVCC), section 4 row 21",
  line = { framing = "tcp", connections = 1 },
  modbus = { max_words = 10, merge_gap = 0 },
  points = {
    state          = { address = 1000, type = "u16" },
    charging       = { address = 1001, type = "u16" },
    cable          = { address = 1004, type = "u16" },
    current_a      = { fc = 4, address = 1008, type = "u16", scale = 0.001, unit = "A" },
    current_b      = { fc = 4, address = 1010, type = "u16", scale = 0.001, unit = "A" },
    current_c      = { fc = 4, address = 1012, type = "u16", scale = 0.001, unit = "A" },
    power          = { address = 1020, type = "u32", unit = "W", max = 50000 },
    energy         = { address = 1036, type = "u32", unit = "Wh" },
    session_time   = { address = 1508, type = "u32", unit = "s" },
    failsafe_s     = { address = 2002, type = "u16", unit = "s", period_ms = 10000 },
  },
  -- no car, attached without permission, charging, paused, error, reserved
  status = { point = "state", map = { [0] = 1, [1] = 2, [3] = 3, [4] = 2, [7] = 255, [8] = 4 }, default = 255 },
  keep_alive = { fc = 6, address = 6000, value = 1, period_ms = 5000, period_from = "failsafe_s", period_share = 0.5 },
  setpoint = { fc = 16, address = 5004, type = "u16", unit = "A", min = 6, max = 32, pause = 0 },
  commands = { start = { limit = 32 }, stop = { pause = true } },
  examples = {
    {
      fc = 3,
      registers = {
        [1000] = 3, [1001] = 1, [1004] = 3, [1020] = 0, [1021] = 11012, [1036] = 18, [1037] = 54919, [1508] = 0,
        [1509] = 3600, [2002] = 60,
      },
      expect = { status = 3, power = 11012, energy = 1234567, session_time = 3600, failsafe_s = 60, current_a = false },
    },
    { fc = 4, registers = { [1008] = 15970, [1010] = 15990 }, expect = { current_a = 15.97, current_b = 15.99, current_c = false } },
    { registers = { [1000] = 0 }, expect = { status = 1 } },
    { registers = { [1000] = 4 }, expect = { status = 2 } },
    { registers = { [1000] = 8 }, expect = { status = 4 } },
    { registers = { [1000] = 7, [1020] = 0xFFFF, [1021] = 0xFFFF }, expect = { status = 255, power = false } },
  },
}
