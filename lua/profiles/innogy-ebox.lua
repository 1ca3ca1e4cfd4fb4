-- Innogy and E.ON eBox, Modbus TCP, unit 1. The limit is a register for each phase, each written by itself: a sequence does
-- that, at 16 A, and nothing writes it again. Readings without a charge are constant or nonsense: taken while one runs. Power
-- is worked out of them. Energy needs table version 6. State E means that nobody is there. Untested on hardware.
return {
  forecourt = 1,
  kind = "profile",
  name = "innogy-ebox",
  description = "Innogy eBox, E.ON eBox, one connector, three phases",
  source = "reference/chargers.md 1.11 (EVCC), section 4 row 40",
  line = { framing = "tcp" },
  modbus = { max_words = 25, merge_gap = 0 },
  points = {
    serial         = { fc = 4, address = 25, type = "text", words = 25, optional = true, period_ms = 300000 },
    firmware       = { fc = 4, address = 200, type = "text", words = 25, optional = true, period_ms = 300000 },
    state          = { fc = 4, address = 275, type = "text", words = 2, chars = 1 },
    voltage_a      = { fc = 4, address = 301, type = "f32", unit = "V", max = 500, optional = true },
    voltage_b      = { fc = 4, address = 303, type = "f32", unit = "V", max = 500, optional = true },
    voltage_c      = { fc = 4, address = 305, type = "f32", unit = "V", max = 500, optional = true },
    energy         = { fc = 4, address = 307, type = "f32", unit = "kWh", min = 0, optional = true },
    current_a      = { fc = 4, address = 1006, type = "f32", unit = "A", max = 100, valid_when = { state = { "C", "D" } } },
    current_b      = { fc = 4, address = 1008, type = "f32", unit = "A", max = 100, valid_when = { state = { "C", "D" } } },
    current_c      = { fc = 4, address = 1010, type = "f32", unit = "A", max = 100, valid_when = { state = { "C", "D" } } },
    power          = {
      fc = 4, address = 1006, type = "f32", unit = "W", valid_when = { state = { "C", "D" } },
      hook = function(_, get)
        local sum = 0
        for _, phase in ipairs({ "a", "b", "c" }) do
          local current = get("current_" .. phase)
          if not current then return nil end
          sum = sum + current * (get("voltage_" .. phase) or 230)
        end
        return sum
      end,
    },
    current_limit  = { address = 1012, type = "f32", unit = "A", max = 100 },
  },
  status = { point = "state", map = { A = 1, B = 2, C = 3, D = 3, E = 1, F = 255 }, default = 255 },
  commands = {
    start = {
      steps = {
        { fc = 16, address = 1012, values = { 0x4180, 0 } }, { fc = 16, address = 1014, values = { 0x4180, 0 } },
        { fc = 16, address = 1016, values = { 0x4180, 0 } }, { check = "current_limit", equals = 16 },
      },
    },
    stop = {
      steps = {
        { fc = 16, address = 1012, values = { 0, 0 } }, { fc = 16, address = 1014, values = { 0, 0 } },
        { fc = 16, address = 1016, values = { 0, 0 } }, { check = "current_limit", equals = 0 },
      },
    },
  },
  examples = {
    {
      fc = 4,
      registers = {
        [275] = 0x4332, [276] = 0, [301] = 0x4366, [302] = 0x8000, [307] = 0x449A, [308] = 0x5000, [1006] = 0x4180, [1007] = 0,
        [1008] = 0, [1009] = 0, [1010] = 0, [1011] = 0,
      },
      expect = { state = "C", status = 3, voltage_a = 230.5, energy = 1234.5, current_a = 16, current_b = 0, power = 3688 },
    },
    { -- a current that stands there though nobody charges
      fc = 4,
      registers = { [275] = 0x4231, [276] = 0, [1006] = 0x4180, [1007] = 0, [1008] = 0, [1009] = 0, [1010] = 0, [1011] = 0 },
      expect = { state = "B", status = 2, current_a = false, power = false },
    },
    { fc = 4, registers = { [275] = 0x4500, [276] = 0 }, expect = { status = 1 } },
    { fc = 3, registers = { [1012] = 0x4180, [1013] = 0 }, expect = { current_limit = 16 } },
  },
}
