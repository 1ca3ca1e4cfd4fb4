/* Token and public information: protocol.md 1.7 and 2.1 to 2.5. One line a field, in the standard's order, spelled as in
 * the standard. */
#include "upstream/message_tables.h"

#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))

enum { O = 0, R = 1 }; /* optional, required */

static const struct field operator_info_fields[] = {
    {"OperatorID", FIELD_TEXT, 9, R, NULL},          {"OperatorName", FIELD_TEXT, 64, R, NULL},
    {"OperatorTel1", FIELD_TEXT, 32, R, NULL},       {"OperatorTel2", FIELD_TEXT, 32, O, NULL},
    {"OperatorRegAddress", FIELD_TEXT, 64, O, NULL}, {"OperatorNote", FIELD_TEXT, 255, O, NULL},
};
static const struct schema operator_info = {"OperatorInfo", operator_info_fields, COUNT(operator_info_fields)};

static const struct field connector_info_fields[] = {
    {"ConnectorID", FIELD_TEXT, 26, R, NULL},      {"ConnectorName", FIELD_TEXT, 30, O, NULL},
    {"ConnectorType", FIELD_INT, 0, R, NULL},      {"VoltageUpperLimits", FIELD_INT, 0, R, NULL},
    {"VoltageLowerLimits", FIELD_INT, 0, R, NULL}, {"Current", FIELD_INT, 0, R, NULL},
    {"Power", FIELD_DECIMAL, 1, R, NULL},          {"ParkNo", FIELD_TEXT, 10, O, NULL},
    {"NationalStandard", FIELD_INT, 0, R, NULL},
};
static const struct schema connector_info = {"ConnectorInfo", connector_info_fields, COUNT(connector_info_fields)};

static const struct field equipment_info_fields[] = {
    {"EquipmentID", FIELD_TEXT, 23, R, NULL},
    {"ManufacturerID", FIELD_TEXT, 9, O, NULL},
    {"ManufacturerName", FIELD_TEXT, 30, O, NULL},
    {"EquipmentModel", FIELD_TEXT, 20, O, NULL},
    {"ProductionDate", FIELD_DATE, 10, O, NULL},
    {"EquipmentType", FIELD_INT, 0, R, NULL},
    {"ConnectorInfos", FIELD_OBJECTS, 0, R, &connector_info},
    {"EquipmentLng", FIELD_DECIMAL, 6, O, NULL},
    {"EquipmentLat", FIELD_DECIMAL, 6, O, NULL},
    {"Power", FIELD_DECIMAL, 1, R, NULL},
    {"EquipmentName", FIELD_TEXT, 30, O, NULL},
};
static const struct schema equipment_info = {"EquipmentInfo", equipment_info_fields, COUNT(equipment_info_fields)};

static const struct field station_info_fields[] = {
    {"StationID", FIELD_TEXT, 20, R, NULL},
    {"OperatorID", FIELD_TEXT, 9, R, NULL},
    {"EquipmentOwnerID", FIELD_TEXT, 9, R, NULL},
    {"StationName", FIELD_TEXT, 50, R, NULL},
    {"CountryCode", FIELD_TEXT, 2, R, NULL},
    {"AreaCode", FIELD_TEXT, 20, R, NULL},
    {"Address", FIELD_TEXT, 50, R, NULL},
    {"StationTel", FIELD_TEXT, 30, O, NULL},
    {"ServiceTel", FIELD_TEXT, 30, R, NULL},
    {"StationType", FIELD_INT, 0, R, NULL},
    {"StationStatus", FIELD_INT, 0, R, NULL},
    {"ParkNums", FIELD_INT, 0, R, NULL},
    {"StationLng", FIELD_DECIMAL, 6, R, NULL},
    {"StationLat", FIELD_DECIMAL, 6, R, NULL},
    {"SiteGuide", FIELD_TEXT, 100, O, NULL},
    {"Construction", FIELD_INT, 0, R, NULL},
    {"Pictures", FIELD_TEXTS, 0, O, NULL},
    {"MatchCars", FIELD_TEXT, 100, O, NULL},
    {"ParkInfo", FIELD_TEXT, 100, O, NULL},
    {"BusineHours", FIELD_TEXT, 100, O, NULL}, /* the standard's spelling */
    {"ElectricityFee", FIELD_TEXT, 256, O, NULL},
    {"ServiceFee", FIELD_TEXT, 100, O, NULL},
    {"ParkFee", FIELD_TEXT, 100, O, NULL},
    {"Payment", FIELD_TEXT, 20, O, NULL},
    {"SupportOrder", FIELD_INT, 0, O, NULL},
    {"Remark", FIELD_TEXT, 100, O, NULL},
    {"EquipmentInfos", FIELD_OBJECTS, 0, R, &equipment_info},
};
static const struct schema station_info = {"StationInfo", station_info_fields, COUNT(station_info_fields)};

static const struct field connector_status_info_fields[] = {
    {"ConnectorID", FIELD_TEXT, 26, R, NULL},
    {"Status", FIELD_INT, 0, R, NULL},
    {"ParkStatus", FIELD_INT, 0, O, NULL},
    {"LockStatus", FIELD_INT, 0, O, NULL},
};
static const struct schema connector_status_info = {"ConnectorStatusInfo", connector_status_info_fields,
						    COUNT(connector_status_info_fields)};

static const struct field station_status_info_fields[] = {
    {"StationID", FIELD_TEXT, 20, R, NULL},
    {"ConnectorStatusInfos", FIELD_OBJECTS, 0, R, &connector_status_info},
};
static const struct schema station_status_info = {"StationStatusInfo", station_status_info_fields,
						  COUNT(station_status_info_fields)};

static const struct field connector_stats_info_fields[] = {
    {"ConnectorID", FIELD_TEXT, 26, R, NULL},
    {"ConnectorElectricity", FIELD_DECIMAL, 1, R, NULL},
};
static const struct schema connector_stats_info = {"ConnectorStatsInfo", connector_stats_info_fields,
						   COUNT(connector_stats_info_fields)};

static const struct field equipment_stats_info_fields[] = {
    {"EquipmentID", FIELD_TEXT, 23, R, NULL},
    {"EquipmentElectricity", FIELD_DECIMAL, 1, R, NULL},
    {"ConnectorStatsInfos", FIELD_OBJECTS, 0, R, &connector_stats_info},
};
static const struct schema equipment_stats_info = {"EquipmentStatsInfo", equipment_stats_info_fields,
						   COUNT(equipment_stats_info_fields)};

static const struct field station_stats_info_fields[] = {
    {"StationID", FIELD_TEXT, 20, R, NULL},
    {"StartTime", FIELD_DATE, 10, R, NULL},
    {"EndTime", FIELD_DATE, 10, R, NULL},
    {"StationElectricity", FIELD_DECIMAL, 1, R, NULL},
    {"EquipmentStatsInfos", FIELD_OBJECTS, 0, R, &equipment_stats_info},
};
static const struct schema station_stats_info = {"StationStatsInfo", station_stats_info_fields,
						 COUNT(station_stats_info_fields)};

/* query_token */
static const struct field token_request_fields[] = {
    {"OperatorID", FIELD_TEXT, 9, R, NULL},
    {"OperatorSecret", FIELD_TEXT, 0, R, NULL},
};
static const struct schema token_request_schema = {"query_token request", token_request_fields,
						   COUNT(token_request_fields)};
static const struct field token_answer_fields[] = {
    {"OperatorID", FIELD_TEXT, 9, R, NULL},
    {"SuccStat", FIELD_INT, 0, R, NULL},
    {"AccessToken", FIELD_TEXT, 0, R, NULL},
    {"TokenAvailableTime", FIELD_DECIMAL, 0, R, NULL}, /* an integer; some send 7200.0 or text (1.7) */
    {"FailReason", FIELD_INT, 0, R, NULL},
};
static const struct schema token_answer_schema = {"query_token answer", token_answer_fields,
						  COUNT(token_answer_fields)};

/* query_stations_info */
static const struct field stations_request_fields[] = {
    {"LastQueryTime", FIELD_DATETIME, 19, O, NULL},
    {"PageNo", FIELD_INT, 0, O, NULL},
    {"PageSize", FIELD_INT, 0, O, NULL},
};
static const struct schema stations_request = {"query_stations_info request", stations_request_fields,
					       COUNT(stations_request_fields)};
static const struct field stations_answer_fields[] = {
    {"PageNo", FIELD_INT, 0, R, NULL},
    {"PageCount", FIELD_INT, 0, R, NULL},
    {"ItemSize", FIELD_INT, 0, R, NULL},
    {"StationInfos", FIELD_OBJECTS, 0, R, &station_info},
};
static const struct schema stations_answer = {"query_stations_info answer", stations_answer_fields,
					      COUNT(stations_answer_fields)};

/* notification_stationStatus */
static const struct field status_push_fields[] = {
    {"ConnectorStatusInfo", FIELD_OBJECT, 0, R, &connector_status_info},
};
static const struct schema status_push = {"notification_stationStatus request", status_push_fields,
					  COUNT(status_push_fields)};
/* The answer of all three public pushes: 0 accepted, 1 discarded, do not repeat. */
static const struct field push_answer_fields[] = {
    {"Status", FIELD_INT, 0, R, NULL},
};
static const struct schema push_answer = {"push answer", push_answer_fields, COUNT(push_answer_fields)};

/* query_station_status */
static const struct field status_request_fields[] = {
    {"StationIDs", FIELD_TEXTS, 0, R, NULL},
};
static const struct schema status_request = {"query_station_status request", status_request_fields,
					     COUNT(status_request_fields)};
static const struct field status_answer_fields[] = {
    {"Total", FIELD_INT, 0, O, NULL},
    {"StationStatusInfos", FIELD_OBJECTS, 0, R, &station_status_info},
};
static const struct schema status_answer = {"query_station_status answer", status_answer_fields,
					    COUNT(status_answer_fields)};

/* query_station_stats */
static const struct field stats_request_fields[] = {
    {"StationID", FIELD_TEXT, 20, R, NULL},
    {"StartTime", FIELD_DATE, 10, R, NULL},
    {"EndTime", FIELD_DATE, 10, R, NULL},
};
static const struct schema stats_request = {"query_station_stats request", stats_request_fields,
					    COUNT(stats_request_fields)};
/* Also the body of notification_station_stats. */
static const struct field stats_fields[] = {
    {"StationStats", FIELD_OBJECT, 0, R, &station_stats_info},
};
static const struct schema stats = {"query_station_stats answer", stats_fields, COUNT(stats_fields)};

/* notification_stationInfo: protocol.md 2.16 (Shenzhen) and section 3, 6: one StationInfo object. */
static const struct field info_push_fields[] = {
    {"StationInfo", FIELD_OBJECT, 0, R, &station_info},
};
static const struct schema info_push = {"notification_stationInfo request", info_push_fields, COUNT(info_push_fields)};

static const struct message messages[] = {
    {"query_token", MESSAGE_BOTH, MESSAGE_BASE, 0, &token_request_schema, &token_answer_schema},
    {"query_stations_info", MESSAGE_WE_ANSWER, MESSAGE_BASE, 0, &stations_request, &stations_answer},
    {"notification_stationStatus", MESSAGE_WE_CALL, MESSAGE_BASE, 1, &status_push, &push_answer},
    {"query_station_status", MESSAGE_WE_ANSWER, MESSAGE_BASE, 0, &status_request, &status_answer},
    {"query_station_stats", MESSAGE_WE_ANSWER, MESSAGE_BASE, 0, &stats_request, &stats},
    {"notification_stationInfo", MESSAGE_WE_CALL, MESSAGE_STATION_INFO, 1, &info_push, &push_answer},
    {"notification_station_stats", MESSAGE_WE_CALL, MESSAGE_STATION_STATS, 1, &stats, &push_answer},
};

static const struct schema *const structures[] = {
    &operator_info,       &station_info,       &equipment_info,       &connector_info,       &connector_status_info,
    &station_status_info, &station_stats_info, &equipment_stats_info, &connector_stats_info,
};

const struct message_table message_icomm = {messages, COUNT(messages), structures, COUNT(structures)};
