-- Mennekes Amtron Xtra and Premium (controller HCC3), Modbus TCP, unit 255. The low word comes first, texts have their bytes
-- swapped. It measures neither voltages nor a total energy. Untested on hardware.
return {
  forecourt = 1,
  kind = "profile",
  name = "mennekes-hcc3",
  description = "Mennekes Amtron Xtra, Amtron Premium (HCC3), one connector",
  source = "reference/chargers.md 1.1 and 1.7 (EVCC). No total energy is known.",
  line = { framing = "tcp" },
  -- Nobody has shown a read of more than the name.
  modbus = { max_words = 11, merge_gap = 0 },
  points = {
    state          = { fc = 4, address = 0x0302, type = "u16" },
    phases         = { fc = 4, address = 0x0308, type = "u16" },
    serial         = { fc = 4, address = 0x030B, type = "u32", order = "lo-hi", period_ms = 60000 },
    session_energy = { fc = 4, address = 0x030D, type = "u32", order = "lo-hi", unit = "Wh" },
    power          = { fc = 4, address = 0x030F, type = "u32", order = "lo-hi", unit = "W", max = 50000 },
    name           = { fc = 4, address = 0x0311, type = "text", words = 11, swap = true, optional = true, period_ms = 60000 },
    current_limit  = { address = 0x0400, type = "u16", unit = "A", max = 80 },
  },
  -- 1, 2 no car; 3, 4 connected; 5, 6 charging
  status = { point = "state", map = { 1, 1, 2, 2, 3, 3 }, default = 255 },
  setpoint = { fc = 6, address = 0x0400, type = "u16", unit = "A", min = 6, max = 32, pause = 0, verify = "current_limit" },
  commands = {
    start = { steps = { { limit = 32 }, { check = "current_limit", ["not"] = 0 } } },
    stop = { steps = { { pause = true }, { check = "current_limit", equals = 0 } } },
  },
  examples = {
    {
      fc = 4,
      registers = {
        [0x0302] = 5, [0x0308] = 3, [0x030B] = 0x0002, [0x030C] = 0x0001, [0x030D] = 4321, [0x030E] = 0, [0x030F] = 10990,
        [0x0310] = 0,
      },
      expect = { state = 5, status = 3, phases = 3, serial = 65538, session_energy = 4321, power = 10990 },
    },
    { fc = 4, registers = { [0x0302] = 2 }, expect = { status = 1 } },
    { fc = 4, registers = { [0x0302] = 3, [0x030F] = 0xFFFF, [0x0310] = 0xFFFF }, expect = { status = 2, power = false } },
    { fc = 4, registers = { [0x0302] = 9 }, expect = { status = 255 } },
    { fc = 3, registers = { [0x0400] = 0 }, expect = { current_limit = 0 } },
  },
}
