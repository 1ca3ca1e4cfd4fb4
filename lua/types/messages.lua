---@meta forecourt.messages
-- For editors (LuaLS): the messages of the standard, as a mapping's functions get them. Nothing loads this file.
-- Made from forecourtd --messages by tests/system/test_lua_api.py (FORECOURT_WRITE=1 writes it anew).

---@class forecourt.mapping.paths
---@field query_token? string
---@field query_stations_info? string
---@field notification_stationStatus? string
---@field query_station_status? string
---@field query_station_stats? string
---@field notification_stationInfo? string
---@field notification_station_stats? string
---@field query_equip_auth? string
---@field query_equip_business_policy? string
---@field query_start_charge? string
---@field notification_start_charge_result? string
---@field query_equip_charge_status? string
---@field notification_equip_charge_status? string
---@field query_stop_charge? string
---@field notification_stop_charge_result? string
---@field notification_charge_order_info? string
---@field check_charge_orders? string
---@field notification_charge_order_info_for_bonus? string
---@field query_user_auth? string

---@class forecourt.mapping.methods
---@field query_token? boolean
---@field query_stations_info? boolean
---@field notification_stationStatus? boolean
---@field query_station_status? boolean
---@field query_station_stats? boolean
---@field notification_stationInfo? boolean
---@field notification_station_stats? boolean
---@field query_equip_auth? boolean
---@field query_equip_business_policy? boolean
---@field query_start_charge? boolean
---@field notification_start_charge_result? boolean
---@field query_equip_charge_status? boolean
---@field notification_equip_charge_status? boolean
---@field query_stop_charge? boolean
---@field notification_stop_charge_result? boolean
---@field notification_charge_order_info? boolean
---@field check_charge_orders? boolean
---@field notification_charge_order_info_for_bonus? boolean
---@field query_user_auth? boolean

---@class forecourt.mapping.map
---@field query_token? forecourt.mapping.map.query_token
---@field query_stations_info? forecourt.mapping.map.query_stations_info
---@field notification_stationStatus? forecourt.mapping.map.notification_stationStatus
---@field query_station_status? forecourt.mapping.map.query_station_status
---@field query_station_stats? forecourt.mapping.map.query_station_stats
---@field notification_stationInfo? forecourt.mapping.map.notification_stationInfo
---@field notification_station_stats? forecourt.mapping.map.notification_station_stats
---@field query_equip_auth? forecourt.mapping.map.query_equip_auth
---@field query_equip_business_policy? forecourt.mapping.map.query_equip_business_policy
---@field query_start_charge? forecourt.mapping.map.query_start_charge
---@field notification_start_charge_result? forecourt.mapping.map.notification_start_charge_result
---@field query_equip_charge_status? forecourt.mapping.map.query_equip_charge_status
---@field notification_equip_charge_status? forecourt.mapping.map.notification_equip_charge_status
---@field query_stop_charge? forecourt.mapping.map.query_stop_charge
---@field notification_stop_charge_result? forecourt.mapping.map.notification_stop_charge_result
---@field notification_charge_order_info? forecourt.mapping.map.notification_charge_order_info
---@field check_charge_orders? forecourt.mapping.map.check_charge_orders
---@field notification_charge_order_info_for_bonus? forecourt.mapping.map.notification_charge_order_info_for_bonus
---@field query_user_auth? forecourt.mapping.map.query_user_auth

---@class forecourt.mapping.map.query_token
---@field request? fun(message: message.query_token.request, context: forecourt.mapping.context): table
---@field answer? fun(message: message.query_token.answer, context: forecourt.mapping.context): table

---@class message.query_token.request
---@field OperatorID string
---@field OperatorSecret string

---@class message.query_token.answer
---@field OperatorID string
---@field SuccStat integer
---@field AccessToken string
---@field TokenAvailableTime number
---@field FailReason integer

---@class forecourt.mapping.map.query_stations_info
---@field request? fun(message: message.query_stations_info.request, context: forecourt.mapping.context): table
---@field answer? fun(message: message.query_stations_info.answer, context: forecourt.mapping.context): table

---@class message.query_stations_info.request
---@field LastQueryTime? string
---@field PageNo? integer
---@field PageSize? integer

---@class message.query_stations_info.answer
---@field PageNo integer
---@field PageCount integer
---@field ItemSize integer
---@field StationInfos message.query_stations_info.answer.StationInfos[]

---@class message.query_stations_info.answer.StationInfos
---@field StationID string
---@field OperatorID string
---@field EquipmentOwnerID string
---@field StationName string
---@field CountryCode string
---@field AreaCode string
---@field Address string
---@field StationTel? string
---@field ServiceTel string
---@field StationType integer
---@field StationStatus integer
---@field ParkNums integer
---@field StationLng number
---@field StationLat number
---@field SiteGuide? string
---@field Construction integer
---@field Pictures? string[]
---@field MatchCars? string
---@field ParkInfo? string
---@field BusineHours? string
---@field ElectricityFee? string
---@field ServiceFee? string
---@field ParkFee? string
---@field Payment? string
---@field SupportOrder? integer
---@field Remark? string
---@field EquipmentInfos message.query_stations_info.answer.StationInfos.EquipmentInfos[]

---@class message.query_stations_info.answer.StationInfos.EquipmentInfos
---@field EquipmentID string
---@field ManufacturerID? string
---@field ManufacturerName? string
---@field EquipmentModel? string
---@field ProductionDate? string
---@field EquipmentType integer
---@field ConnectorInfos message.query_stations_info.answer.StationInfos.EquipmentInfos.ConnectorInfos[]
---@field EquipmentLng? number
---@field EquipmentLat? number
---@field Power number
---@field EquipmentName? string

---@class message.query_stations_info.answer.StationInfos.EquipmentInfos.ConnectorInfos
---@field ConnectorID string
---@field ConnectorName? string
---@field ConnectorType integer
---@field VoltageUpperLimits integer
---@field VoltageLowerLimits integer
---@field Current integer
---@field Power number
---@field ParkNo? string
---@field NationalStandard integer

---@class forecourt.mapping.map.notification_stationStatus
---@field request? fun(message: message.notification_stationStatus.request, context: forecourt.mapping.context): table
---@field answer? fun(message: message.notification_stationStatus.answer, context: forecourt.mapping.context): table

---@class message.notification_stationStatus.request
---@field ConnectorStatusInfo message.notification_stationStatus.request.ConnectorStatusInfo

---@class message.notification_stationStatus.request.ConnectorStatusInfo
---@field ConnectorID string
---@field Status integer
---@field ParkStatus? integer
---@field LockStatus? integer

---@class message.notification_stationStatus.answer
---@field Status integer

---@class forecourt.mapping.map.query_station_status
---@field request? fun(message: message.query_station_status.request, context: forecourt.mapping.context): table
---@field answer? fun(message: message.query_station_status.answer, context: forecourt.mapping.context): table

---@class message.query_station_status.request
---@field StationIDs string[]

---@class message.query_station_status.answer
---@field Total? integer
---@field StationStatusInfos message.query_station_status.answer.StationStatusInfos[]

---@class message.query_station_status.answer.StationStatusInfos
---@field StationID string
---@field ConnectorStatusInfos message.query_station_status.answer.StationStatusInfos.ConnectorStatusInfos[]

---@class message.query_station_status.answer.StationStatusInfos.ConnectorStatusInfos
---@field ConnectorID string
---@field Status integer
---@field ParkStatus? integer
---@field LockStatus? integer

---@class forecourt.mapping.map.query_station_stats
---@field request? fun(message: message.query_station_stats.request, context: forecourt.mapping.context): table
---@field answer? fun(message: message.query_station_stats.answer, context: forecourt.mapping.context): table

---@class message.query_station_stats.request
---@field StationID string
---@field StartTime string
---@field EndTime string

---@class message.query_station_stats.answer
---@field StationStats message.query_station_stats.answer.StationStats

---@class message.query_station_stats.answer.StationStats
---@field StationID string
---@field StartTime string
---@field EndTime string
---@field StationElectricity number
---@field EquipmentStatsInfos message.query_station_stats.answer.StationStats.EquipmentStatsInfos[]

---@class message.query_station_stats.answer.StationStats.EquipmentStatsInfos
---@field EquipmentID string
---@field EquipmentElectricity number
---@field ConnectorStatsInfos message.query_station_stats.answer.StationStats.EquipmentStatsInfos.ConnectorStatsInfos[]

---@class message.query_station_stats.answer.StationStats.EquipmentStatsInfos.ConnectorStatsInfos
---@field ConnectorID string
---@field ConnectorElectricity number

---@class forecourt.mapping.map.notification_stationInfo
---@field request? fun(message: message.notification_stationInfo.request, context: forecourt.mapping.context): table
---@field answer? fun(message: message.notification_stationInfo.answer, context: forecourt.mapping.context): table

---@class message.notification_stationInfo.request
---@field StationInfo message.notification_stationInfo.request.StationInfo

---@class message.notification_stationInfo.request.StationInfo
---@field StationID string
---@field OperatorID string
---@field EquipmentOwnerID string
---@field StationName string
---@field CountryCode string
---@field AreaCode string
---@field Address string
---@field StationTel? string
---@field ServiceTel string
---@field StationType integer
---@field StationStatus integer
---@field ParkNums integer
---@field StationLng number
---@field StationLat number
---@field SiteGuide? string
---@field Construction integer
---@field Pictures? string[]
---@field MatchCars? string
---@field ParkInfo? string
---@field BusineHours? string
---@field ElectricityFee? string
---@field ServiceFee? string
---@field ParkFee? string
---@field Payment? string
---@field SupportOrder? integer
---@field Remark? string
---@field EquipmentInfos message.notification_stationInfo.request.StationInfo.EquipmentInfos[]

---@class message.notification_stationInfo.request.StationInfo.EquipmentInfos
---@field EquipmentID string
---@field ManufacturerID? string
---@field ManufacturerName? string
---@field EquipmentModel? string
---@field ProductionDate? string
---@field EquipmentType integer
---@field ConnectorInfos message.notification_stationInfo.request.StationInfo.EquipmentInfos.ConnectorInfos[]
---@field EquipmentLng? number
---@field EquipmentLat? number
---@field Power number
---@field EquipmentName? string

---@class message.notification_stationInfo.request.StationInfo.EquipmentInfos.ConnectorInfos
---@field ConnectorID string
---@field ConnectorName? string
---@field ConnectorType integer
---@field VoltageUpperLimits integer
---@field VoltageLowerLimits integer
---@field Current integer
---@field Power number
---@field ParkNo? string
---@field NationalStandard integer

---@class message.notification_stationInfo.answer
---@field Status integer

---@class forecourt.mapping.map.notification_station_stats
---@field request? fun(message: message.notification_station_stats.request, context: forecourt.mapping.context): table
---@field answer? fun(message: message.notification_station_stats.answer, context: forecourt.mapping.context): table

---@class message.notification_station_stats.request
---@field StationStats message.notification_station_stats.request.StationStats

---@class message.notification_station_stats.request.StationStats
---@field StationID string
---@field StartTime string
---@field EndTime string
---@field StationElectricity number
---@field EquipmentStatsInfos message.notification_station_stats.request.StationStats.EquipmentStatsInfos[]

---@class message.notification_station_stats.request.StationStats.EquipmentStatsInfos
---@field EquipmentID string
---@field EquipmentElectricity number
---@field ConnectorStatsInfos message.notification_station_stats.request.StationStats.EquipmentStatsInfos.ConnectorStatsInfos[]

---@class message.notification_station_stats.request.StationStats.EquipmentStatsInfos.ConnectorStatsInfos
---@field ConnectorID string
---@field ConnectorElectricity number

---@class message.notification_station_stats.answer
---@field Status integer

---@class forecourt.mapping.map.query_equip_auth
---@field request? fun(message: message.query_equip_auth.request, context: forecourt.mapping.context): table
---@field answer? fun(message: message.query_equip_auth.answer, context: forecourt.mapping.context): table

---@class message.query_equip_auth.request
---@field EquipAuthSeq string
---@field ConnectorID string

---@class message.query_equip_auth.answer
---@field EquipAuthSeq string
---@field ConnectorID string
---@field SuccStat integer
---@field FailReason integer

---@class forecourt.mapping.map.query_equip_business_policy
---@field request? fun(message: message.query_equip_business_policy.request, context: forecourt.mapping.context): table
---@field answer? fun(message: message.query_equip_business_policy.answer, context: forecourt.mapping.context): table

---@class message.query_equip_business_policy.request
---@field EquipBizSeq string
---@field ConnectorID string

---@class message.query_equip_business_policy.answer
---@field EquipBizSeq string
---@field ConnectorID string
---@field SuccStat integer
---@field FailReason integer
---@field SumPeriod integer
---@field PolicyInfos message.query_equip_business_policy.answer.PolicyInfos[]

---@class message.query_equip_business_policy.answer.PolicyInfos
---@field StartTime string
---@field ElecPrice number
---@field SevicePrice number

---@class forecourt.mapping.map.query_start_charge
---@field request? fun(message: message.query_start_charge.request, context: forecourt.mapping.context): table
---@field answer? fun(message: message.query_start_charge.answer, context: forecourt.mapping.context): table

---@class message.query_start_charge.request
---@field StartChargeSeq string
---@field ConnectorID string
---@field QRCode? string

---@class message.query_start_charge.answer
---@field StartChargeSeq string
---@field StartChargeSeqStat integer
---@field ConnectorID string
---@field SuccStat integer
---@field FailReason integer

---@class forecourt.mapping.map.notification_start_charge_result
---@field request? fun(message: message.notification_start_charge_result.request, context: forecourt.mapping.context): table
---@field answer? fun(message: message.notification_start_charge_result.answer, context: forecourt.mapping.context): table

---@class message.notification_start_charge_result.request
---@field StartChargeSeq string
---@field StartChargeSeqStat integer
---@field ConnectorID string
---@field StartTime string
---@field IdentCode? string
---@field ChargeModel? integer
---@field Vin? string

---@class message.notification_start_charge_result.answer
---@field StartChargeSeq string
---@field SuccStat integer
---@field FailReason? integer

---@class forecourt.mapping.map.query_equip_charge_status
---@field request? fun(message: message.query_equip_charge_status.request, context: forecourt.mapping.context): table
---@field answer? fun(message: message.query_equip_charge_status.answer, context: forecourt.mapping.context): table

---@class message.query_equip_charge_status.request
---@field StartChargeSeq string

---@class message.query_equip_charge_status.answer
---@field StartChargeSeq string
---@field StartChargeSeqStat integer
---@field ConnectorID string
---@field ConnectorStatus integer
---@field CurrentA number
---@field CurrentB? number
---@field CurrentC? number
---@field VoltageA number
---@field VoltageB? number
---@field VoltageC? number
---@field Soc number
---@field StartTime string
---@field EndTime string
---@field TotalPower number
---@field ElecMoney? number
---@field SeviceMoney? number
---@field TotalMoney? number
---@field SumPeriod? integer
---@field ChargeDetails? message.query_equip_charge_status.answer.ChargeDetails[]
---@field ChargeModel? integer

---@class message.query_equip_charge_status.answer.ChargeDetails
---@field DetailStartTime string
---@field DetailEndTime string
---@field ElecPrice? number
---@field SevicePrice? number
---@field DetailPower number
---@field DetailElecMoney? number
---@field DetailSeviceMoney? number

---@class forecourt.mapping.map.notification_equip_charge_status
---@field request? fun(message: message.notification_equip_charge_status.request, context: forecourt.mapping.context): table
---@field answer? fun(message: message.notification_equip_charge_status.answer, context: forecourt.mapping.context): table

---@class message.notification_equip_charge_status.request
---@field StartChargeSeq string
---@field StartChargeSeqStat integer
---@field ConnectorID string
---@field ConnectorStatus integer
---@field CurrentA number
---@field CurrentB? number
---@field CurrentC? number
---@field VoltageA number
---@field VoltageB? number
---@field VoltageC? number
---@field Soc number
---@field StartTime string
---@field EndTime string
---@field TotalPower number
---@field ElecMoney? number
---@field SeviceMoney? number
---@field TotalMoney? number
---@field SumPeriod? integer
---@field ChargeDetails? message.notification_equip_charge_status.request.ChargeDetails[]
---@field ChargeModel? integer

---@class message.notification_equip_charge_status.request.ChargeDetails
---@field DetailStartTime string
---@field DetailEndTime string
---@field ElecPrice? number
---@field SevicePrice? number
---@field DetailPower number
---@field DetailElecMoney? number
---@field DetailSeviceMoney? number

---@class message.notification_equip_charge_status.answer
---@field StartChargeSeq string
---@field SuccStat integer
---@field FailReason? integer

---@class forecourt.mapping.map.query_stop_charge
---@field request? fun(message: message.query_stop_charge.request, context: forecourt.mapping.context): table
---@field answer? fun(message: message.query_stop_charge.answer, context: forecourt.mapping.context): table

---@class message.query_stop_charge.request
---@field StartChargeSeq string
---@field ConnectorID string

---@class message.query_stop_charge.answer
---@field StartChargeSeq string
---@field StartChargeSeqStat integer
---@field SuccStat integer
---@field FailReason integer

---@class forecourt.mapping.map.notification_stop_charge_result
---@field request? fun(message: message.notification_stop_charge_result.request, context: forecourt.mapping.context): table
---@field answer? fun(message: message.notification_stop_charge_result.answer, context: forecourt.mapping.context): table

---@class message.notification_stop_charge_result.request
---@field StartChargeSeq string
---@field ConnectorID string
---@field StartChargeSeqStat integer
---@field SuccStat integer
---@field FailReason integer

---@class message.notification_stop_charge_result.answer
---@field StartChargeSeq string
---@field SuccStat integer
---@field FailReason? integer

---@class forecourt.mapping.map.notification_charge_order_info
---@field request? fun(message: message.notification_charge_order_info.request, context: forecourt.mapping.context): table
---@field answer? fun(message: message.notification_charge_order_info.answer, context: forecourt.mapping.context): table

---@class message.notification_charge_order_info.request
---@field StartChargeSeq string
---@field ConnectorID string
---@field StartTime string
---@field EndTime string
---@field TotalPower number
---@field TotalElecMoney number
---@field TotalSeviceMoney number
---@field TotalMoney number
---@field StopReason integer
---@field SumPeriod? integer
---@field ChargeDetails? message.notification_charge_order_info.request.ChargeDetails[]

---@class message.notification_charge_order_info.request.ChargeDetails
---@field DetailStartTime string
---@field DetailEndTime string
---@field ElecPrice? number
---@field SevicePrice? number
---@field DetailPower number
---@field DetailElecMoney? number
---@field DetailSeviceMoney? number

---@class message.notification_charge_order_info.answer
---@field StartChargeSeq string
---@field ConnectorID string
---@field ConfirmResult integer

---@class forecourt.mapping.map.check_charge_orders
---@field request? fun(message: message.check_charge_orders.request, context: forecourt.mapping.context): table
---@field answer? fun(message: message.check_charge_orders.answer, context: forecourt.mapping.context): table

---@class message.check_charge_orders.request
---@field CheckOrderSeq string
---@field StartTime string
---@field EndTime string
---@field OrderCount integer
---@field TotalOrderPower number
---@field TotalOrderMoney number
---@field ChargeOrders message.check_charge_orders.request.ChargeOrders[]

---@class message.check_charge_orders.request.ChargeOrders
---@field StartChargeSeq string
---@field TotalPower number
---@field TotalMoney number

---@class message.check_charge_orders.answer
---@field CheckOrderSeq string
---@field StartTime string
---@field EndTime string
---@field TotalDisputeOrder integer
---@field TotalDisputePower number
---@field TotalDisputeMoney number
---@field DisputeOrders message.check_charge_orders.answer.DisputeOrders[]

---@class message.check_charge_orders.answer.DisputeOrders
---@field StartChargeSeq string
---@field TotalPower number
---@field TotalMoney number
---@field DisputeReason integer

---@class forecourt.mapping.map.notification_charge_order_info_for_bonus
---@field request? fun(message: message.notification_charge_order_info_for_bonus.request, context: forecourt.mapping.context): table
---@field answer? fun(message: message.notification_charge_order_info_for_bonus.answer, context: forecourt.mapping.context): table

---@class message.notification_charge_order_info_for_bonus.request
---@field StartChargeSeq string
---@field ConnectorID string
---@field StartTime string
---@field EndTime string
---@field ChargeModel integer
---@field UserName string
---@field StationID string
---@field EquipmentID string
---@field ConnectorPower number
---@field ChargeLast integer
---@field MeterValueStart number
---@field MeterValueEnd number
---@field TotalPower number
---@field TotalElecMoney? number
---@field TotalSeviceMoney? number
---@field TotalMoney number
---@field StopReason integer
---@field SumPeriod? integer
---@field ChargeDetails? message.notification_charge_order_info_for_bonus.request.ChargeDetails[]

---@class message.notification_charge_order_info_for_bonus.request.ChargeDetails
---@field DetailStartTime string
---@field DetailEndTime string
---@field ElecPrice? number
---@field SevicePrice? number
---@field DetailPower number
---@field DetailElecMoney? number
---@field DetailSeviceMoney? number

---@class message.notification_charge_order_info_for_bonus.answer
---@field StartChargeSeq string
---@field ConnectorID string
---@field ConfirmResult integer

---@class forecourt.mapping.map.query_user_auth
---@field request? fun(message: message.query_user_auth.request, context: forecourt.mapping.context): table
---@field answer? fun(message: message.query_user_auth.answer, context: forecourt.mapping.context): table

---@class message.query_user_auth.request
---@field UserAuthSeq string
---@field StartChargeSeq string
---@field ConnectorID string
---@field AuthType integer
---@field UserIdent string

---@class message.query_user_auth.answer
---@field UserAuthSeq? string
---@field SuccStat integer
---@field FailReason? integer
---@field StartChargeSeq? string
---@field UserClass? string
