-- Chengdu's city platform. Known from the comments of one connected operator (protocol.md, sections 2.14, 2.16 and 3, row 15).
return {
  forecourt = 1,
  kind = "operator",
  name = "chengdu",
  description = "Chengdu city platform: bonus order, its timing, the singular path of reconciliation",
  paths = { check_charge_orders = "check_charge_order" },
  methods = {
    notification_charge_order_info = false,
    notification_charge_order_info_for_bonus = true,
  },
  timing = {
    start_result_s = 50,
    stop_result_s = 50,
    charge_status_s = 50,
    order_first_s = 30,
    order_retry_s = { 15, 15, 30, 180, 1800, 1800, 1800, 1800, 3600 },
  },
}
