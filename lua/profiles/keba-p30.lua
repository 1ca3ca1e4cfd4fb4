-- KEBA KeContact P30, Modbus TCP, unit 255. Every value is two words and must be read alone: a read across the border of two
-- values is refused. The P40 counts otherwise: see keba-p40. The card (1500) is personal data. Untested on hardware.
return {
  forecourt = 1,
  kind = "profile",
  name = "keba-p30",
  description = "KEBA KeContact P30, one connector, three phases",
  source = "reference/chargers.md 1.5 (EVCC and OpenEMS); error code 1006: KEBA's Programmers Guide",
  line = { framing = "tcp" },
  -- To a request of one word it answers two (chargers.md section 4, row 25). No read here asks for one, so longer_answers is not wanted:
  -- an answer of another length is torn, and must not be taken.
  modbus = { single = true, max_words = 2 },
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
    energy         = { fc = 3, address = 1036, type = "u32", scale = 0.1, unit = "Wh" },
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
  -- 6000 to 63000 mA are taken; held until a restart. The DIP switches' limit stands below it.
  setpoint = { fc = 6, address = 5004, type = "u16", scale = 0.001, unit = "A", min = 6, max = 32 },
  commands = {
    start = { steps = { { limit = 32 }, { fc = 6, address = 5014, value = 1 } } },
    stop = { fc = 6, address = 5014, value = 0 },
  },
  examples = {
    {
      registers = {
        [1000] = 0, [1001] = 3, [1004] = 0, [1005] = 7, [1008] = 0, [1009] = 15980, [1014] = 282, [1015] = 11527,
        [1016] = 4, [1017] = 53180, [1018] = 0, [1019] = 31014, [1020] = 56, [1021] = 35984, [1036] = 188, [1037] = 24910,
        [1040] = 0, [1041] = 231, [1502] = 0, [1503] = 12345,
      },
      expect = {
        status = 3, state = 3, cable = 7, current_a = 15.98, current_b = false, power = 3706, energy = 1234567.8,
        voltage_a = 231, session_energy = 1234.5, serial = 18492679, product = 315324, firmware = 31014,
      },
    },
    { registers = { [1000] = 0, [1001] = 2, [1040] = 0, [1041] = 0 }, expect = { status = 2, voltage_a = false } },
    { registers = { [1000] = 0, [1001] = 1, [1004] = 0, [1005] = 3 }, expect = { status = 1 } },
    { registers = { [1000] = 0, [1001] = 1, [1004] = 0, [1005] = 7 }, expect = { status = 2, state = 6 } },
    { registers = { [1000] = 0, [1001] = 4 }, expect = { status = 255 } },
    { registers = { [1000] = 0, [1001] = 0 }, expect = { status = 0 } },
    { registers = { [1000] = 0, [1001] = 77 }, expect = { status = 255, state = 77 } },
    { registers = { [1020] = 0xFFFF, [1021] = 0xFFFF }, expect = { power = false, status = 0 } },
  },
}
