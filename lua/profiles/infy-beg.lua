-- INFY bidirectional modules (BEC, BEG) of the protocol V1.x: one command to read, one to write, the item in the data.
-- Untested on hardware. EVerest's page warns of old firmware that can damage the module.
return {
  forecourt = 1,
  kind = "profile",
  name = "infy-beg",
  description = "INFY BEC/BEG modules, CAN V1.x, read as one system; unit = who is told, 63 = all",
  source = "reference/chargers.md 2.9 (EVerest InfyPower_BEG1K075G)",
  can = {
    bitrate = 125000,
    order = "big",
    master = 0xF0,
    timeout_ms = 10000,
    gap_ms = 10,
    id = { error = { 26, 28 }, device = { 22, 25 }, command = { 16, 21 }, to = { 8, 15 }, from = { 0, 7 } },
    messages = {
      -- Bytes 0 and 1 name the item, 4 to 7 carry it. An answer with an error (2 command, 3 data, 7 starting) is none.
      read = {
        id = { error = 0, command = 0x23, to = "master" }, length = 8, mux = { byte = 0, type = "u16" },
      },
      switched = { id = { command = 0x24, to = "master" }, data = { 0x11, 0x10 } },
    },
    requests = {
      -- A module that hears nothing for 10 s switches itself off.
      values = {
        id = { device = 0x0A, command = 0x23, to = 0x3F, from = "master" },
        data = { { from = "each", type = "u16" } }, fill = 0,
        each = { 0x1001, 0x1002, 0x1110 }, answer = "read", period_ms = 1000,
      },
      slow = {
        id = { device = 0x0A, command = 0x23, to = 0x3F, from = "master" },
        data = { { from = "each", type = "u16" } }, fill = 0,
        each = { 0x1010, 0x1111, 0x2105, 0x2110 }, answer = "read", period_ms = 30000,
      },
    },
  },
  points = {
    voltage_a    = { message = "read", mux = 0x1001, byte = 4, type = "s32", scale = 0.001, unit = "V" },
    current_a    = { message = "read", mux = 0x1002, byte = 4, type = "s32", scale = 0.001, unit = "A" },
    power = {
      message = "read", mux = 0x1001, byte = 4, type = "s32", scale = 0.001, unit = "W",
      hook = function(volts, get)
        local amperes = get("current_a")
        return amperes and volts * amperes
      end,
    },
    modules      = { message = "read", mux = 0x1010, byte = 6, type = "u16" },
    state        = { message = "read", mux = 0x1110, byte = 7, type = "u8" }, -- 0xA0 on, 0xA1 off
    direction    = { message = "read", mux = 0x1111, byte = 7, type = "u8" }, -- rectifier or inverter
    power_factor = { message = "read", mux = 0x2105, byte = 4, type = "s32", scale = 0.001 },
    mode         = { message = "read", mux = 0x2110, byte = 4, type = "u32" },
  },
  status = { point = "state", map = { [0xA0] = 3, [0xA1] = 1 }, default = 255 },
  commands = {
    start = {
      id = { device = 0x0A, command = 0x24, to = "unit", from = "master" },
      data = { 0x11, 0x10, 0, 0, 0, 0, 0, 0xA0 }, answer = "switched", ok = { id = { error = 0 } }, within_ms = 3000,
    },
    stop = {
      id = { device = 0x0A, command = 0x24, to = "unit", from = "master" },
      data = { 0x11, 0x10, 0, 0, 0, 0, 0, 0xA1 }, answer = "switched", ok = { id = { error = 0 } }, within_ms = 3000,
    },
  },
  examples = {
    {
      for_ms = 3000,
      frames = {
        "02A3F03F#1002000000000BB8", "02A3F03F#100100000007A120", "02A3F03F#11100000000000A0",
        "02A3F03F#1010000000000004", "0EA3F03F#2105000000000000",
      },
      sent = { "02A33FF0#1001000000000000", "02A33FF0#1002000000000000", "02A33FF0#1110000000000000" },
      expect = { voltage_a = 500, current_a = 3, power = 1500, state = 0xA0, status = 3, modules = 4, power_factor = false },
    },
    {
      unit = 0, command = "stop", frames = { "02A4F000#11100000000000A1" }, sent = { "02A400F0#11100000000000A1" }, result = "ok",
    },
    { unit = 63, command = "start", frames = { "0EA4F000#11100000000000A0" }, result = "refused" },
  },
}
