-- Everything that the part `can` of a profile may say: a device that there is none of. fuzz_can_device drives it, too.
return {
  forecourt = 1, kind = "profile", name = "can-all", source = "nobody's",
  connectors = { count = 2 },
  can = {
    bitrate = 250000, order = "big", master = 0x8A, gap_ms = 5, timeout_ms = 10000, slow_ms = 5000,
    id = { command = { 16, 23 }, to = { 8, 15 }, from = { 0, 7 } },
    messages = {
      output = { id = { command = 3, to = "master", from = "unit" }, data = { "connector" }, length = 6 },
      item = { id = { command = 5, to = "master", from = "unit" }, data = { 0x41 }, mux = { byte = 1 } },
      bits = { id = { command = 6, to = "master", from = "unit" }, mux = { start = 3, length = 9 }, period_ms = 1000 },
      set = { id = { command = 9, to = "master", from = "unit" } },
      own = {
        id = { command = 8, from = "unit" }, data = { false, { 0x80, 0xC0 } }, period_ms = 1000,
        reply = { id = { command = 8, to = "unit", from = "master" }, data = { { copy = 1 }, "unit", { from = "counter", type = "u24" } }, fill = 0xFF },
      },
      stream = { id = { command = 0x20, to = "master", from = "unit" }, data = { "connector" }, packets = "counted", period_ms = 1000 },
      long = { id = 0x18228AF6, packets = "j1939", period_ms = 1000 },
      short = { id = 0x123, extended = false, data = { "unit" }, period_ms = 500 },
    },
    requests = {
      output = {
        id = { command = 3, to = "unit", from = "master" }, data = { "connector", { from = "time", bytes = 6 } },
        answer = "output", period_ms = 500,
      },
      items = {
        id = { command = 5, to = "unit", from = "master" }, data = { 0x10, "each" }, each = { 0x01, 0x0B, 0xFF },
        answer = "item", period_ms = 2000, timeout_ms = 100, unless = { state = 3 },
      },
      batch = {
        id = { command = 7, to = "unit", from = "master" }, answer = { "bits", "set" },
        last = { id = { command = 9, to = "master", from = "unit" }, data = { 0 } }, period_ms = 1000,
      },
    },
  },
  points = {
    voltage = { message = "output", byte = 1, type = "u16", scale = 0.1, unit = "V", max = 1000 },
    current = { message = "output", byte = 3, type = "s16", scale = 0.1, unit = "A" },
    state = { message = "output", start = 46, length = 3, type = "u8", invalid = { 7 } },
    inlet = { message = "item", mux = 0x0B, byte = 4, type = "s16", scale = 0.1, unit = "C" },
    exponent = { message = "item", mux = 0x01, byte = 2, type = "s8" },
    power = { message = "item", mux = 0x01, byte = 3, type = "u24", decimals_from = "exponent", unit = "W" },
    whole = { message = "bits", mux = 3, start = 15, length = 23, order = "big", type = "u32" },
    odd = { message = "bits", mux = 4, start = 20, length = 11, order = "little", type = "s16" },
    alarms = { message = "own", byte = 2, bytes = 2, type = "bits", names = { [0] = "hot", [5] = "wet", [15] = "open" } },
    floats = { message = "stream", byte = 0, type = "f32" },
    doubles = { message = "stream", byte = 4, type = "f64", order = "little" },
    serial = { message = "stream", byte = 12, bytes = 16, type = "text" },
    number = { message = "stream", byte = 28, bytes = 4, type = "bcd" },
    raw = { message = "stream", byte = 40, bytes = 4, type = "hex" },
    energy = { message = "long", byte = 7, type = "u64", scale = 0.001 },
    beyond = { message = "long", byte = 250, type = "s32" },
    flag = { message = "short", start = 17, type = "bool" },
    hooked = { message = "short", byte = 3, type = "u8", hook = function(v, get) return get("flag") and v * 2 or nil end },
  },
  status = { point = "state", map = { [0] = 1, [1] = 2, [2] = 3 }, default = 255, faults = { { point = "odd", mask = 0x28 } } },
  keep_alive = { id = { command = 1, to = "unit", from = "master" }, data = { { from = "counter", type = "u8" } }, period_ms = 700, unless = { state = 6 } },
  setpoint = {
    id = { command = 2, to = "unit", from = "master" },
    data = { "connector", { from = "setpoint", type = "f32" }, { point = "voltage", type = "u16", scale = 0.1, otherwise = 6553.5 } },
    answer = "set", ok = { 0 }, unit = "A", min = 1, max = 100, pause = 0, safe = 10, initial = 16, refresh_ms = 4000, period_ms = 500, within_ms = 1000,
  },
  commands = {
    start = {
      id = { command = 9, to = "unit", from = "master" }, data = { 1, { value = 1234, type = "bcd", bytes = 3 } },
      answer = "set", ok = { 0 }, period_ms = 200, within_ms = 1000,
    },
    stop = { steps = {
      { pause = true }, { wait_ms = 300 }, { id = { command = 9, to = "unit", from = "master" }, data = { 7 } },
      { check = "state", equals = { 0, 1 }, within_ms = 3000 }, { limit = 20 },
    } },
    unlock = { steps = { { answer = "own", ok = { false, 0x81 }, within_ms = 2000 }, { id = 0x321, extended = false, data = { "unit" } } } },
  },
  examples = {
    { unit = 7, frames = { "00038A07#0101900064040000" }, expect = { voltage = 40, current = 10 } },
  },
}
