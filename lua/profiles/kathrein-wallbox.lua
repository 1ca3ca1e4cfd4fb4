-- Kathrein KWB-AC, Modbus TCP. It obeys only after 0x8000 was written to 0x00A0, and forgets that when it starts anew: written
-- again whenever it reads otherwise. Each write of the limit restarts its time limit (0x00A3, 0: none), after which 0x00A5 (6
-- A from the works) is in force. The document says kWh of the total energy; it counts Wh. 0xFFFF cancels a charge and is out
-- of the limit's range. Untested on hardware.
return {
  forecourt = 1,
  kind = "profile",
  name = "kathrein-wallbox",
  description = "Kathrein KWB-AC, one connector, three phases",
  source = "reference/chargers.md 1.11 (EVCC; error bits and time limit: its driver), section 4 row 35",
  line = { framing = "tcp" },
  modbus = { max_words = 12, merge_gap = 1 },
  points = {
    serial         = { address = 0x0011, type = "text", words = 8, period_ms = 60000 },
    voltage_a      = { address = 0x0030, type = "f32", unit = "V", max = 500 },
    voltage_b      = { address = 0x0032, type = "f32", unit = "V", max = 500 },
    voltage_c      = { address = 0x0034, type = "f32", unit = "V", max = 500 },
    current_a      = { address = 0x0036, type = "f32", unit = "A", max = 100 },
    current_b      = { address = 0x0038, type = "f32", unit = "A", max = 100 },
    current_c      = { address = 0x003A, type = "f32", unit = "A", max = 100 },
    power          = { address = 0x0054, type = "f32", unit = "W", max = 50000 },
    energy         = { address = 0x005C, type = "f32", unit = "Wh", min = 0 },
    -- idle, connected, waits for card, card taken, charging, paused, done, pairing
    detail         = { address = 0x0060, type = "u16" },
    fault          = { address = 0x0061, type = "u16" },
    faults         = {
      address = 0x0061, type = "bits",
      names = {
        [0] = "relay welded", [1] = "DC residual current", [2] = "socket lock", [3] = "overcurrent", [4] = "ventilation wanted",
        [5] = "pilot shorted", [6] = "pilot broken", [7] = "proximity shorted", [15] = "internal",
      },
    },
    state          = { address = 0x0063, type = "u16" },
    control        = { address = 0x00A0, type = "u16" },
    current_limit  = { address = 0x00A2, type = "u16", scale = 0.001, unit = "A", max = 32 },
    failsafe_s     = { address = 0x00A3, type = "u16", unit = "s" },
  },
  status = {
    point = "state",
    -- A, B, C, D, E, F (not available)
    map = { [0] = 1, [1] = 2, [2] = 3, [3] = 3, [4] = 255, [5] = 0 },
    default = 255,
    faults = { { point = "fault", ["not"] = 0 } },
  },
  keep_alive = { fc = 6, address = 0x00A0, value = 0x8000, period_ms = 5000, unless = { control = 0x8000 } },
  setpoint = {
    fc = 6, address = 0x00A2, type = "u16", scale = 0.001, unit = "A", min = 6, max = 32, pause = 0, safe = 6,
    refresh_ms = 30000, refresh_from = "failsafe_s", refresh_share = 0.5,
  },
  commands = {
    start = { steps = { { fc = 6, address = 0x00A0, value = 0x8000 }, { limit = 32 } } },
    stop = { steps = { { fc = 6, address = 0x00A0, value = 0x8000 }, { pause = true } } },
  },
  examples = {
    {
      registers = {
        [0x30] = 0x4366, [0x31] = 0x8000, [0x36] = 0x4178, [0x37] = 0, [0x54] = 0x462C, [0x55] = 0x8000, [0x5C] = 0x4996,
        [0x5D] = 0xB438, [0x60] = 4, [0x61] = 0, [0x63] = 2, [0xA0] = 0x8000, [0xA2] = 16000, [0xA3] = 60,
      },
      expect = {
        status = 3, voltage_a = 230.5, current_a = 15.5, power = 11040, energy = 1234567, detail = 4, faults = "", control = 0x8000,
        current_limit = 16, failsafe_s = 60,
      },
    },
    { registers = { [0x63] = 0 }, expect = { status = 1 } },
    { registers = { [0x61] = 0x0008, [0x63] = 1 }, expect = { status = 255, fault = 8, faults = "overcurrent" } },
    { registers = { [0x63] = 5, [0xA2] = 0xFFFF }, expect = { status = 0, current_limit = false } },
    { registers = { [0x54] = 0x7FC0, [0x55] = 0, [0x63] = 1 }, expect = { status = 2, power = false } },
  },
}
