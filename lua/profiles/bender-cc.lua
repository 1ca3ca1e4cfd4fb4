-- Bender charge controllers CC61x and what has one inside (Mennekes Charge Control and 4You, ebee, Webasto Live, Juice, Garo,
-- ...), Modbus TCP, unit 255. What is absent reads as ones. Registers 730 to 746 (the car's state of charge and id) must not
-- be touched on 4You and 4Business: refused, the connection is closed, and what comes then fails too (evcc-io/evcc#32560).
-- Without them no model is lost, so they are denied for all. The tag (720) is personal data. Untested on hardware.
return {
  forecourt = 1,
  kind = "profile",
  name = "bender-cc",
  description = "Bender CC612, CC613 (Mennekes, ebee, Webasto Live, Juice, Garo), one connector",
  source = "reference/chargers.md 1.1 and 1.7 (EVCC), section 4 row 26",
  line = { framing = "tcp" },
  modbus = { max_words = 6, merge_gap = 0, deny = { { 730, 746 } } },
  points = {
    firmware       = { address = 100, type = "text", words = 2, period_ms = 60000 },
    state          = { address = 122, type = "u16" },
    -- 0 off, 1 three phases, 5 one phase
    relay          = { address = 140, type = "u16" },
    current_a      = { address = 212, type = "u32", scale = 0.001, unit = "A", max = 100 },
    current_b      = { address = 214, type = "u32", scale = 0.001, unit = "A", max = 100 },
    current_c      = { address = 216, type = "u32", scale = 0.001, unit = "A", max = 100 },
    energy         = { address = 218, type = "u32", unit = "Wh", invalid = { 0xFFFFFFFF } },
    power          = { address = 220, type = "u32", unit = "W", max = 50000 },
    voltage_a      = { address = 222, type = "u32", unit = "V", max = 500 },
    voltage_b      = { address = 224, type = "u32", unit = "V", max = 500 },
    voltage_c      = { address = 226, type = "u32", unit = "V", max = 500 },
    current_limit  = { address = 1000, type = "u16", unit = "A", max = 80 },
  },
  -- The pilot: A, B, C, D. Of what is above, E and F for all we know, nothing is stated.
  status = { point = "state", map = { 1, 2, 3, 3 }, default = 255 },
  setpoint = { fc = 16, address = 1000, type = "u16", unit = "A", min = 6, max = 32, pause = 0, verify = "current_limit" },
  commands = {
    start = { steps = { { limit = 32 }, { check = "current_limit", ["not"] = 0 } } },
    stop = { steps = { { pause = true }, { check = "current_limit", equals = 0 } } },
  },
  examples = {
    {
      registers = {
        [122] = 3, [140] = 1, [212] = 0, [213] = 15990, [214] = 0, [215] = 15950, [216] = 0, [217] = 16010, [218] = 18,
        [219] = 54919, [220] = 0, [221] = 11020, [222] = 0, [223] = 230, [1000] = 16,
      },
      expect = {
        status = 3, relay = 1, current_a = 15.99, energy = 1234567, power = 11020, voltage_a = 230, current_limit = 16,
      },
    },
    { -- a model without a meter
      registers = {
        [122] = 2, [212] = 0xFFFF, [213] = 0xFFFF, [218] = 0xFFFF, [219] = 0xFFFF, [220] = 0xFFFF, [221] = 0xFFFF,
      },
      expect = { status = 2, current_a = false, energy = false, power = false },
    },
    { registers = { [122] = 1 }, expect = { status = 1 } },
    { registers = { [122] = 5 }, expect = { status = 255 } },
  },
}
