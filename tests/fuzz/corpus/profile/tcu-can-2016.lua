-- The gateway as the billing unit (TCU) of a DC charger's controller on CAN, in one vendor's realisation of 2016. Untested on hardware.
--
-- Left out: the station's settings (0x1809, asked for by 0x180B), which are set at the controller; upgrades; the AC side (0x1824),
-- whose content is not known. The controller tells no plugged or charging: both are read from voltages, see `state`.
return {
  forecourt = 1,
  kind = "profile",
  name = "tcu-can-2016",
  description = "Charge controller, asked as a billing unit does over CAN (2016); connector = gun",
  source = "reference/chargers.md 2.10; how packets are numbered: gdgly/git-192.168.1.223-linux-286bsp-tcu",
  connectors = { count = 2 },
  can = {
    bitrate = 250000,
    timeout_ms = 10000,
    messages = {
      heartbeat = { id = 0x18328AF6, data = { "connector" }, period_ms = 1000 },
      telemetry = {
        id = 0x18228AF6, data = { "connector" }, packets = "counted", period_ms = 1000,
        -- gun, good, check of the settings (none were sent), its state
        reply = { id = 0x1823F68A, data = { "connector", 0, 0xFF, 0xFF, 0 }, fill = 0xFF },
      },
      charger_state = { id = 0x18258AF6, data = { "connector" }, period_ms = 1000 },
      alarm = { id = 0x18218AF6, data = { "connector" }, length = 6, period_ms = 1000 },
      start_answer = { id = 0x10028AF6, data = { "connector" } },
      stop_answer = { id = 0x10048AF6, data = { "connector" } },
      lock_answer = { id = 0x180F8AF6, data = { "connector" } },
      -- Told every 250 ms until it is acknowledged.
      start_done = {
        id = 0x10118AF6, data = { "connector" }, length = 7, period_ms = 60000,
        reply = { id = 0x1012F68A, data = { "connector", 2, 0 }, fill = 0xFF },
      },
      stop_done = {
        id = 0x10138AF6, data = { "connector" }, length = 3, period_ms = 60000,
        reply = { id = 0x1014F68A, data = { "connector", 0 }, fill = 0xFF },
      },
      -- The car's data, once a charge: 1 says go on.
      bms = {
        id = 0x18628AF6, data = { "connector" }, packets = "counted", period_ms = 60000,
        reply = { id = 0x1863F68A, data = { "connector", 1 }, fill = 0xFF },
      },
      time = { id = 0x18068AF6 },
      version = { id = 0x18088AF6 },
    },
    requests = {
      -- Asked every 500 ms until answered, says the source: here once a second.
      time = {
        id = 0x1805F68A, data = { 0, { from = "time" } }, answer = "time", period_ms = 3600000, timeout_ms = 500,
      },
      version = { id = 0x1807F68A, data = { 0x01, 0x00 }, fill = 0xFF, answer = "version", period_ms = 600000, timeout_ms = 500 },
    },
  },
  points = {
    controller      = { message = "heartbeat", byte = 1, type = "u8" }, -- 0 good, 1 fault
    charger_state   = { message = "charger_state", byte = 1, type = "u8" },
    trouble         = { message = "telemetry", byte = 0, type = "u8" }, -- 0 good, 1 fault
    voltage_a       = { message = "telemetry", byte = 1, type = "u16", scale = 0.1, unit = "V", max = 1200 },
    current_a       = { message = "telemetry", byte = 3, type = "u16", scale = 0.01, unit = "A", max = 650 },
    power = {
      message = "telemetry", byte = 1, type = "u16", scale = 0.1, unit = "W",
      hook = function(volts, get)
        local amperes = get("current_a")
        return amperes and volts * amperes
      end,
    },
    soc             = { message = "telemetry", byte = 5, type = "u8", unit = "%", max = 100 },
    cell_coldest    = { message = "telemetry", byte = 6, type = "u8", offset = -50, unit = "degC", invalid = { 0xFF } },
    cell_hottest    = { message = "telemetry", byte = 8, type = "u8", offset = -50, unit = "degC", invalid = { 0xFF } },
    cell_voltage    = { message = "telemetry", byte = 10, type = "u16", scale = 0.01, unit = "V", invalid = { 0xFFFF } },
    mode            = { message = "telemetry", byte = 12, type = "u8" }, -- 1 constant voltage, 2 constant current
    temperature     = { message = "telemetry", byte = 14, type = "u8", offset = -50, unit = "degC", invalid = { 0xFF } },
    guide_voltage   = { message = "telemetry", byte = 15, type = "u8", scale = 0.1, unit = "V" },
    minutes_left    = { message = "telemetry", byte = 16, type = "u16", unit = "min", invalid = { 0xFFFF } },
    demand_voltage  = { message = "telemetry", byte = 18, type = "u16", scale = 0.1, unit = "V" },
    demand_current  = { message = "telemetry", byte = 20, type = "u16", scale = 0.01, unit = "A" },
    -- The guide voltage is 4 V with a plug in a car; the output has the battery's voltage while the contactors are closed.
    state = {
      message = "telemetry", byte = 1, type = "u16", scale = 0.1,
      hook = function(volts, get)
        local guide = get("guide_voltage")
        if not guide then return nil end
        if volts >= 50 then return "charging" end
        return guide >= 3.2 and guide <= 4.8 and "plugged" or "free"
      end,
    },
    alarm           = { message = "alarm", byte = 2, type = "u8" },
    alarm_on        = { message = "alarm", byte = 3, type = "u8" },
    alarm_value     = { message = "alarm", byte = 4, type = "u16" },
    bms_edition     = { message = "start_done", byte = 1, type = "u8" }, -- 0 2015, 1 2011
    battery_type    = { message = "start_done", byte = 2, type = "u8" },
    most_voltage    = { message = "start_done", byte = 3, type = "u16", scale = 0.1, unit = "V" },
    most_current    = { message = "start_done", byte = 5, type = "u16", scale = 0.01, unit = "A" },
    stop_detail     = { message = "stop_done", byte = 1, type = "u8" },
    -- 0xE1 billing unit, 0xE2 charger, 0xE3 BMS abnormal, 0xE4 BMS as it should, 0xE5 BMS fault
    stop_cause      = { message = "stop_done", byte = 2, type = "u8" },
    battery_ah      = { message = "bms", byte = 3, type = "u16", scale = 0.1, unit = "Ah" },
    vin             = { message = "bms", byte = 12, type = "text", bytes = 17 },
    version         = { message = "version", byte = 0, type = "bcd", bytes = 2, order = "big", scale = 0.01 },
    time_refused    = { message = "time", byte = 1, type = "u8" },
  },
  status = {
    point = "state",
    map = { free = 1, plugged = 2, charging = 3 },
    default = 255,
    faults = { { point = "trouble", equals = 1 }, { point = "controller", equals = 1 } },
  },
  -- gun, state, energy and minutes of the charge: the meter is ours, and 0 is what an idle unit sends.
  keep_alive = { id = 0x1831F68A, data = { "connector", 0, 0, 0, 0, 0, 0, 0xFF }, period_ms = 1000 },
  commands = {
    -- Load control off, automatic (what the car asks for), lock as usual.
    start = {
      id = 0x1001F68A, data = { "connector", 2, 1, 0, 0, 0, 0, 0 }, period_ms = 250,
      answer = "start_answer", ok = { "connector", false, 0 }, within_ms = 5000,
    },
    stop = {
      id = 0x1003F68A, data = { "connector", 1 }, fill = 0xFF, period_ms = 250,
      answer = "stop_answer", ok = { "connector", 0 }, within_ms = 5000,
    },
    unlock = {
      id = 0x180EF68A, data = { "connector", 2 }, fill = 0xFF, period_ms = 250,
      answer = "lock_answer", within_ms = 5000,
    },
    lock = {
      id = 0x180EF68A, data = { "connector", 1 }, fill = 0xFF, period_ms = 250,
      answer = "lock_answer", within_ms = 5000,
    },
  },
  examples = {
    { -- gun 1 charges: 22 bytes in 5 packets, and their sum
      frames = {
        "18328AF6#0100000000000000",
        "18228AF6#010105160000A00F", "18228AF6#010288133F410146", "18228AF6#0103026E01020555",
        "18228AF6#0104282D00A00F10", "18228AF6#0105273404FFFFFF",
      },
      sent = { "1831F68A#01000000000000FF", "1823F68A#0100FFFF00FFFFFF" },
      expect = {
        status = 3, voltage_a = 400, current_a = 50, power = 20000, soc = 63, cell_coldest = 15, cell_hottest = 20,
        cell_voltage = 3.66, mode = 2, temperature = 35, guide_voltage = 4, minutes_left = 45,
        demand_voltage = 400, demand_current = 100, state = "charging",
      },
    },
    { -- a packet is missing; the sum is wrong
      frames = {
        "18228AF6#010105160000A00F", "18228AF6#0103026E01020555", "18228AF6#0104282D00A00F10", "18228AF6#0105273404FFFFFF",
        "18228AF6#010105160000A00F", "18228AF6#010288133F410146", "18228AF6#0103026E01020555",
        "18228AF6#0104282D00A00F10", "18228AF6#0105273504FFFFFF",
      },
      expect = { voltage_a = false, status = 0 },
    },
    { -- the car, and go on
      frames = {
        "18628AF6#0101082700010100", "18628AF6#0102080780014600", "18628AF6#0103A401694C4656", "18628AF6#0104324132314B39",
        "18628AF6#0105463431323334", "18628AF6#01063536FFFFFFFF", "18628AF6#0107FFFFFFFFFFFF", "18628AF6#0108FC0FFFFFFFFF",
      },
      sent = { "1863F68A#0101FFFFFFFFFFFF" },
      expect = { vin = "LFV2A21K9F4123456", battery_ah = 180 },
    },
    {
      command = "start", frames = { "10028AF6#010200FFFFFFFFFF", "10118AF6#010003102710270F" },
      sent = { "1001F68A#0102010000000000", "1012F68A#010200FFFFFFFFFF" },
      result = "ok", expect = { bms_edition = 0, battery_type = 3, most_voltage = 1000, most_current = 100 },
    },
    { command = "start", connector = 2, frames = { "10028AF6#020201FFFFFFFFFF" }, result = "refused" },
    { -- the other gun's answer is no answer
      command = "start", connector = 2, frames = { "10028AF6#010200FFFFFFFFFF" }, result = "none",
    },
    {
      command = "stop", frames = { "10048AF6#0100FFFFFFFFFFFF", "10138AF6#0103E1FFFFFFFFFF" },
      sent = { "1003F68A#0101FFFFFFFFFFFF", "1014F68A#0100FFFFFFFFFFFF" },
      result = "ok", expect = { stop_detail = 3, stop_cause = 0xE1 },
    },
    {
      at = "2026-03-09 17:05:42", frames = { "18068AF6#0000FFFFFFFFFFFF", "18088AF6#0100FFFFFFFFFFFF" },
      sent = { "1805F68A#0042051709032620", "1807F68A#0100FFFFFFFFFFFF" },
      expect = { version = 1, time_refused = 0 },
    },
  },
}
