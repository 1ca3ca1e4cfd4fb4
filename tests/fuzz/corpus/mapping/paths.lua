-- Field variations 10 and 15: where methods are. The prefix (/evcs/20160701, /shevcs/v1.0, /api/<uuid> ...) is no matter of a mapping but
-- of the platform's options:
--     option url  'https://HOST/evcs/20160701'     where we call it
--     option path '/evcs/v20160701'                where it calls us
-- A name here stands behind that prefix; with a / in front it is a whole path, for methods that live elsewhere.
return {
  forecourt = 1,
  kind = "operator",
  name = "t",
  description = "Variations 10 and 15: other last parts of the address, whole paths, orders to another method's address",
  paths = {
    check_charge_orders = "check_charge_order",
    notification_charge_order_info = "notification_charge_order_info_for_bonus",
    notification_stationStatus = "/api/6fa459ea-ee8a-3ca4-894e-db77e160355e/notification_stationStatus",
    query_station_stats = "/poi/charge/query_station_stats",
  },
}
