-- Beijing's city platform (e-charge network). What is known of its rules comes from one connected operator and from the
-- Chengdu text of the same template (protocol.md, sections 2.14, 2.16 and 5).
--
-- The address of this platform has the version WITHOUT the letter v: that belongs to the UCI options of the platform,
--     option url  'https://HOST/evcs/20160701'
--     option path '/evcs/v20160701'        (what the platform calls at ours may differ)

local keys = require("keys")

-- Orders of every start mode are reported in this form for the operation-assessment bonus; the base order is not sent.
-- The gateway makes all fields of it, the money split and the lines too; this platform wants these:
local bonus_fields = {
  "StartChargeSeq", "ConnectorID", "StartTime", "EndTime", "ChargeModel", "TotalPower", "TotalMoney", "StopReason",
  "UserName", "StationID", "EquipmentID", "ConnectorPower", "ChargeLast", "MeterValueStart", "MeterValueEnd",
}

return {
  forecourt = 1,
  kind = "operator",
  name = "beijing",
  description = "Beijing city platform: bonus order, its timing",
  methods = {
    notification_charge_order_info = false,
    notification_charge_order_info_for_bonus = true,
  },
  timing = {
    status_resend_h = 3,        -- all connectors again, eight times a day
    start_result_s = 50,
    stop_result_s = 50,
    charge_status_s = 50,
    order_first_s = 150,
    -- At least 150 s between two tries. The rule names 150, 300, 1800 and 3600; what lies between is a guess.
    order_retry_s = { 150, 300, 600, 1200, 1800, 3600 },
    reconcile_from_h = 0,       -- orders of the day before are reconciled between these hours
    reconcile_to_h = 3,
  },
  map = {
    notification_charge_order_info_for_bonus = {
      request = function(order)
        local bonus = keys.pick(order, bonus_fields)
        if bonus.ChargeModel == nil then
          bonus.ChargeModel = 0
        end
        return bonus
      end,
    },
  },
  examples = {
    {
      call = "map.notification_charge_order_info_for_bonus.request",
      input = {
        StartChargeSeq = "MA1234567202601010000000001", ConnectorID = "11010500010011", StartTime = "2026-01-01 10:00:00",
        EndTime = "2026-01-01 10:30:00", TotalPower = 12.5, TotalElecMoney = 10.0, TotalSeviceMoney = 5.0, TotalMoney = 15.0,
        StopReason = 2, SumPeriod = 0, StationID = "110105000100001", ChargeLast = 1800,
      },
      expect = {
        StartChargeSeq = "MA1234567202601010000000001", ConnectorID = "11010500010011", StartTime = "2026-01-01 10:00:00",
        EndTime = "2026-01-01 10:30:00", TotalPower = 12.5, TotalMoney = 15.0, StopReason = 2, ChargeModel = 0,
        StationID = "110105000100001", ChargeLast = 1800,
      },
    },
  },
}
