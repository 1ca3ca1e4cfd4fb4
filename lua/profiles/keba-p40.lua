-- KEBA KeContact P40, Modbus TCP, unit 255. As the P30 (see keba-p30) every value is read alone; it is paused by a limit of 0,
-- and firmware before 1.2.1 counts energy in Wh. The card (1500) is personal data. Untested on hardware.
return {
  forecourt = 1,
  kind = "profile",
  name = "keba-p40",
  description = "KEBA KeContact P40, one connector, three phases",
  source = "reference/chargers.md 1.5 (EVCC and OpenEMS); error code 1006: the P30's Programmers Guide",
  line = { framing = "tcp" },
  modbus = { single = true, max_words = 2 },
  firmware = { point = "firmware", form = "decimal" },
  points = {
    -- State 1 is "not ready": nobody there, or a plugged car that is not authorised yet, which the cable tells: 6 is ours.
    state          = {
      fc = 3, address = 1000, type = "u32",
      hook = function(raw, get) return raw == 1 and (get("cable") or 0) >= 5 and 6 or raw end,
    },
    fault          = { fc = 3, address = 1006, type = "u32", period_ms = 5000 },
    -- 0 none, 1 plugged here, 3 and locked, 5 plugged here and in the car, 7 and locked
    cable          = { fc = 3, address = 1004, type = "u32" },
    power          = { fc = 3, address = 1020, type = "u32", scale = 0.001, unit = "W", max = 50000 },
    energy         = {
      fc = 3, address = 1036, type = "u32", scale = 0.1, unit = "Wh",
      variants = { { firmware = "<1.2.1", scale = 1 } },
    },
    -- Each of these is a request of its own: slower, so that state and power keep their pace.
    current_a      = { fc = 3, address = 1008, type = "u32", scale = 0.001, unit = "A", max = 100, period_ms = 5000 },
    current_b      = { fc = 3, address = 1010, type = "u32", scale = 0.001, unit = "A", max = 100, period_ms = 5000 },
    current_c      = { fc = 3, address = 1012, type = "u32", scale = 0.001, unit = "A", max = 100, period_ms = 5000 },
    -- 0 unless charging (evcc-io/evcc#7485)
    voltage_a      = { fc = 3, address = 1040, type = "u32", unit = "V", max = 500, period_ms = 5000, valid_when = { state = 3 } },
    voltage_b      = { fc = 3, address = 1042, type = "u32", unit = "V", max = 500, period_ms = 5000, valid_when = { state = 3 } },
    voltage_c      = { fc = 3, address = 1044, type = "u32", unit = "V", max = 500, period_ms = 5000, valid_when = { state = 3 } },
    -- Not reset when another car comes
    session_energy = { fc = 3, address = 1502, type = "u32", scale = 0.1, unit = "Wh", period_ms = 5000 },
    -- 0: there is no fail-safe
    failsafe_s     = { fc = 3, address = 1602, type = "u32", unit = "s", period_ms = 10000 },
    serial         = { fc = 3, address = 1014, type = "u32", period_ms = 60000 },
    product        = { fc = 3, address = 1016, type = "u32", period_ms = 60000 },
    -- Decimal XXYYZZ
    firmware       = { fc = 3, address = 1018, type = "u32", period_ms = 60000 },
  },
  status = {
    point = "state",
    -- start-up, not ready, ready, charging, error, suspended, not ready with a car
    map = { [0] = 0, [1] = 1, [2] = 2, [3] = 3, [4] = 255, [5] = 2, [6] = 2 },
    default = 255,
  },
  -- Where somebody armed the fail-safe, it is kept quiet with its own time; nothing here arms it or makes it last (5020):
  -- it would stay armed for ever after one try (evcc-io/evcc#22262).
  keep_alive = {
    fc = 6, address = 5018, value_from = "failsafe_s", period_ms = 10000, period_from = "failsafe_s", unless = { failsafe_s = 0 },
  },
  -- Its range is taken from the P30.
  setpoint = { fc = 6, address = 5004, type = "u16", scale = 0.001, unit = "A", min = 6, max = 32, pause = 0 },
  commands = { start = { limit = 32 }, stop = { pause = true } },
  examples = {
    {
      registers = {
        [1000] = 0, [1001] = 3, [1004] = 0, [1005] = 7, [1008] = 0, [1009] = 15980, [1014] = 282, [1015] = 11527,
        [1016] = 66, [1017] = 43524, [1018] = 0, [1019] = 31014, [1020] = 56, [1021] = 35984, [1036] = 188, [1037] = 24910,
        [1040] = 0, [1041] = 231, [1502] = 0, [1503] = 12345,
      },
      expect = {
        status = 3, state = 3, cable = 7, current_a = 15.98, current_b = false, power = 3706, energy = 1234567.8,
        voltage_a = 231, session_energy = 1234.5, serial = 18492679, product = 4368900, firmware = 31014,
      },
    },
    { -- firmware 1.1.9, and a voltage that is none
      registers = { [1000] = 0, [1001] = 2, [1018] = 0, [1019] = 10109, [1036] = 0, [1037] = 5000, [1040] = 0, [1041] = 0 },
      expect = { status = 2, firmware = 10109, energy = 5000, voltage_a = false },
    },
    { registers = { [1000] = 0, [1001] = 1, [1004] = 0, [1005] = 3 }, expect = { status = 1 } },
    { registers = { [1000] = 0, [1001] = 1, [1004] = 0, [1005] = 7 }, expect = { status = 2, state = 6 } },
    { registers = { [1000] = 0, [1001] = 4 }, expect = { status = 255 } },
    { registers = { [1000] = 0, [1001] = 0 }, expect = { status = 0 } },
    { registers = { [1000] = 0, [1001] = 77 }, expect = { status = 255, state = 77 } },
    { registers = { [1020] = 0xFFFF, [1021] = 0xFFFF }, expect = { power = false, status = 0 } },
  },
}
