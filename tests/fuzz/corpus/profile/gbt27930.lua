-- GB/T 27930 between a charger and a vehicle, listened to (2015 and 2011 editions): what the vehicle wants and says of itself, and why
-- a charge ended. Nothing is ever sent (DESIGN.md, rule 9). One CAN bus a connector: config bus of kind can, config device with this
-- profile, and option bms of the connector. A charger section may use it, too, where the charger itself can't be asked: then the
-- connector's status follows from the phase, nothing can be commanded, and energy wants a meter.
-- Untested on hardware.
--
-- Currents are positive while the battery is charged. What is said once (VIN, limits) stands until the vehicle has gone.
return {
  forecourt = 1,
  kind = "profile",
  name = "gbt27930",
  description = "GB/T 27930 between charger and vehicle, listened to",
  source = "reference/chargers.md 2.1 to 2.7",
  listen = "gbt27930",
  points = {
    phase           = { signal = "phase.name" },
    edition         = { signal = "edition" },
    sessions        = { signal = "session.count" },
    -- what a connector of any charger may have: first from the charger, else from here
    soc             = { signal = "BCS.soc", unit = "%" },
    vin             = { signal = "BRM.vin" },
    voltage_a       = { signal = "CCS.voltage", unit = "V" },
    current_a       = { signal = "CCS.current", unit = "A" },
    power           = { signal = "CCS.power", unit = "W" },
    -- what the vehicle wants and measures
    demand_voltage  = { signal = "BCL.voltage", unit = "V" },
    demand_current  = { signal = "BCL.current", unit = "A" },
    charge_mode     = { signal = "BCL.mode" },
    bms_voltage     = { signal = "BCS.voltage", unit = "V" },
    bms_current     = { signal = "BCS.current", unit = "A" },
    minutes_left    = { signal = "BCS.minutes_left", unit = "min" },
    minutes         = { signal = "CCS.minutes", unit = "min" },
    cell_max        = { signal = "BCS.cell_voltage_max", unit = "V" },
    temp_max        = { signal = "BSM.temp_max", unit = "degC" },
    temp_min        = { signal = "BSM.temp_min", unit = "degC" },
    overcurrent     = { signal = "BSM.overcurrent" },
    overtemp        = { signal = "BSM.overtemp" },
    insulation      = { signal = "BSM.insulation" },
    connector_fault = { signal = "BSM.connector" },
    allowed         = { signal = "BSM.allowed" },
    -- what it is
    battery         = { signal = "BRM.battery" },
    capacity        = { signal = "BRM.capacity", unit = "Ah" },
    battery_voltage = { signal = "BRM.voltage", unit = "V" },
    voltage_limit   = { signal = "BCP.voltage_limit", unit = "V" },
    current_limit   = { signal = "BCP.current_limit", unit = "A" },
    temp_limit      = { signal = "BCP.temp_limit", unit = "degC" },
    charger_voltage = { signal = "CML.voltage_max", unit = "V" },
    charger_current = { signal = "CML.current_max", unit = "A" },
    -- how it ended: into the order, see lua/README.md
    stop_code       = { signal = "stop.code" },
    stop_reason     = { signal = "stop.reason" },
    stop_by         = { signal = "stop.by" },
    stop_fault      = { signal = "stop.fault" },
    soc_end         = { signal = "BSD.soc", unit = "%" },
    session_energy  = { signal = "CSD.energy", unit = "kWh" },
    session_minutes = { signal = "CSD.minutes", unit = "min" },
    error_code      = { signal = "error.code" },
    error_reason    = { signal = "error.reason" },
    waits_for       = { signal = "wait.code" },
  },
  -- of a charger section only
  status = {
    point = "phase",
    map = {
      idle = 1, handshake = 2, identification = 2, configuration = 2, charging = 3, stopping = 2, ended = 2, error = 255,
    },
    default = 255,
  },
  examples = {
    { -- 400.0 V and 100.0 A are wanted, 399.9 V and 99.8 A given; the temperatures are 30 and 28 degrees
      frames = {
        "181056F4#A00FB80B02", "1812F456#9F0FBA0B0A00FD", "181356F4#0450024E010010",
      },
      expect = {
        status = 3, phase = "charging", demand_voltage = 400, demand_current = 100, charge_mode = 2, voltage_a = 399.9,
        current_a = 99.8, temp_max = 30, temp_min = 28, allowed = 1, insulation = 0, soc = false, vin = false,
      },
    },
    { -- a long message of the vehicle, in a session of two packets: 55 %, an hour to go
      frames = {
        "181056F4#A00FB80B02", "1CEC56F4#10090002FF001100", "1CEB56F4#01A00FB80B681137", "1CEB56F4#023C00FFFFFFFFFF",
      },
      expect = { soc = 55, bms_voltage = 400, bms_current = 100, cell_max = 3.6, minutes_left = 60 },
    },
    { -- the handshake, then who the vehicle is, in seven packets
      frames = {
        "1826F456#010100", "182756F4#D00F", "1801F456#0001000000FFFFFF", "1CEC56F4#10310007FF000200",
        "1CEB56F4#0101010003D007AC", "1CEB56F4#020D544553540100", "1CEB56F4#03000023060F0A00",
        "1CEB56F4#040001FF4C544553", "1CEB56F4#0554434152303030", "1CEB56F4#0630303030303101",
        "1CEB56F4#070F06E407FFFFFF",
      },
      expect = { status = 2, phase = "identification", edition = 2015, vin = "LTESTCAR000000001", capacity = 200 },
    },
    { -- the vehicle has enough
      frames = {
        "181056F4#A00FB80B02", "1812F456#9F0FBA0B0A00FD", "101956F4#01000000", "101AF456#40000000",
      },
      expect = { status = 2, phase = "stopping", stop_code = "soc_reached", stop_by = "car", stop_fault = 0 },
    },
  },
}
