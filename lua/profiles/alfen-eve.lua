-- Alfen Eve and NG9xx, Modbus TCP: units 1 and 2 are the sockets, 200 is the station; give the charger unit 1.
-- Reading and writing are enabled apart from each other, both off by default; the limit needs the load-balancing licence. It is
-- lost at a restart. At most two masters; the connection is closed after 60 s of silence. Untested on hardware.
return {
  forecourt = 1,
  kind = "profile",
  name = "alfen-eve",
  description = "Alfen Eve Single, Eve Double and NG9xx, two sockets",
  source = "reference/chargers.md 1.3 (EVCC, vendor's table 2.3), section 4 rows 22 and 43",
  line = { framing = "tcp", connections = 2, connect_timeout_ms = 10000 },
  -- Fast polling leaks its memory until it starts again.
  modbus = { min_period_ms = 2000, merge_gap = 4 },
  connectors = { count = 2, unit_stride = 1 },
  points = {
    -- Of the station
    firmware       = { address = 123, type = "text", words = 17, unit_id = 200, shared = true, period_ms = 60000 },
    serial         = { address = 157, type = "text", words = 11, unit_id = 200, shared = true, period_ms = 60000 },
    -- Goes back when the station was started again: the limit is written anew then
    uptime         = { address = 174, type = "u64", scale = 0.001, unit = "s", unit_id = 200, shared = true },
    -- Of a socket
    meter_state    = {
      address = 300, type = "bits", names = { [0] = "initialised", [1] = "updated", [2] = "warning", [3] = "error" },
    },
    meter_age      = { address = 301, type = "u64", scale = 0.001, unit = "s" },
    voltage_a      = { address = 306, type = "f32", unit = "V", max = 500 },
    voltage_b      = { address = 308, type = "f32", unit = "V", max = 500 },
    voltage_c      = { address = 310, type = "f32", unit = "V", max = 500 },
    current_a      = { address = 320, type = "f32", unit = "A", max = 100 },
    current_b      = { address = 322, type = "f32", unit = "A", max = 100 },
    current_c      = { address = 324, type = "f32", unit = "A", max = 100 },
    power          = { address = 344, type = "f32", unit = "W", max = 100000 },
    energy         = { address = 374, type = "f64", unit = "Wh", min = 0 },
    energy_out     = { address = 390, type = "f64", unit = "Wh", min = 0 },
    available      = { address = 1200, type = "u16" },
    -- Filled up with zero bytes
    state          = { address = 1201, type = "text", words = 5 },
    current_limit  = { address = 1206, type = "f32", unit = "A" },
    limit_validity = { address = 1208, type = "u32", unit = "s" },
    -- 1: the limit that was written counts
    limit_taken    = { address = 1214, type = "u16" },
  },
  status = {
    point = "state",
    map = { A = 1, B1 = 2, B2 = 2, C1 = 2, C2 = 3, D1 = 2, D2 = 3, E = 255, F = 255 },
    default = 255,
  },
  -- The range is not stated there: 6 A is IEC 61851's least; put in what is installed as the most.
  -- Both words in one request; valid for 60 s unless set otherwise, then the safe current of register 1212 applies.
  -- That 0 A pauses is IEC 61851 (below 6 A nothing is offered), not stated there.
  setpoint = {
    fc = 16, address = 1210, type = "f32", unit = "A", min = 6, max = 32, pause = 0, refresh_ms = 25000,
    -- 1206 is what is applied: the cable's or the station's limit may be less.
    verify = "current_limit", verify_at_most = true,
  },
  commands = {
    start = { steps = { { limit = 32 }, { check = "limit_taken", equals = 1 } } },
    stop = { steps = { { pause = true }, { check = "limit_taken", equals = 1 } } },
  },
  examples = {
    { -- 230.5 V, 16 A, charging
      unit_id = 1,
      registers = {
        [300] = 2, [306] = 0x4366, [307] = 0x8000, [320] = 0x4180, [321] = 0, [344] = 0x462C, [345] = 0x8000,
        [374] = 0x4132, [375] = 0xD687, [376] = 0, [377] = 0, [1200] = 1,
        [1201] = 0x4332, [1202] = 0, [1203] = 0, [1204] = 0, [1205] = 0,
      },
      expect = {
        state = "C2", status = 3, voltage_a = 230.5, current_a = 16, power = 11040, energy = 1234567, available = 1,
        meter_state = "updated",
      },
    },
    -- What is not there is no number
    { unit_id = 1, registers = { [308] = 0x7FC0, [309] = 0 }, expect = { voltage_b = false, status = 0 } },
    {
      connector = 2, unit_id = 2,
      registers = { [1201] = 0x4100, [1202] = 0, [1203] = 0, [1204] = 0, [1205] = 0 },
      expect = { state = "A", status = 1 },
    },
    { unit_id = 1, registers = { [1206] = 0x4180, [1207] = 0, [1214] = 1 }, expect = { current_limit = 16, limit_taken = 1 } },
    { unit_id = 200, registers = { [174] = 0, [175] = 0, [176] = 1, [177] = 0x86A0 }, expect = { uptime = 100 } },
  },
}
