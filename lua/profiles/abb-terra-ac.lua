-- ABB Terra AC wallbox, Modbus RTU or TCP, unit 1. Untested on hardware.
return {
  forecourt = 1,
  kind = "profile",
  name = "abb-terra-ac",
  description = "ABB Terra AC, one connector, three phases",
  source = "reference/chargers.md 1.1 and 1.2 (EVCC; state byte cross-checked with OpenEMS). No total energy is known.",
  line = { framing = "tcp or rtu" },
  -- Six words in one request is what is known to be read well; nobody has shown more.
  -- 0x4105 is guarded, see below; 0x4102 (phases) is documented and does nothing.
  modbus = { max_words = 6, merge_gap = 0, deny_write = { { 0x4102, 0x4105 } } },
  points = {
    serial         = { fc = 3, address = 0x4000, type = "hex", words = 4, period_ms = 60000 },
    -- First three bytes: x.y.z
    firmware_major = { fc = 3, address = 0x4004, type = "u32", shift = 24, mask = 0xFF, period_ms = 60000 },
    firmware_minor = { fc = 3, address = 0x4004, type = "u32", shift = 16, mask = 0xFF, period_ms = 60000 },
    firmware_patch = { fc = 3, address = 0x4004, type = "u32", shift = 8, mask = 0xFF, period_ms = 60000 },
    rated_current  = { fc = 3, address = 0x4006, type = "u32", scale = 0.001, unit = "A", period_ms = 60000 },
    fault          = { fc = 3, address = 0x4008, type = "u32" },
    -- 0x0101 and above: the cable is locked on the car's side
    socket_lock    = { fc = 3, address = 0x400A, type = "u32" },
    -- Third byte; its bit 7 says that the charger holds the current below its rating
    state          = { fc = 3, address = 0x400C, type = "u32", shift = 8, mask = 0x7F },
    current_limit  = { fc = 3, address = 0x400E, type = "u32", scale = 0.001, unit = "A", max = 100 },
    current_a      = { fc = 3, address = 0x4010, type = "u32", scale = 0.001, unit = "A", max = 100 },
    current_b      = { fc = 3, address = 0x4012, type = "u32", scale = 0.001, unit = "A", max = 100 },
    current_c      = { fc = 3, address = 0x4014, type = "u32", scale = 0.001, unit = "A", max = 100 },
    voltage_a      = { fc = 3, address = 0x4016, type = "u32", scale = 0.1, unit = "V", max = 500 },
    voltage_b      = { fc = 3, address = 0x4018, type = "u32", scale = 0.1, unit = "V", max = 500 },
    voltage_c      = { fc = 3, address = 0x401A, type = "u32", scale = 0.1, unit = "V", max = 500 },
    power          = { fc = 3, address = 0x401C, type = "u32", unit = "W", max = 50000 },
    session_energy = { fc = 3, address = 0x401E, type = "u32", unit = "Wh" },
  },
  status = {
    point = "state",
    -- idle, B1 not authorised, B2 ready, C1 no PWM, C2 delivering, session stopped
    map = { [0] = 1, [1] = 2, [2] = 2, [3] = 2, [4] = 3, [5] = 2 },
    default = 255,
    faults = { { point = "fault", ["not"] = 0 } },
  },
  -- 0 pauses, 6 A and more run (the most is what is installed; 32 A is a guess). Register 0x4105 starts and stops
  -- sessions too, but its stop ends the session for good: not used.
  setpoint = {
    fc = 16, address = 0x4100, type = "u32", scale = 0.001, unit = "A", min = 6, max = 32, pause = 0,
    verify = "current_limit", verify_ms = 10000, verify_within = 0.5, verify_at_most = true,
  },
  -- It falls back when it is not polled: the state is read in time whatever else is.
  keep_alive = { fc = 3, address = 0x400C, words = 2, period_ms = 15000 },
  -- The limit in force is looked at after each write.
  commands = {
    start = { steps = { { limit = 32 }, { check = "current_limit", ["not"] = 0, within_ms = 10000 } } },
    stop  = { steps = { { pause = true }, { check = "current_limit", equals = 0, within_ms = 10000 } } },
  },
  examples = {
    { -- delivering 7.2 kW on one phase
      registers = {
        [0x4000] = 0x0102, [0x4001] = 0x0304, [0x4002] = 0x0506, [0x4003] = 0x0708, [0x4004] = 0x0108, [0x4005] = 0x1F00,
        [0x4006] = 0, [0x4007] = 32000,
        [0x4008] = 0, [0x4009] = 0, [0x400A] = 0, [0x400B] = 0x0111, [0x400C] = 0, [0x400D] = 0x0400,
        [0x400E] = 0, [0x400F] = 32000, [0x4010] = 0, [0x4011] = 31300, [0x4012] = 0, [0x4013] = 0,
        [0x4016] = 0, [0x4017] = 2301, [0x401C] = 0, [0x401D] = 7200, [0x401E] = 1, [0x401F] = 4464,
      },
      expect = {
        status = 3, state = 4, fault = 0, socket_lock = 0x0111, current_limit = 32, current_a = 31.3, current_b = 0,
        current_c = false, voltage_a = 230.1, power = 7200, session_energy = 70000,
        firmware_major = 1, firmware_minor = 8, firmware_patch = 31, rated_current = 32, serial = "0102030405060708",
      },
    },
    -- 0x83: state 3 with the flag in bit 7
    { registers = { [0x400C] = 0, [0x400D] = 0x8300 }, expect = { state = 3, status = 2 } },
    { registers = { [0x4008] = 0, [0x4009] = 8, [0x400C] = 0, [0x400D] = 0 }, expect = { fault = 8, status = 255 } },
    { registers = { [0x401C] = 0xFFFF, [0x401D] = 0xFFFF }, expect = { power = false, status = 0 } },
  },
}
