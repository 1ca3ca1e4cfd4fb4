-- UUGreenPower UR1000X0 (30 and 40 kW). The AC voltages (items 20 to 22) and the inlet's temperature (30) are left out: in which
-- unit they come is not said by the source. Untested on hardware.
return {
  forecourt = 1,
  kind = "profile",
  name = "uugreen-ur1000",
  description = "UUGreenPower UR1000X0 charging module; unit = its address, from 1",
  source = "reference/chargers.md 2.9 (EVerest UUGreenPower_UR1000X0); the bit rate is not confirmed there",
  can = {
    bitrate = 125000,
    order = "big",
    timeout_ms = 10000,
    gap_ms = 10,
    -- A module puts its date and serial number into the last two.
    id = { protocol = { 25, 28 }, monitor = { 21, 24 }, module = { 14, 20 }, date = { 9, 13 }, serial = { 0, 8 } },
    messages = {
      -- Byte 0: group (4 bits) and kind (0 set, 1 its answer, 2 read, 3 its answer); byte 1 the item; 4 to 7 the value.
      value = {
        id = { protocol = 1, module = "unit" }, data = { { 3, 0x0F } }, length = 8, mux = { byte = 1 },
      },
      limited = { id = { protocol = 1, module = "unit" }, data = { { 1, 0x0F }, 3 } },
      switched = { id = { protocol = 1, module = "unit" }, data = { { 1, 0x0F }, 4 } },
    },
    requests = {
      values = {
        id = { protocol = 1, monitor = 1, module = "unit" }, data = { 2, "each" }, fill = 0,
        each = { 0, 1, 8 }, answer = "value", period_ms = 1000,
      },
      slow = {
        id = { protocol = 1, monitor = 1, module = "unit" }, data = { 2, "each" }, fill = 0,
        each = { 4, 104 }, answer = "value", period_ms = 5000,
      },
    },
  },
  points = {
    voltage_a     = { message = "value", mux = 0, byte = 4, type = "u32", scale = 0.001, unit = "V", max = 1500 },
    current_a     = { message = "value", mux = 1, byte = 4, type = "u32", scale = 0.001, unit = "A", max = 500 },
    power = {
      message = "value", mux = 0, byte = 4, type = "u32", scale = 0.001, unit = "W",
      hook = function(volts, get)
        local amperes = get("current_a")
        return amperes and volts * amperes
      end,
    },
    module_status = { message = "value", mux = 8, byte = 4, type = "u32" },
    state         = { message = "value", mux = 4, byte = 4, type = "u32" }, -- 1: shut down
    ready_current = { message = "value", mux = 104, byte = 4, type = "u32", scale = 0.001, unit = "A" },
  },
  status = { point = "state", map = { [0] = 3, [1] = 1 }, default = 255 },
  setpoint = {
    id = { protocol = 1, monitor = 1, module = "unit" },
    data = { 0, 3, 0, 0, { from = "setpoint", type = "u32", scale = 0.001 } },
    answer = "limited", unit = "A", min = 0, max = 100, refresh_ms = 30000,
  },
  commands = {
    start = {
      id = { protocol = 1, monitor = 1, module = "unit" }, data = { 0, 4 }, fill = 0,
      answer = "switched", within_ms = 3000,
    },
    stop = {
      id = { protocol = 1, monitor = 1, module = "unit" }, data = { 0, 4, 0, 0, 0, 0, 0, 1 },
      answer = "switched", within_ms = 3000,
    },
  },
  examples = {
    {
      -- A module's date and serial number in its answers.
      frames = {
        "02204A15#030000000007A120", "02204A15#0301000000000BB8", "02204A15#0304000000000000",
        "02208A15#0300000000000000",
      },
      sent = { "02204000#0200000000000000", "02204000#0201000000000000" },
      expect = { voltage_a = 500, current_a = 3, state = 0, status = 3 },
    },
    { frames = { "02204A15#0304000000000001" }, expect = { state = 1, status = 1, voltage_a = false } },
    {
      command = "stop", limit = 12.5, frames = { "02204A15#0104000000000001" },
      sent = { "02204000#0004000000000001", "02204000#00030000000030D4" }, result = "ok",
    },
  },
}
