-- Alpitronic Hypercharger (HYC), DC, Modbus TCP, unit 1. Connector c lives at input register c*100. Untested on hardware.
-- The vehicle's id and the customer's tag (+18, +22) are personal data and are not made points.
return {
  forecourt = 1,
  kind = "profile",
  name = "alpitronic-hyc",
  description = "Alpitronic Hypercharger HYC, up to four DC connectors",
  source = "reference/chargers.md 1.10 (EVCC, and the capture in evcc-io/evcc#24812)",
  -- A connector's 36 words are gapless and meant to be read in one go; the gap reaches from the state of charge to the
  -- energy register and not from one connector to the next.
  modbus = { max_words = 60, merge_gap = 24 },
  line = { framing = "tcp" },
  connectors = { count = 4, stride = 100 },
  points = {
    station_state  = { fc = 4, address = 3, type = "u16", shared = true },
    serial         = { fc = 4, address = 6, type = "text", words = 12, shared = true, period_ms = 60000 },
    state          = { fc = 4, address = 100, type = "u16" },
    voltage_a      = { fc = 4, address = 101, type = "u32", scale = 0.01, unit = "V", max = 1200 },
    current_a      = { fc = 4, address = 103, type = "u16", scale = 0.01, unit = "A" },
    power          = { fc = 4, address = 104, type = "u32", unit = "W", max = 1000000 },
    session_time   = { fc = 4, address = 106, type = "u16", unit = "s" },
    session_energy = { fc = 4, address = 107, type = "u16", scale = 0.01, unit = "kWh" },
    soc            = { fc = 4, address = 108, type = "u16", scale = 0.01, unit = "%", max = 100 },
    -- 0 none, 1 CCS2, 2 CCS1, 3 CHAdeMO, 4 AC, 5 GB/T, 6 MCS, 7 NACS
    plug           = { fc = 4, address = 109, type = "u16" },
    -- The most it can give now, which takes in the limit below
    power_limit    = { fc = 4, address = 110, type = "u32", unit = "W", max = 1000000 },
    energy         = { fc = 4, address = 132, type = "s64", unit = "Wh", min = 0 },
  },
  status = {
    point = "state",
    -- available, preparing (tag), preparing (car), charging, suspended by car, by charger, finishing, reserved,
    -- unavailable, updating, faulted, connected object unavailable. Out of service is off line: no repair is called for.
    map = {
      [0] = 1, [1] = 2, [2] = 2, [3] = 3, [4] = 2, [5] = 2, [6] = 2, [7] = 4,
      [8] = 0, [9] = 0, [10] = 255, [11] = 0,
    },
    default = 255,
    faults = { { point = "station_state", equals = 10 } },
  },
  -- A limit of 0 W aborts the session and reports the connector as unavailable: it is parked at 1547 W. That goes on charging, so
  -- there is no start and no stop: they are its back office's. When it is not polled within its own time limit the station falls
  -- back by itself. The most is what is installed (400 kW is a guess).
  setpoint = {
    fc = 16, address = 100, type = "u32", unit = "W", min = 1547, max = 400000, pause = 1547,
    verify = "power_limit", verify_ms = 10000, verify_within = 500, verify_at_most = true,
  },
  examples = {
    { -- connector 2 charges at 150 kW
      connector = 2,
      registers = {
        [3] = 0, [200] = 3, [201] = 1, [202] = 14464, [203] = 18750, [204] = 2, [205] = 18928, [206] = 600,
        [207] = 2500, [208] = 6150, [209] = 1, [210] = 2, [211] = 18928, [232] = 0, [233] = 0, [234] = 0x0012, [235] = 0xD687,
      },
      expect = {
        status = 3, station_state = 0, voltage_a = 800, current_a = 187.5, power = 150000, session_time = 600,
        session_energy = 25, soc = 61.5, plug = 1, power_limit = 150000, energy = 1234567,
      },
    },
    { registers = { [3] = 0, [100] = 7 }, expect = { status = 4 } },
    { registers = { [3] = 0, [100] = 9 }, expect = { status = 0 } },
    { registers = { [3] = 10, [100] = 0 }, expect = { status = 255 } },
    {
      registers = {
        [6] = 0x4859, [7] = 0x4331, [8] = 0x3530, [9] = 0x2D30, [10] = 0x3100, [11] = 0, [12] = 0, [13] = 0, [14] = 0,
        [15] = 0, [16] = 0, [17] = 0, [108] = 20000,
      },
      expect = { serial = "HYC150-01", soc = false, status = 0 },
    },
  },
}
