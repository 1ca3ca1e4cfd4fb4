-- Ambibox ambiCHARGE, DC in both directions, Modbus TCP, unit 1. Every value is two words and a connector's 104 are read in
-- one go. The target is a power whose sign says the direction, negative to the car: here a limit of charging only, 0 pauses.
-- The sign of +18 is not stated and is left as it is. Untested on hardware.
return {
  forecourt = 1,
  kind = "profile",
  name = "ambibox",
  description = "Ambibox ambiCHARGE, two DC connectors",
  source = "reference/chargers.md 1.1 and 1.10 (EVCC)",
  line = { framing = "tcp" },
  modbus = { max_words = 104, merge_gap = 30 },
  -- Targets lie 100 apart, all that is read 200.
  connectors = { count = 2, stride = 100 },
  points = {
    current_a      = { fc = 4, address = 4004, stride = 200, type = "f32", unit = "A" },
    current_b      = { fc = 4, address = 4006, stride = 200, type = "f32", unit = "A" },
    current_c      = { fc = 4, address = 4008, stride = 200, type = "f32", unit = "A" },
    voltage_a      = { fc = 4, address = 4012, stride = 200, type = "f32", unit = "V", max = 500 },
    voltage_b      = { fc = 4, address = 4014, stride = 200, type = "f32", unit = "V", max = 500 },
    voltage_c      = { fc = 4, address = 4016, stride = 200, type = "f32", unit = "V", max = 500 },
    power          = { fc = 4, address = 4018, stride = 200, type = "s32", unit = "W", min = -100000, max = 100000 },
    energy         = { fc = 4, address = 4026, stride = 200, type = "f32", unit = "Wh", min = 0 },
    energy_out     = { fc = 4, address = 4028, stride = 200, type = "f32", unit = "Wh", min = 0 },
    capacity       = { fc = 4, address = 4048, stride = 200, type = "f32", unit = "Wh" },
    soc            = { fc = 4, address = 4054, stride = 200, type = "f32", unit = "%", min = 0, max = 100 },
    -- 0 set-up, which is also what it says without a car: 100 is ours
    state          = {
      fc = 4, address = 4082, stride = 200, type = "u32",
      hook = function(raw, get) return raw == 0 and get("connected") == 0 and 100 or raw end,
    },
    connected      = { fc = 4, address = 4084, stride = 200, type = "u32" },
    session_energy = { fc = 4, address = 4098, stride = 200, type = "f32", unit = "Wh" },
    -- The car must be plugged in again
    replug         = { fc = 4, address = 4102, stride = 200, type = "u32" },
  },
  status = {
    point = "state",
    -- set-up, authorisation, parameters, cable check, pre-charge, charging, post, paused, stopped, error, no car
    map = {
      [0] = 2, [1] = 2, [2] = 2, [3] = 2, [4] = 2, [5] = 3, [6] = 2, [7] = 2, [8] = 2, [9] = 255, [100] = 1,
    },
    default = 255,
  },
  -- The range is not stated: 22 kW is a guess.
  setpoint = { fc = 16, address = 3000, type = "s32", scale = -1, unit = "W", min = 1000, max = 22000, pause = 0 },
  commands = { start = { limit = 22000 }, stop = { pause = true } },
  examples = {
    {
      registers = {
        [4004] = 0x4180, [4005] = 0, [4012] = 0x4366, [4013] = 0x8000, [4018] = 0xFFFF, [4019] = 0xD4E0, [4026] = 0x4996,
        [4027] = 0xB438, [4054] = 0x4236, [4055] = 0, [4082] = 0, [4083] = 5, [4084] = 0, [4085] = 1,
      },
      expect = {
        state = 5, status = 3, current_a = 16, voltage_a = 230.5, power = -11040, energy = 1234567, soc = 45.5, connected = 1,
      },
    },
    { connector = 2, registers = { [4282] = 0, [4283] = 0, [4284] = 0, [4285] = 0 }, expect = { state = 100, status = 1 } },
    { registers = { [4082] = 0, [4083] = 0, [4084] = 0, [4085] = 1 }, expect = { state = 0, status = 2 } },
    { registers = { [4082] = 0, [4083] = 9, [4054] = 0x7FC0, [4055] = 0 }, expect = { status = 255, soc = false } },
  },
}
