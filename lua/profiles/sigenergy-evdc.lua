-- Sigenergy EVDC, a DC charger inside the inverter (protocol 2.9 on), Modbus TCP, the inverter's unit; not asked more often
-- than once a second. Register 41000 starts with 0 and stops with 1, by function 6 only; 41001 is reserved. A limit of 0 is
-- never written: the least is 500 W, and a charge is paused by stopping it. Discharging is shown as charging: energy_out tells
-- it. Untested on hardware.
return {
  forecourt = 1,
  kind = "profile",
  name = "sigenergy-evdc",
  description = "Sigenergy EVDC, one DC connector",
  source = "reference/chargers.md 1.1 and 1.10 (EVCC)",
  line = { framing = "tcp" },
  -- 31500 to 31522 are read in one go (31509 to 31512 are the inverter's).
  modbus = { max_words = 23, merge_gap = 12, min_period_ms = 1000, deny_write = { { 41001, 41001 } } },
  points = {
    voltage_a      = { fc = 4, address = 31500, type = "u16", scale = 0.1, unit = "V", max = 1200 },
    current_a      = { fc = 4, address = 31501, type = "u16", scale = 0.1, unit = "A" },
    power          = { fc = 4, address = 31502, type = "s32", unit = "W", max = 100000 },
    soc            = { fc = 4, address = 31504, type = "u16", scale = 0.1, unit = "%", max = 100 },
    session_energy = { fc = 4, address = 31505, type = "u32", scale = 10, unit = "Wh" },
    session_time   = { fc = 4, address = 31507, type = "u32", unit = "s" },
    state          = { fc = 4, address = 31513, type = "u16" },
    energy         = { fc = 4, address = 31519, type = "u32", scale = 10, unit = "Wh" },
    energy_out     = { fc = 4, address = 31521, type = "u32", scale = 10, unit = "Wh" },
    rated_power    = { fc = 4, address = 31523, type = "u32", unit = "W", optional = true, period_ms = 60000 },
  },
  status = {
    point = "state",
    -- idle, occupied, preparing, charging, fault, scheduled, ended, unavailable, discharging, alarm, insulation test
    map = {
      [0] = 1, [1] = 2, [2] = 2, [3] = 3, [4] = 255, [5] = 2, [6] = 2, [7] = 0, [8] = 3, [9] = 255, [10] = 2,
    },
    default = 255,
  },
  -- The most is what is installed (25 kW is a guess).
  setpoint = { fc = 16, address = 41002, type = "u32", unit = "W", min = 500, max = 25000 },
  commands = {
    start = { steps = { { fc = 6, address = 41000, value = 0 }, { check = "state", equals = { 2, 3, 10 }, within_ms = 30000 } } },
    stop = { fc = 6, address = 41000, value = 1 },
  },
  examples = {
    {
      registers = {
        [31500] = 4005, [31501] = 310, [31502] = 0, [31503] = 12415, [31504] = 555, [31505] = 0, [31506] = 432, [31507] = 0,
        [31508] = 1800, [31513] = 3, [31519] = 1, [31520] = 57920, [31521] = 0, [31522] = 12, [31523] = 0, [31524] = 25000,
      },
      expect = {
        status = 3, voltage_a = 400.5, current_a = 31, power = 12415, soc = 55.5, session_energy = 4320, session_time = 1800,
        energy = 1234560, energy_out = 120, rated_power = 25000,
      },
    },
    { registers = { [31502] = 0xFFFF, [31503] = 0xEC78, [31513] = 8 }, expect = { status = 3, power = -5000 } },
    { registers = { [31513] = 0 }, expect = { status = 1 } },
    { registers = { [31513] = 7, [31504] = 0xFFFF }, expect = { status = 0, soc = false } },
    { registers = { [31513] = 9 }, expect = { status = 255 } },
  },
}
