-- Huawei R100040Gx charging module (1000 V, 40 A) on CAN. Untested on hardware.
return {
  forecourt = 1,
  kind = "profile",
  name = "huawei-r100040",
  description = "Huawei R100040Gx charging module; unit = its address, from 1",
  source = "reference/chargers.md 2.9 (EVerest Huawei_R100040Gx); the bit rate is not confirmed there",
  can = {
    bitrate = 125000,
    order = "big",
    timeout_ms = 10000,
    gap_ms = 10,
    id = {
      protocol = { 23, 28 }, unit = { 16, 22 }, message = { 8, 15 }, master = { 7, 7 }, group = { 2, 6 },
      kind = { 1, 1 }, more = { 0, 0 },
    },
    messages = {
      -- Byte 0: error (4 bits) and signal (12 bits).
      data = {
        id = { protocol = 0x0D, unit = "unit", message = 0x40, master = 0 }, data = { { 0, 0xF0 } }, length = 8,
        mux = { byte = 0, type = "u16" },
      },
      one = {
        id = { protocol = 0x0D, unit = "unit", message = 0x82, master = 0 }, data = { { 0, 0xF0 } }, length = 8,
        mux = { byte = 0, type = "u16" },
      },
      limited = { id = { protocol = 0x0D, unit = "unit", message = 0x80, master = 0 }, data = { { 0x01, 0x0F }, 0x03 } },
      switched = { id = { protocol = 0x0D, unit = "unit", message = 0x80, master = 0 }, data = { { 0x01, 0x0F }, 0x32 } },
    },
    requests = {
      batch = {
        id = { protocol = 0x0D, unit = "unit", message = 0x40, master = 1, group = 0x1F }, fill = 0,
        answer = "data", last = { id = { more = 0 } }, period_ms = 1000, timeout_ms = 500,
      },
      -- What a batch may leave out.
      single = {
        id = { protocol = 0x0D, unit = "unit", message = 0x82, master = 1, group = 0x1F },
        data = { { from = "each", type = "u16" } }, fill = 0, each = { 0x132, 0x183 },
        answer = "one", period_ms = 2000,
      },
    },
  },
  points = {
    input_power     = { message = "data", mux = 0x170, byte = 4, type = "u32", scale = 1 / 1024, unit = "W" },
    frequency       = { message = "data", mux = 0x171, byte = 4, type = "u32", scale = 1 / 1024, unit = "Hz" },
    power           = { message = "data", mux = 0x173, byte = 4, type = "u32", scale = 1 / 1024, unit = "W" },
    efficiency      = { message = "data", mux = 0x174, byte = 4, type = "u32", scale = 1 / 1024 },
    voltage_a       = { message = "data", mux = 0x175, byte = 4, type = "u32", scale = 1 / 1024, unit = "V" },
    temperature     = { message = "data", mux = 0x17F, byte = 4, type = "s32", scale = 1 / 1024, unit = "degC" },
    current_a       = { message = "data", mux = 0x181, byte = 4, type = "u32", scale = 1 / 1024, unit = "A" },
    -- Signal 0x191: both in one value.
    quick_voltage   = { message = "data", mux = 0x191, byte = 6, type = "u16", scale = 0.1, unit = "V" },
    quick_current   = { message = "data", mux = 0x191, byte = 4, type = "u16", scale = 0.1, unit = "A" },
    state           = { message = "one", mux = 0x132, byte = 3, type = "u8" },
    alarms          = { message = "one", mux = 0x183, byte = 4, type = "u32" },
  },
  status = {
    point = "state", map = { [0] = 3, [1] = 1 }, default = 255, faults = { { point = "alarms", ["not"] = 0 } },
  },
  setpoint = {
    id = { protocol = 0x0D, unit = "unit", message = 0x80, master = 1, group = 0x1F },
    data = { 0x01, 0x03, 0, 0, { from = "setpoint", type = "u32", scale = 1 / 1024 } },
    answer = "limited", ok = { { 0, 0xF0 } }, unit = "A", min = 0, max = 40, refresh_ms = 30000,
  },
  commands = {
    start = {
      id = { protocol = 0x0D, unit = "unit", message = 0x80, master = 1, group = 0x1F },
      data = { 0x01, 0x32, 0, 0 }, fill = 0, answer = "switched", ok = { { 0, 0xF0 } }, within_ms = 3000,
    },
    stop = {
      id = { protocol = 0x0D, unit = "unit", message = 0x80, master = 1, group = 0x1F },
      data = { 0x01, 0x32, 0, 1 }, fill = 0, answer = "switched", ok = { { 0, 0xF0 } }, within_ms = 3000,
    },
  },
  examples = {
    {
      frames = {
        "0681407D#01750000000D6000", "0681407D#0181000000005000", "0681407D#0191000000C80D5C",
        "0681407C#017F000000008400", "0681827C#0132000000000000", "0681827C#0183000000000000",
      },
      sent = { "068140FC#0000000000000000", "068182FC#0132000000000000", "068182FC#0183000000000000" },
      expect = {
        voltage_a = 856, current_a = 20, quick_voltage = 342, quick_current = 20, temperature = 33, state = 0,
        alarms = 0, status = 3,
      },
    },
    { -- off, and the answer's error nibble
      command = "stop", frames = { "0681807C#2132000100000000" }, sent = { "068180FC#0132000100000000" },
      result = "refused",
    },
    { command = "stop", frames = { "0681807C#0132000100000000" }, result = "ok" },
  },
}
