-- Webasto Unite and Vestel EVC04, Modbus TCP, unit 255: isolated registers, each read by itself; texts are UTF-16. The
-- firmware's 50 words may take longer than the charger's patience: asked for rarely, and left out when they are refused. The
-- card (1516, from firmware 3.156 on) is personal data; phases (405) are not switched. Untested on hardware.
return {
  forecourt = 1,
  kind = "profile",
  name = "webasto-unite",
  description = "Webasto Unite, Vestel EVC04, one connector, three phases",
  source = "reference/chargers.md 1.1 and 1.8 (EVCC), section 4 row 45",
  line = { framing = "tcp", response_timeout_ms = 2000 },
  modbus = { max_words = 50, merge_gap = 0 },
  points = {
    serial         = { fc = 4, address = 100, type = "text", encoding = "utf-16", words = 25, optional = true, period_ms = 300000 },
    firmware       = { fc = 4, address = 230, type = "text", encoding = "utf-16", words = 50, optional = true, period_ms = 300000 },
    -- 1 charging, else what the cable says: 2 and more is a car. 2 is ours.
    state          = {
      fc = 4, address = 1001, type = "u16",
      hook = function(raw, get)
        local cable = get("cable")
        return raw == 1 and 1 or cable and (cable >= 2 and 2 or 0)
      end,
    },
    cable          = { fc = 4, address = 1004, type = "u16" },
    current_a      = { fc = 4, address = 1008, type = "u16", scale = 0.001, unit = "A" },
    current_b      = { fc = 4, address = 1010, type = "u16", scale = 0.001, unit = "A" },
    current_c      = { fc = 4, address = 1012, type = "u16", scale = 0.001, unit = "A" },
    voltage_a      = { fc = 4, address = 1014, type = "u16", unit = "V", max = 500 },
    voltage_b      = { fc = 4, address = 1016, type = "u16", unit = "V", max = 500 },
    voltage_c      = { fc = 4, address = 1018, type = "u16", unit = "V", max = 500 },
    power          = { fc = 4, address = 1020, type = "u32", unit = "W", max = 50000 },
    energy         = { fc = 4, address = 1036, type = "u32", scale = 0.1, unit = "kWh" },
    session_energy = { fc = 4, address = 1502, type = "u32", unit = "Wh" },
    session_time   = { fc = 4, address = 1508, type = "u32", unit = "s" },
    failsafe_s     = { address = 2002, type = "u16", unit = "s", period_ms = 10000 },
  },
  status = { point = "state", map = { [0] = 1, [1] = 3, [2] = 2 }, default = 255 },
  -- A quarter of its time; of 20 s where it says 0.
  keep_alive = { fc = 6, address = 6000, value = 1, period_ms = 5000, period_from = "failsafe_s", period_share = 0.25 },
  setpoint = { fc = 6, address = 5004, type = "u16", unit = "A", min = 6, max = 32, pause = 0 },
  commands = { start = { limit = 32 }, stop = { pause = true } },
  examples = {
    {
      registers = {
        [1001] = 1, [1004] = 3, [1008] = 15970, [1014] = 231, [1020] = 0, [1021] = 11012, [1036] = 0, [1037] = 12345,
        [1502] = 0, [1503] = 4321, [1508] = 0, [1509] = 1800, [2002] = 20,
      },
      expect = {
        state = 1, status = 3, current_a = 15.97, voltage_a = 231, power = 11012, energy = 1234.5, session_energy = 4321,
        session_time = 1800, failsafe_s = 20,
      },
    },
    { registers = { [1001] = 0, [1004] = 2 }, expect = { state = 2, status = 2 } },
    { registers = { [1001] = 0, [1004] = 1 }, expect = { state = 0, status = 1 } },
    { registers = { [1001] = 0 }, expect = { state = false, status = 0 } },
  },
}
