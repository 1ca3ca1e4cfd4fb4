-- ABL eMH1, Modbus ASCII, 38400 baud 8E1, unit 1. The first request after a pause is lost: polled all the time it does not
-- pause, and a command that is lost is one that failed, and is given again. Currents need the sensor of some models; there is
-- no voltage and no energy: a meter beside it counts. Untested on hardware.
return {
  forecourt = 1,
  kind = "profile",
  name = "abl-emh1",
  description = "ABL eMH1, one connector",
  source = "reference/chargers.md 1.1 and 1.11 (EVCC). No energy is known.",
  line = { framing = "ascii", baud = 38400, parity = "even", stop_bits = 1 },
  modbus = { max_words = 5, merge_gap = 0 },
  points = {
    -- Low byte: the letter and its number
    state          = { address = 0x04, type = "u16", mask = 0xFF },
    -- A block of five words: its last three are the currents, L3 first; 0x03E8 and 1 stand for none
    current_a      = {
      address = 0x2E, type = "raw", words = 5, unit = "A", max = 100,
      hook = function(raw) return raw[5] ~= 0x03E8 and raw[5] ~= 1 and raw[5] / 10 or 0 end,
    },
    current_b      = {
      address = 0x2E, type = "raw", words = 5, unit = "A", max = 100,
      hook = function(raw) return raw[4] ~= 0x03E8 and raw[4] ~= 1 and raw[4] / 10 or 0 end,
    },
    current_c      = {
      address = 0x2E, type = "raw", words = 5, unit = "A", max = 100,
      hook = function(raw) return raw[3] ~= 0x03E8 and raw[3] ~= 1 and raw[3] / 10 or 0 end,
    },
  },
  status = {
    point = "state",
    -- E0 to E3: switched off, test, set-up, bus idle; F1 and above are faults, F4 (nobody asks) among them
    map = {
      [0xA1] = 1, [0xB1] = 2, [0xB2] = 2, [0xC2] = 3, [0xC3] = 3, [0xC4] = 3, [0xE0] = 0, [0xE1] = 0, [0xE2] = 0, [0xE3] = 0,
    },
    default = 255,
  },
  -- The duty cycle that the car is told: 0.06 A a step; 0x03E8 (which would be 60 A) is off.
  setpoint = { fc = 16, address = 0x14, type = "u16", scale = 0.06, unit = "A", min = 6, max = 32, pause = 60 },
  commands = {
    start = { limit = 32 },
    stop = { pause = true },
    -- After E0
    enable = { fc = 16, address = 0x05, values = { 0xA1A1 } },
  },
  examples = {
    {
      registers = { [0x04] = 0x01C2, [0x2E] = 0, [0x2F] = 0x01C2, [0x30] = 159, [0x31] = 0x03E8, [0x32] = 161 },
      expect = { state = 0xC2, status = 3, current_a = 16.1, current_b = 0, current_c = 15.9 },
    },
    { registers = { [0x04] = 0x00A1 }, expect = { status = 1 } },
    { registers = { [0x04] = 0x00B2 }, expect = { status = 2 } },
    { registers = { [0x04] = 0x00E0 }, expect = { status = 0 } },
    { registers = { [0x04] = 0x00F4 }, expect = { status = 255 } },
    { registers = { [0x2E] = 0, [0x2F] = 0, [0x30] = 0, [0x31] = 0, [0x32] = 0xFFFF }, expect = { current_a = false } },
  },
}
