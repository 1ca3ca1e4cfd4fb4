-- INFY power modules that speak "V1.13" of the vendor's CAN protocol (REG series). One device is one module. Untested on hardware.
local volts = 500 -- what a module is told together with a current limit: the voltage of your pack

return {
  forecourt = 1,
  kind = "profile",
  name = "infy-v1",
  description = "INFY charging module, CAN V1.13; unit = the module's address, 0 to 59",
  source = "reference/chargers.md 2.9 (EVerest InfyPower)",
  can = {
    bitrate = 125000,
    order = "big",
    master = 0xF0,
    timeout_ms = 10000,
    gap_ms = 20,
    id = { error = { 26, 28 }, device = { 22, 25 }, command = { 16, 21 }, to = { 8, 15 }, from = { 0, 7 } },
    messages = {
      -- Of all modules together. A manual's sample has the addresses of the question in it: not looked at.
      system = { id = { device = 0x0A, command = 0x01 }, length = 8 },
      output = { id = { device = 0x0A, command = 0x03, to = "master", from = "unit" }, length = 8 },
      status = { id = { device = 0x0A, command = 0x04, to = "master", from = "unit" }, length = 8 },
      limits = { id = { device = 0x0A, command = 0x0A, to = "master", from = "unit" }, length = 8 },
      ready = { id = { device = 0x0A, command = 0x0C, to = "master", from = "unit" }, length = 4 },
      switched = { id = { device = 0x0A, command = 0x1A, to = "master", from = "unit" } },
      set = { id = { device = 0x0A, command = 0x1C, to = "master", from = "unit" } },
    },
    -- A module that hears nothing for 10 s switches itself off: something goes out at least every 3 s.
    requests = {
      output = {
        id = { device = 0x0A, command = 0x03, to = "unit", from = "master" }, fill = 0,
        answer = "output", period_ms = 1000,
      },
      status = {
        id = { device = 0x0A, command = 0x04, to = "unit", from = "master" }, fill = 0,
        answer = "status", period_ms = 2000,
      },
      system = {
        id = { device = 0x0A, command = 0x01, to = 0x3F, from = "master" }, fill = 0,
        answer = "system", period_ms = 5000,
      },
      limits = {
        id = { device = 0x0A, command = 0x0A, to = "unit", from = "master" }, fill = 0,
        answer = "limits", period_ms = 60000,
      },
      ready = {
        id = { device = 0x0A, command = 0x0C, to = "unit", from = "master" }, fill = 0,
        answer = "ready", period_ms = 5000,
      },
    },
  },
  points = {
    voltage_a       = { message = "output", byte = 0, type = "f32", unit = "V", min = 0, max = 2000 },
    current_a       = { message = "output", byte = 4, type = "f32", unit = "A", min = -500, max = 500 },
    power = {
      message = "output", byte = 0, type = "f32", unit = "W",
      hook = function(voltage, get)
        local amperes = get("current_a")
        return amperes and voltage * amperes
      end,
    },
    system_voltage  = { message = "system", byte = 0, type = "f32", unit = "V", min = 0, max = 2000 },
    system_current  = { message = "system", byte = 4, type = "f32", unit = "A", min = -5000, max = 5000 },
    -- Bits of byte 6; bit 0 is what the module does, the others are what is wrong.
    state           = { message = "status", byte = 6, type = "u8", bit = 0 },
    fault           = { message = "status", byte = 6, type = "u8", mask = 0xBE },
    group           = { message = "status", byte = 2, type = "u8" },
    temperature     = { message = "status", byte = 4, type = "s8", unit = "degC" },
    alarms = {
      message = "status", byte = 5, type = "bits", bytes = 3,
      names = {
        [0] = "output short", [4] = "sleeping", [5] = "discharge fault",
        [9] = "fault", [10] = "protection", [11] = "fan", [12] = "overtemperature", [13] = "output overvoltage",
        [15] = "communication lost",
        [16] = "power limited", [17] = "address repeated", [18] = "current sharing", [19] = "phase lost",
        [20] = "phases unbalanced", [21] = "input undervoltage", [22] = "input overvoltage", [23] = "PFC off",
      },
    },
    most_voltage    = { message = "limits", byte = 0, type = "u16", unit = "V" },
    least_voltage   = { message = "limits", byte = 2, type = "u16", unit = "V" },
    most_current    = { message = "limits", byte = 4, type = "u16", scale = 0.1, unit = "A" },
    most_power      = { message = "limits", byte = 6, type = "u16", scale = 10, unit = "W" },
    diode_voltage   = { message = "ready", byte = 0, type = "u16", scale = 0.1, unit = "V" },
    ready_current   = { message = "ready", byte = 2, type = "u16", scale = 0.1, unit = "A" },
  },
  status = {
    point = "state",
    map = { [0] = 3, [1] = 1 }, -- the DC side is on, off
    default = 255,
    faults = { { point = "fault", ["not"] = 0 } },
  },
  -- 0x1C: millivolts and milliamperes. The module forgets them with its supply.
  setpoint = {
    id = { device = 0x0A, command = 0x1C, to = "unit", from = "master" },
    data = { { value = volts * 1000, type = "u32" }, { from = "setpoint", type = "u32", scale = 0.001 } },
    answer = "set", unit = "A", min = 0, max = 500, refresh_ms = 60000,
  },
  commands = {
    start = {
      steps = {
        {
          id = { device = 0x0A, command = 0x1A, to = "unit", from = "master" }, data = { 0 }, fill = 0,
          answer = "switched", within_ms = 3000,
        },
        { check = "state", equals = 0, within_ms = 10000 },
      },
    },
    stop = {
      steps = {
        {
          id = { device = 0x0A, command = 0x1A, to = "unit", from = "master" }, data = { 1 }, fill = 0,
          answer = "switched", within_ms = 3000,
        },
        { check = "state", equals = 1, within_ms = 10000 },
      },
    },
  },
  examples = {
    -- The vendor's sample.
    { frames = { "02813FF0#43FA000042480000" }, expect = { system_voltage = 500, system_current = 50 } },
    {
      unit = 0,
      frames = { "0283F000#43FA000040600000", "0284F000#0000020028100100" },
      sent = { "028300F0#0000000000000000", "028400F0#0000000000000000" },
      expect = {
        voltage_a = 500, current_a = 3.5, power = 1750, state = 1, status = 1, group = 2, temperature = 40,
        alarms = "phases unbalanced", fault = 0,
      },
    },
    { -- another module's answer is no answer
      unit = 0, frames = { "0283F001#43FA000040600000" }, expect = { voltage_a = false, status = 0 },
    },
    { unit = 3, frames = { "0284F003#0000020028001200" }, expect = { status = 255, alarms = "fault, overtemperature" } },
    {
      unit = 0, frames = { "028AF000#02EE0096019003E8", "028CF000#13880096" },
      expect = {
        most_voltage = 750, least_voltage = 150, most_current = 40, most_power = 10000, diode_voltage = 500,
        ready_current = 15,
      },
    },
    {
      unit = 0, command = "start", frames = { "029AF000#0000000000000000", "0284F000#0000000000000000" },
      sent = { "029A00F0#0000000000000000" }, result = "ok", expect = { status = 3 },
    },
    { -- the limit goes out once the module has been heard
      unit = 0, limit = 20, frames = { "0283F000#43FA000040600000" }, sent = { "029C00F0#0007A12000004E20" },
      expect = { voltage_a = 500 },
    },
  },
}
