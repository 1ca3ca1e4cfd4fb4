-- Victron EV Charging Station asked directly, Modbus TCP, unit 0 (or 1); through a GX device see victron-gx. It counts the
-- energy of the session only: a meter beside it counts all. State 3 is D in the source and "charged" in the maker's list:
-- shown as occupied. Untested on hardware.
return {
  forecourt = 1,
  kind = "profile",
  name = "victron-evcs",
  description = "Victron EV Charging Station, EVCS NS, one connector",
  source = "reference/chargers.md 1.11 (EVCC). No total energy is known.",
  line = { framing = "tcp" },
  modbus = { max_words = 13, merge_gap = 0 },
  points = {
    -- 0 manual; else the sun or a schedule decides
    mode           = { address = 5009, type = "u16" },
    enabled        = { address = 5010, type = "u16" },
    power          = { address = 5014, type = "u16", unit = "W", max = 50000 },
    state          = { address = 5015, type = "u16" },
    current_limit  = { address = 5016, type = "u16", unit = "A", max = 100 },
    session_energy = { address = 5021, type = "u16", scale = 0.01, unit = "kWh" },
  },
  status = {
    point = "state",
    -- A, B, C, charged; 4 to 7 and 21 wait for sun, card, start, battery, and start
    map = { [0] = 1, [1] = 2, [2] = 3, [3] = 2, [4] = 2, [5] = 2, [6] = 2, [7] = 2, [21] = 2 },
    default = 255,
  },
  setpoint = { fc = 6, address = 5016, type = "u16", unit = "A", min = 6, max = 32 },
  commands = {
    start = {
      steps = {
        { fc = 6, address = 5009, value = 0 }, { fc = 6, address = 5010, value = 1 }, { check = "enabled", equals = 1 },
      },
    },
    stop = { steps = { { fc = 6, address = 5010, value = 0 }, { check = "enabled", equals = 0 } } },
  },
  examples = {
    {
      registers = { [5009] = 0, [5010] = 1, [5014] = 7210, [5015] = 2, [5016] = 32, [5021] = 1234 },
      expect = { status = 3, mode = 0, enabled = 1, power = 7210, current_limit = 32, session_energy = 12.34 },
    },
    { registers = { [5015] = 0 }, expect = { status = 1 } },
    { registers = { [5015] = 21 }, expect = { status = 2 } },
    { registers = { [5015] = 9, [5014] = 0xFFFF }, expect = { status = 255, power = false } },
  },
}
