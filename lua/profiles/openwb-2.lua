-- openWB series 2, Modbus TCP, port 1502, unit 1: charge points lie 100 apart. There is a heartbeat register (10190); neither
-- its value nor what happens without it is stated, so it is not written, and the limit is written again every ten seconds.
-- Untested on hardware.
return {
  forecourt = 1,
  kind = "profile",
  name = "openwb-2",
  description = "openWB series 2, up to eight charge points",
  source = "reference/chargers.md 1.11 (EVCC)",
  line = { framing = "tcp" },
  modbus = { max_words = 16, merge_gap = 4 },
  connectors = { count = 8, stride = 100 },
  points = {
    power          = { fc = 4, address = 10100, type = "s32", unit = "W", max = 50000 },
    energy         = { fc = 4, address = 10102, type = "u32", unit = "Wh" },
    voltage_a      = { fc = 4, address = 10104, type = "s16", scale = 0.01, unit = "V" },
    voltage_b      = { fc = 4, address = 10105, type = "s16", scale = 0.01, unit = "V" },
    voltage_c      = { fc = 4, address = 10106, type = "s16", scale = 0.01, unit = "V" },
    current_a      = { fc = 4, address = 10107, type = "s16", scale = 0.01, unit = "A", max = 100 },
    current_b      = { fc = 4, address = 10108, type = "s16", scale = 0.01, unit = "A", max = 100 },
    current_c      = { fc = 4, address = 10109, type = "s16", scale = 0.01, unit = "A", max = 100 },
    -- 0 free, 1 plugged, 2 charging
    state          = {
      fc = 4, address = 10114, type = "raw", words = 2,
      hook = function(raw) return raw[2] == 1 and 2 or raw[1] end,
    },
  },
  status = { point = "state", map = { [0] = 1, [1] = 2, [2] = 3 }, default = 255 },
  setpoint = { fc = 6, address = 10171, type = "u16", scale = 0.01, unit = "A", min = 6, max = 32, pause = 0, refresh_ms = 10000 },
  commands = { start = { limit = 32 }, stop = { pause = true } },
  examples = {
    {
      registers = {
        [10100] = 0, [10101] = 11010, [10102] = 18, [10103] = 54919, [10104] = 23061, [10107] = 1595, [10114] = 1, [10115] = 1,
      },
      expect = { state = 2, status = 3, power = 11010, energy = 1234567, voltage_a = 230.61, current_a = 15.95 },
    },
    { connector = 2, registers = { [10214] = 0, [10215] = 0 }, expect = { status = 1 } },
    { connector = 8, registers = { [10814] = 1, [10815] = 0, [10800] = 0x7FFF, [10801] = 0 }, expect = { status = 2, power = false } },
  },
}
