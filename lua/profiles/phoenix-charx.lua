-- Phoenix Contact CHARX SEC, Modbus TCP, unit 1 (or 255): connector n lives at n * 1000. Untested on hardware.
return {
  forecourt = 1,
  kind = "profile",
  name = "phoenix-charx",
  description = "Phoenix Contact CHARX SEC, up to sixteen controllers",
  source = "reference/chargers.md 1.4 (EVCC)",
  line = { framing = "tcp" },
  modbus = { max_words = 60, merge_gap = 10 },
  connectors = { count = 16, stride = 1000 },
  -- The meter's registers are read only where there is one.
  groups = { meter = { optional = true } },
  points = {
    name           = { address = 100, type = "text", words = 10, shared = true, period_ms = 60000 },
    firmware       = { address = 110, type = "text", words = 4, shared = true, period_ms = 60000 },
    controllers    = { address = 114, type = "u16", shared = true, period_ms = 60000 },
    -- 0 or 65535: none
    meter          = { address = 1112, type = "u16", invalid = { 0, 65535 }, period_ms = 60000 },
    voltage_a      = { address = 1232, type = "s32", scale = 0.001, unit = "V", max = 500, group = "meter" },
    voltage_b      = { address = 1234, type = "s32", scale = 0.001, unit = "V", max = 500, group = "meter" },
    voltage_c      = { address = 1236, type = "s32", scale = 0.001, unit = "V", max = 500, group = "meter" },
    current_a      = { address = 1238, type = "s32", scale = 0.001, unit = "A", max = 100, group = "meter" },
    current_b      = { address = 1240, type = "s32", scale = 0.001, unit = "A", max = 100, group = "meter" },
    current_c      = { address = 1242, type = "s32", scale = 0.001, unit = "A", max = 100, group = "meter" },
    power          = { address = 1244, type = "s32", scale = 0.001, unit = "W", max = 50000, group = "meter" },
    energy         = { address = 1250, type = "s64", unit = "Wh", min = 0, group = "meter" },
    soc            = { address = 1264, type = "u16", unit = "%", max = 100, optional = true },
    -- 265 and 275 (car, card) are personal data and are not made points
    session_time   = { address = 1287, type = "u32", unit = "s" },
    session_energy = { address = 1289, type = "u32", unit = "Wh" },
    -- The letter is the first byte
    state          = { address = 1299, type = "text", words = 1, chars = 1 },
    enabled        = { address = 1300, type = "u16" },
    current_limit  = { address = 1301, type = "u16", unit = "A" },
  },
  status = { point = "state", map = { A = 1, B = 2, C = 3, D = 3, E = 255, F = 255 }, default = 255 },
  -- The range is not stated there: 6 A is IEC 61851's least; put in what is installed as the most.
  setpoint = { fc = 16, address = 1301, type = "u16", unit = "A", min = 6, max = 32, pause = 0 },
  commands = {
    start = { fc = 16, address = 1300, values = { 1 } },
    stop  = { fc = 16, address = 1300, values = { 0 } },
  },
  examples = {
    {
      registers = {
        [1112] = 3, [1232] = 0x0003, [1233] = 0x8464, [1238] = 0, [1239] = 16000, [1244] = 0x00A8, [1245] = 0x7500,
        [1250] = 0, [1251] = 0, [1252] = 0x0012, [1253] = 0xD687, [1299] = 0x4332, [1300] = 1, [1301] = 16,
      },
      expect = {
        state = "C", status = 3, voltage_a = 230.5, current_a = 16, power = 11040, energy = 1234567, meter = 3,
        current_limit = 16,
      },
    },
    { connector = 2, registers = { [2299] = 0x4100, [2112] = 65535 }, expect = { state = "A", status = 1, meter = false } },
    { connector = 16, registers = { [16299] = 0x4600 }, expect = { status = 255 } },
  },
}
