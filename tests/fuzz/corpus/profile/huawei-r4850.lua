-- Huawei R4850G2 rectifier on CAN. It falls back to its stored voltage and current when it hears nothing. Untested on hardware.
return {
  forecourt = 1,
  kind = "profile",
  name = "huawei-r4850",
  description = "Huawei R4850G2 rectifier; unit = its address, 1 for a lone one",
  source = "reference/chargers.md 2.9 (craigpeacock/Huawei_R4850G2_CAN); 1/30 A is the R4850's, other models differ",
  can = {
    bitrate = 125000,
    order = "big",
    timeout_ms = 10000,
    id = {
      protocol = { 23, 28 }, unit = { 16, 22 }, message = { 8, 15 }, master = { 7, 7 }, group = { 2, 6 },
      kind = { 1, 1 }, more = { 0, 0 },
    },
    messages = {
      -- Byte 0: error (4 bits) and signal (12 bits). A batch is a frame for each signal, the last one without "more".
      data = {
        id = { protocol = 0x21, unit = "unit", message = 0x40, master = 0 }, data = { { 0, 0xF0 } }, length = 8,
        mux = { byte = 0, type = "u16" },
      },
      set = { id = { protocol = 0x21, unit = "unit", message = 0x80, master = 0 }, data = { { 1, 0x1F }, 3 } },
    },
    requests = {
      batch = {
        id = { protocol = 0x21, unit = "unit", message = 0x40, master = 1, group = 0x1F, kind = 1 }, fill = 0,
        answer = "data", last = { id = { more = 0 } }, period_ms = 1000, timeout_ms = 500,
      },
    },
  },
  points = {
    input_power     = { message = "data", mux = 0x170, byte = 4, type = "u32", scale = 1 / 1024, unit = "W" },
    frequency       = { message = "data", mux = 0x171, byte = 4, type = "u32", scale = 1 / 1024, unit = "Hz" },
    input_current   = { message = "data", mux = 0x172, byte = 4, type = "u32", scale = 1 / 1024, unit = "A" },
    power           = { message = "data", mux = 0x173, byte = 4, type = "u32", scale = 1 / 1024, unit = "W" },
    efficiency      = { message = "data", mux = 0x174, byte = 4, type = "u32", scale = 1 / 1024 },
    voltage_a       = { message = "data", mux = 0x175, byte = 4, type = "u32", scale = 1 / 1024, unit = "V" },
    input_voltage   = { message = "data", mux = 0x178, byte = 4, type = "u32", scale = 1 / 1024, unit = "V" },
    temperature     = { message = "data", mux = 0x17F, byte = 4, type = "s32", scale = 1 / 1024, unit = "degC" },
    inlet_temperature = { message = "data", mux = 0x180, byte = 4, type = "s32", scale = 1 / 1024, unit = "degC" },
    current_a       = { message = "data", mux = 0x181, byte = 4, type = "u32", scale = 1 / 1024, unit = "A" },
    alarms          = { message = "data", mux = 0x183, byte = 4, type = "u32" },
    -- It tells no state: what it gives says whether it works.
    state = {
      message = "data", mux = 0x181, byte = 4, type = "u32", scale = 1 / 1024,
      hook = function(amperes) return amperes >= 0.5 and "gives" or "idle" end,
    },
  },
  status = {
    point = "state",
    map = { idle = 1, gives = 3 },
    default = 255,
    faults = { { point = "alarms", ["not"] = 0 } },
  },
  -- Item 3 is the limit while it is told one, item 4 the stored one.
  setpoint = {
    id = { protocol = 0x21, unit = "unit", message = 0x80, master = 1, group = 0x1F, kind = 1 },
    data = { 1, 3, 0, 0, 0, 0, { from = "setpoint", type = "u16", scale = 1 / 30 } },
    answer = "set", ok = { { 0, 0x20 } }, unit = "A", min = 0, max = 60, refresh_ms = 10000,
  },
  examples = {
    {
      frames = {
        "1081407F#0175000000010AAA", "1081407F#0178000000039800", "1081407F#0181000000005000",
        "1081407F#017F000000008400", "1081407F#0173000000042E00", "1081407E#0183000000000000",
      },
      sent = { "108140FE#0000000000000000" },
      expect = {
        voltage_a = 66.666, input_voltage = 230, current_a = 20, temperature = 33, power = 267.5, alarms = 0,
        state = "gives", status = 3,
      },
    },
    -- The error nibble says that the value is none; another rectifier's is not ours.
    {
      frames = { "1081407F#2175000000010AAA", "1082407F#0175000000010AAA" },
      expect = { voltage_a = false, status = 0 },
    },
    { -- 50 A are 1500 thirtieths; refused by bit 0x20
      limit = 50, for_ms = 2000, frames = { "1081407F#0181000000000000", "1081807E#21030000000005DC" },
      sent = { "108180FE#01030000000005DC" }, expect = { status = 1, current_a = 0 },
    },
  },
}
