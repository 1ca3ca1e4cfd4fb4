-- Victron EV Charging Station through a GX device, Modbus TCP, unit 100 (the unit of each station is listed in the GX). The GX
-- goes on answering with the last values of a station that is gone: what it says without the station is not known to differ.
-- Whether 3816 is the energy of the session or of all is not stated; it is used as the session's. Untested on hardware.
return {
  forecourt = 1,
  kind = "profile",
  name = "victron-gx",
  description = "Victron EV Charging Station through a GX, one connector",
  source = "reference/chargers.md 1.11 (EVCC), section 4 row 38. No total energy is known.",
  line = { framing = "tcp" },
  modbus = { max_words = 12, merge_gap = 0 },
  points = {
    mode           = { address = 3815, type = "u16" },
    session_energy = { address = 3816, type = "u32", scale = 0.01, unit = "kWh" },
    power          = { address = 3821, type = "u16", unit = "W", max = 50000 },
    state          = { address = 3824, type = "u16" },
    current_limit  = { address = 3825, type = "u16", unit = "A", max = 100 },
    enabled        = { address = 3826, type = "u16" },
  },
  status = {
    point = "state",
    map = { [0] = 1, [1] = 2, [2] = 3, [3] = 2, [4] = 2, [5] = 2, [6] = 2, [7] = 2, [21] = 2 },
    default = 255,
  },
  setpoint = { fc = 6, address = 3825, type = "u16", unit = "A", min = 6, max = 32 },
  commands = {
    start = {
      steps = {
        { fc = 6, address = 3815, value = 0 }, { fc = 6, address = 3826, value = 1 }, { check = "enabled", equals = 1 },
      },
    },
    stop = { steps = { { fc = 6, address = 3826, value = 0 }, { check = "enabled", equals = 0 } } },
  },
  examples = {
    {
      registers = { [3815] = 0, [3816] = 0, [3817] = 1234, [3821] = 7210, [3824] = 2, [3825] = 32, [3826] = 1 },
      expect = { status = 3, session_energy = 12.34, power = 7210, current_limit = 32, enabled = 1 },
    },
    { registers = { [3824] = 1 }, expect = { status = 2 } },
    { registers = { [3824] = 0 }, expect = { status = 1 } },
    { registers = { [3824] = 8, [3821] = 0xFFFF }, expect = { status = 255, power = false } },
  },
}
