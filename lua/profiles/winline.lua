-- Winline charging modules, and those of Sinexcel and Maxwell style with the same protocol 0x060. Untested on hardware.
return {
  forecourt = 1,
  kind = "profile",
  name = "winline",
  description = "Winline charging module (protocol 0x060); unit = its address, 0 to 63",
  source = "reference/chargers.md 2.9 (EVerest Winline, F1atline)",
  can = {
    bitrate = 125000,
    order = "big",
    master = 0xF0,
    timeout_ms = 10000,
    gap_ms = 10,
    id = { protocol = { 20, 28 }, alone = { 19, 19 }, to = { 11, 18 }, from = { 3, 10 }, group = { 0, 2 } },
    messages = {
      -- Byte 0 the kind of the value (0x41 float, 0x42 whole), byte 1 0xF0 for good, 2 and 3 the register, 4 to 7 its value.
      float = {
        id = { protocol = 0x060, to = "master", from = "unit" }, data = { 0x41, 0xF0 }, length = 8,
        mux = { byte = 2, type = "u16" },
      },
      whole = {
        id = { protocol = 0x060, to = "master", from = "unit" }, data = { 0x42, 0xF0 }, length = 8,
        mux = { byte = 2, type = "u16" },
      },
      limited = { id = { protocol = 0x060, to = "master", from = "unit" }, data = { false, false, 0x00, 0x1B } },
      switched = { id = { protocol = 0x060, to = "master", from = "unit" }, data = { false, false, 0x00, 0x30 } },
    },
    requests = {
      values = {
        id = { protocol = 0x060, alone = 1, to = "unit", from = "master" },
        data = { 0x10, 0, { from = "each", type = "u16" } }, fill = 0,
        each = { 0x01, 0x02 }, answer = "float", period_ms = 1000,
      },
      alarms = {
        id = { protocol = 0x060, alone = 1, to = "unit", from = "master" },
        data = { 0x10, 0, { from = "each", type = "u16" } }, fill = 0,
        each = { 0x40 }, answer = "whole", period_ms = 1000,
      },
      slow = {
        id = { protocol = 0x060, alone = 1, to = "unit", from = "master" },
        data = { 0x10, 0, { from = "each", type = "u16" } }, fill = 0,
        each = { 0x03, 0x04, 0x0B, 0x0C, 0x0D, 0x0E, 0x11, 0x12 }, answer = "float", period_ms = 10000,
      },
    },
  },
  points = {
    voltage_a     = { message = "float", mux = 0x01, byte = 4, type = "f32", unit = "V", min = 0, max = 1500 },
    current_a     = { message = "float", mux = 0x02, byte = 4, type = "f32", unit = "A", min = 0, max = 500 },
    power = {
      message = "float", mux = 0x01, byte = 4, type = "f32", unit = "W",
      hook = function(volts, get)
        local amperes = get("current_a")
        return amperes and volts * amperes
      end,
    },
    limit         = { message = "float", mux = 0x03, byte = 4, type = "f32" },
    temperature   = { message = "float", mux = 0x04, byte = 4, type = "f32", unit = "degC" },
    ambient       = { message = "float", mux = 0x0B, byte = 4, type = "f32", unit = "degC" },
    input_ab      = { message = "float", mux = 0x0C, byte = 4, type = "f32", unit = "V" },
    input_bc      = { message = "float", mux = 0x0D, byte = 4, type = "f32", unit = "V" },
    input_ca      = { message = "float", mux = 0x0E, byte = 4, type = "f32", unit = "V" },
    rated_power   = { message = "float", mux = 0x11, byte = 4, type = "f32", unit = "W" },
    rated_current = { message = "float", mux = 0x12, byte = 4, type = "f32", unit = "A" },
    state         = { message = "whole", mux = 0x40, byte = 4, type = "u32", bit = 22 }, -- 1: switched off
    -- Bits 0 fault, 1 protection, 3 inner link, 7 output overvoltage, 8 PFC, 9 and 14 input, 16 CAN, 17 unbalance.
    fault         = { message = "whole", mux = 0x40, byte = 4, type = "u32", mask = 0x0003438B },
    alarms = {
      message = "whole", mux = 0x40, byte = 4, type = "bits", bytes = 4,
      names = {
        [0] = "fault", [1] = "protection", [3] = "inner link", [7] = "output overvoltage", [8] = "PFC",
        [9] = "input overvoltage", [14] = "input undervoltage", [16] = "CAN lost", [17] = "unbalanced", [22] = "off",
        [23] = "limiting",
      },
    },
  },
  status = {
    point = "state", map = { [0] = 3, [1] = 1 }, default = 255, faults = { { point = "fault", ["not"] = 0 } },
  },
  -- Register 0x1B is the current in 1/1024 A.
  setpoint = {
    id = { protocol = 0x060, alone = 1, to = "unit", from = "master" },
    data = { 0x03, 0, 0x00, 0x1B, { from = "setpoint", type = "u32", scale = 1 / 1024 } },
    answer = "limited", ok = { false, 0xF0 }, unit = "A", min = 0, max = 100, refresh_ms = 30000,
  },
  commands = {
    start = {
      id = { protocol = 0x060, alone = 1, to = "unit", from = "master" }, data = { 0x03, 0, 0x00, 0x30 }, fill = 0,
      answer = "switched", ok = { false, 0xF0 }, within_ms = 3000,
    },
    stop = {
      id = { protocol = 0x060, alone = 1, to = "unit", from = "master" },
      data = { 0x03, 0, 0x00, 0x30, 0x00, 0x01, 0x00, 0x00 },
      answer = "switched", ok = { false, 0xF0 }, within_ms = 3000,
    },
  },
  examples = {
    {
      unit = 0,
      frames = {
        "060F8003#42F0004000000000", "060F8003#41F0000242480000", "060F8003#41F0000143FA0000",
        "060F800B#41F0000142480000",
      },
      sent = { "06080780#1000004000000000", "06080780#1000000300000000" },
      expect = { voltage_a = 500, current_a = 50, power = 25000, state = 0, fault = 0, status = 3, alarms = "" },
    },
    { unit = 0, frames = { "060F8003#42F0004000400000" }, expect = { state = 1, status = 1, alarms = "off" } },
    { unit = 0, frames = { "060F8003#42F0004000004001" }, expect = { status = 255, alarms = "fault, input undervoltage" } },
    {
      unit = 0, command = "stop", frames = { "060F8003#42F0003000010000" },
      sent = { "06080780#0300003000010000" }, result = "ok",
    },
    { unit = 0, command = "start", frames = { "060F8003#42F2003000000000" }, result = "refused" },
    { -- 20 A, once the module has been heard
      unit = 0, limit = 20, frames = { "060F8003#41F0000143FA0000" }, sent = { "06080780#0300001B00005000" },
    },
  },
}
