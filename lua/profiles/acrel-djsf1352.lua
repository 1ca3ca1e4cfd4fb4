-- Acrel DJSF1352-RN, a DC meter, Modbus RTU, unit 1. Voltage, current and power have a register each that places their decimal
-- point: value = register * 10 ^ (point - 3). A meter has no state: its connector stays off line; give it to
-- one as its meter, once its energy has a scale (below). Untested on hardware.
return {
  forecourt = 1,
  kind = "profile",
  name = "acrel-djsf1352",
  description = "Acrel DJSF1352-RN, DC meter",
  source = "reference/chargers.md 1 (table of meters, EVerest): one read of registers 0 to 19",
  line = { framing = "rtu" },
  modbus = { max_words = 20, merge_gap = 19 },
  points = {
    voltage_a      = {
      address = 0, type = "u16", decimals_from = { point = "voltage_point", offset = -3 }, unit = "V", max = 1500,
    },
    voltage_point  = { address = 1, type = "u16", max = 6 },
    current_a      = { address = 2, type = "s16", decimals_from = { point = "current_point", offset = -3 }, unit = "A" },
    current_point  = { address = 3, type = "u16", max = 6 },
    wire_break     = { address = 4, type = "u16" },
    temperature    = { address = 5, type = "s16" },
    -- chargers.md says neither the unit nor the scale of these three. Energy that is wrong by ten would be billed, so none is guessed. To
    -- bill by this meter, take the step of its energy from the manual or hold the register against the display (display / register
    -- = scale), copy this file under another name and put one line beside these; the ratio (16) counts where a transformer is set:
    --   energy = { address = 12, type = "u32", scale = 0.01, unit = "kWh", min = 0 },   with YOUR scale
    -- and energy_out at 14 alike. An example with the display's figure holds it: expect = { energy = 655.38 }.
    power_raw      = { address = 8, type = "s16", decimals_from = { point = "power_point", offset = -3 } },
    power_point    = { address = 9, type = "u16", max = 6 },
    energy_in_raw  = { address = 12, type = "u32" },
    energy_out_raw = { address = 14, type = "u32" },
    alarm          = { address = 19, type = "u16" },
    -- So it is worked out from what is known
    power          = {
      address = 0, type = "u16", unit = "W",
      hook = function(_, get)
        local u, i = get("voltage_a"), get("current_a")
        return u and i and u * i
      end,
    },
  },
  examples = {
    { -- 7501 * 10^(2-3) V, -1250 * 10^(1-3) A
      registers = {
        [0] = 7501, [1] = 2, [2] = 0xFB1E, [3] = 1, [4] = 0, [5] = 25, [8] = 0xFC56, [9] = 4, [12] = 1, [13] = 2, [19] = 0,
      },
      expect = {
        voltage_a = 750.1, current_a = -12.5, power = -9376.25, power_raw = -9380, energy_in_raw = 65538,
        temperature = 25, alarm = 0,
      },
    },
    -- Without the decimal point's register nothing is known
    { registers = { [0] = 7501 }, expect = { voltage_a = false, power = false } },
    { registers = { [0] = 7501, [1] = 99 }, expect = { voltage_a = false } },
  },
}
