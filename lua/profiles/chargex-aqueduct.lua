-- ChargeX Aqueduct, Modbus TCP, port 1502, unit 10: modules lie 12 apart. The power to keep below (504) is one for all modules
-- and is forgotten after the time in 500 (1200 s from the works): then it charges with all it has. No module can be started or
-- stopped by itself, so there are no such commands: stopping one would stop all. Hold the limit for one connector only. It
-- counts no energy. Untested on hardware.
return {
  forecourt = 1,
  kind = "profile",
  name = "chargex-aqueduct",
  description = "ChargeX Aqueduct, up to eight modules",
  source = "reference/chargers.md 1.11 (EVCC; bits of the state: its driver), section 4 row 31. No energy is known.",
  line = { framing = "tcp" },
  modbus = { max_words = 12, merge_gap = 0 },
  connectors = { count = 8, stride = 12 },
  points = {
    power          = { address = 100, type = "u32", unit = "W", max = 50000 },
    current_a      = { address = 102, type = "u32", scale = 0.001, unit = "A", max = 100 },
    current_b      = { address = 104, type = "u32", scale = 0.001, unit = "A", max = 100 },
    current_c      = { address = 106, type = "u32", scale = 0.001, unit = "A", max = 100 },
    -- Bit 0 charging, bit 3 a car: 0 free, 1 a car, 2 charging
    state          = { address = 108, type = "u32", hook = function(raw) return raw & 1 == 1 and 2 or raw >> 3 & 1 end },
    failsafe_s     = { address = 500, type = "u32", unit = "s", shared = true, period_ms = 60000 },
    power_limit    = { address = 504, type = "u32", unit = "W", shared = true },
  },
  status = { point = "state", map = { [0] = 1, [1] = 2, [2] = 3 }, default = 255 },
  setpoint = {
    fc = 16, address = 504, shared = true, type = "u32", unit = "W", min = 1400, max = 88000, pause = 0,
    refresh_ms = 60000, refresh_from = "failsafe_s", refresh_share = 0.5,
  },
  examples = {
    {
      registers = {
        [100] = 0, [101] = 11010, [102] = 0, [103] = 15950, [108] = 0, [109] = 0x1F, [500] = 0, [501] = 1200, [504] = 0,
        [505] = 22000,
      },
      expect = { state = 2, status = 3, power = 11010, current_a = 15.95, failsafe_s = 1200, power_limit = 22000 },
    },
    { connector = 3, registers = { [132] = 0, [133] = 0x0A }, expect = { state = 1, status = 2 } },
    { connector = 8, registers = { [192] = 0, [193] = 2, [184] = 0xFFFF, [185] = 0 }, expect = { status = 1, power = false } },
  },
}
