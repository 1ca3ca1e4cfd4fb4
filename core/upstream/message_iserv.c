/* Business information: protocol.md 2.6 to 2.16. Tables only; the charge room's messages are built on them. */
#include "upstream/message_tables.h"

#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))

enum { O = 0, R = 1 }; /* optional, required */

/* query_equip_auth */
static const struct field auth_request_fields[] = {
    {"EquipAuthSeq", FIELD_TEXT, 27, R, NULL},
    {"ConnectorID", FIELD_TEXT, 26, R, NULL},
};
static const struct schema auth_request = {"query_equip_auth request", auth_request_fields, COUNT(auth_request_fields)};
static const struct field auth_answer_fields[] = {
    {"EquipAuthSeq", FIELD_TEXT, 27, R, NULL},
    {"ConnectorID", FIELD_TEXT, 26, R, NULL},
    {"SuccStat", FIELD_INT, 0, R, NULL},
    {"FailReason", FIELD_INT, 0, R, NULL},
};
static const struct schema auth_answer = {"query_equip_auth answer", auth_answer_fields, COUNT(auth_answer_fields)};

/* query_equip_business_policy */
static const struct field policy_info_fields[] = {
    {"StartTime", FIELD_TEXT, 6, R, NULL}, /* HHmmss */
    {"ElecPrice", FIELD_DECIMAL, 4, R, NULL},
    {"SevicePrice", FIELD_DECIMAL, 4, R, NULL}, /* the standard's spelling */
};
static const struct schema policy_info = {"PolicyInfo", policy_info_fields, COUNT(policy_info_fields)};
static const struct field policy_request_fields[] = {
    {"EquipBizSeq", FIELD_TEXT, 27, R, NULL},
    {"ConnectorID", FIELD_TEXT, 26, R, NULL},
};
static const struct schema policy_request = {"query_equip_business_policy request", policy_request_fields,
					     COUNT(policy_request_fields)};
static const struct field policy_answer_fields[] = {
    {"EquipBizSeq", FIELD_TEXT, 27, R, NULL}, {"ConnectorID", FIELD_TEXT, 26, R, NULL},
    {"SuccStat", FIELD_INT, 0, R, NULL},      {"FailReason", FIELD_INT, 0, R, NULL},
    {"SumPeriod", FIELD_INT, 0, R, NULL},     {"PolicyInfos", FIELD_OBJECTS, 0, R, &policy_info},
};
static const struct schema policy_answer = {"query_equip_business_policy answer", policy_answer_fields,
					    COUNT(policy_answer_fields)};

/* query_start_charge. QRCode is R in the standard, but there may be nothing to send, and some then leave it out
 * (protocol.md section 5, 14): not insisted on. */
static const struct field start_request_fields[] = {
    {"StartChargeSeq", FIELD_TEXT, 27, R, NULL},
    {"ConnectorID", FIELD_TEXT, 26, R, NULL},
    {"QRCode", FIELD_TEXT, 0, O, NULL},
};
static const struct schema start_request = {"query_start_charge request", start_request_fields,
					    COUNT(start_request_fields)};
static const struct field start_answer_fields[] = {
    {"StartChargeSeq", FIELD_TEXT, 27, R, NULL}, {"StartChargeSeqStat", FIELD_INT, 0, R, NULL},
    {"ConnectorID", FIELD_TEXT, 26, R, NULL},    {"SuccStat", FIELD_INT, 0, R, NULL},
    {"FailReason", FIELD_INT, 0, R, NULL},
};
static const struct schema start_answer = {"query_start_charge answer", start_answer_fields,
					   COUNT(start_answer_fields)};

/* notification_start_charge_result */
static const struct field start_result_fields[] = {
    {"StartChargeSeq", FIELD_TEXT, 27, R, NULL},
    {"StartChargeSeqStat", FIELD_INT, 0, R, NULL},
    {"ConnectorID", FIELD_TEXT, 26, R, NULL},
    {"StartTime", FIELD_DATETIME, 19, R, NULL},
    {"IdentCode", FIELD_TEXT, 0, O, NULL},
    {"ChargeModel", FIELD_INT, 0, O, NULL},
    {"Vin", FIELD_TEXT, 17, O, NULL},
};
static const struct schema start_result = {"notification_start_charge_result request", start_result_fields,
					   COUNT(start_result_fields)};
/* Also of the stop result and of the charge status. */
static const struct field result_answer_fields[] = {
    {"StartChargeSeq", FIELD_TEXT, 27, R, NULL},
    {"SuccStat", FIELD_INT, 0, R, NULL},
    {"FailReason", FIELD_INT, 0, O, NULL},
};
static const struct schema result_answer = {"result answer", result_answer_fields, COUNT(result_answer_fields)};

/* The charge snapshot of query_equip_charge_status and notification_equip_charge_status */
static const struct field charge_detail_fields[] = {
    {"DetailStartTime", FIELD_DATETIME, 19, R, NULL}, {"DetailEndTime", FIELD_DATETIME, 19, R, NULL},
    {"ElecPrice", FIELD_DECIMAL, 4, O, NULL},         {"SevicePrice", FIELD_DECIMAL, 4, O, NULL},
    {"DetailPower", FIELD_DECIMAL, 2, R, NULL},       {"DetailElecMoney", FIELD_DECIMAL, 2, O, NULL},
    {"DetailSeviceMoney", FIELD_DECIMAL, 2, O, NULL},
};
static const struct schema charge_detail = {"ChargeDetail", charge_detail_fields, COUNT(charge_detail_fields)};
static const struct field snapshot_fields[] = {
    {"StartChargeSeq", FIELD_TEXT, 27, R, NULL},
    {"StartChargeSeqStat", FIELD_INT, 0, R, NULL},
    {"ConnectorID", FIELD_TEXT, 26, R, NULL},
    {"ConnectorStatus", FIELD_INT, 0, R, NULL},
    {"CurrentA", FIELD_DECIMAL, 1, R, NULL},
    {"CurrentB", FIELD_DECIMAL, 1, O, NULL},
    {"CurrentC", FIELD_DECIMAL, 1, O, NULL},
    {"VoltageA", FIELD_DECIMAL, 1, R, NULL},
    {"VoltageB", FIELD_DECIMAL, 1, O, NULL},
    {"VoltageC", FIELD_DECIMAL, 1, O, NULL},
    {"Soc", FIELD_DECIMAL, 1, R, NULL},
    {"StartTime", FIELD_DATETIME, 19, R, NULL},
    {"EndTime", FIELD_DATETIME, 19, R, NULL},
    {"TotalPower", FIELD_DECIMAL, 2, R, NULL},
    {"ElecMoney", FIELD_DECIMAL, 2, O, NULL},
    {"SeviceMoney", FIELD_DECIMAL, 2, O, NULL},
    {"TotalMoney", FIELD_DECIMAL, 2, O, NULL},
    {"SumPeriod", FIELD_INT, 0, O, NULL},
    {"ChargeDetails", FIELD_OBJECTS, 0, O, &charge_detail},
    {"ChargeModel", FIELD_INT, 0, O, NULL}, /* city addition, protocol.md 2.11 */
};
static const struct schema snapshot = {"ChargeSnapshot", snapshot_fields, COUNT(snapshot_fields)};
static const struct field seq_request_fields[] = {
    {"StartChargeSeq", FIELD_TEXT, 27, R, NULL},
};
static const struct schema seq_request = {"query_equip_charge_status request", seq_request_fields,
					  COUNT(seq_request_fields)};

/* query_stop_charge */
static const struct field stop_request_fields[] = {
    {"StartChargeSeq", FIELD_TEXT, 27, R, NULL},
    {"ConnectorID", FIELD_TEXT, 26, R, NULL},
};
static const struct schema stop_request = {"query_stop_charge request", stop_request_fields,
					   COUNT(stop_request_fields)};
static const struct field stop_answer_fields[] = {
    {"StartChargeSeq", FIELD_TEXT, 27, R, NULL},
    {"StartChargeSeqStat", FIELD_INT, 0, R, NULL},
    {"SuccStat", FIELD_INT, 0, R, NULL},
    {"FailReason", FIELD_INT, 0, R, NULL},
};
static const struct schema stop_answer = {"query_stop_charge answer", stop_answer_fields, COUNT(stop_answer_fields)};

/* notification_stop_charge_result */
static const struct field stop_result_fields[] = {
    {"StartChargeSeq", FIELD_TEXT, 27, R, NULL},   {"ConnectorID", FIELD_TEXT, 26, R, NULL},
    {"StartChargeSeqStat", FIELD_INT, 0, R, NULL}, {"SuccStat", FIELD_INT, 0, R, NULL},
    {"FailReason", FIELD_INT, 0, R, NULL},
};
static const struct schema stop_result = {"notification_stop_charge_result request", stop_result_fields,
					  COUNT(stop_result_fields)};

/* notification_charge_order_info */
static const struct field order_fields[] = {
    {"StartChargeSeq", FIELD_TEXT, 27, R, NULL},
    {"ConnectorID", FIELD_TEXT, 26, R, NULL},
    {"StartTime", FIELD_DATETIME, 19, R, NULL},
    {"EndTime", FIELD_DATETIME, 19, R, NULL},
    {"TotalPower", FIELD_DECIMAL, 2, R, NULL},
    {"TotalElecMoney", FIELD_DECIMAL, 2, R, NULL},
    {"TotalSeviceMoney", FIELD_DECIMAL, 2, R, NULL},
    {"TotalMoney", FIELD_DECIMAL, 2, R, NULL},
    {"StopReason", FIELD_INT, 0, R, NULL},
    {"SumPeriod", FIELD_INT, 0, O, NULL},
    {"ChargeDetails", FIELD_OBJECTS, 0, O, &charge_detail},
};
static const struct schema order = {"ChargeOrderInfo", order_fields, COUNT(order_fields)};
static const struct field order_answer_fields[] = {
    {"StartChargeSeq", FIELD_TEXT, 27, R, NULL},
    {"ConnectorID", FIELD_TEXT, 26, R, NULL},
    {"ConfirmResult", FIELD_INT, 0, R, NULL},
};
static const struct schema order_answer = {"notification_charge_order_info answer", order_answer_fields,
					   COUNT(order_answer_fields)};

/* notification_charge_order_info_for_bonus, protocol.md 2.16: money split and details are optional in practice. */
static const struct field bonus_fields[] = {
    {"StartChargeSeq", FIELD_TEXT, 27, R, NULL},
    {"ConnectorID", FIELD_TEXT, 26, R, NULL},
    {"StartTime", FIELD_DATETIME, 19, R, NULL},
    {"EndTime", FIELD_DATETIME, 19, R, NULL},
    {"ChargeModel", FIELD_INT, 0, R, NULL},
    {"UserName", FIELD_TEXT, 20, R, NULL},
    {"StationID", FIELD_TEXT, 20, R, NULL},
    {"EquipmentID", FIELD_TEXT, 23, R, NULL},
    {"ConnectorPower", FIELD_DECIMAL, 1, R, NULL},
    {"ChargeLast", FIELD_INT, 0, R, NULL}, /* seconds */
    {"MeterValueStart", FIELD_DECIMAL, 2, R, NULL},
    {"MeterValueEnd", FIELD_DECIMAL, 2, R, NULL},
    {"TotalPower", FIELD_DECIMAL, 2, R, NULL},
    {"TotalElecMoney", FIELD_DECIMAL, 2, O, NULL},
    {"TotalSeviceMoney", FIELD_DECIMAL, 2, O, NULL},
    {"TotalMoney", FIELD_DECIMAL, 2, R, NULL},
    {"StopReason", FIELD_INT, 0, R, NULL},
    {"SumPeriod", FIELD_INT, 0, O, NULL},
    {"ChargeDetails", FIELD_OBJECTS, 0, O, &charge_detail},
};
static const struct schema bonus = {"ChargeOrderInfoForBonus", bonus_fields, COUNT(bonus_fields)};

/* query_user_auth: an extension of ours. The base set has no message for cards and charges that begin on site; a mapping switches
 * it on, and gives it the path and the form that its platform wants. */
static const struct field user_auth_request_fields[] = {
    {"UserAuthSeq", FIELD_TEXT, 27, R, NULL},
    {"StartChargeSeq", FIELD_TEXT, 27, R, NULL}, /* the order's number, unless the answer names another */
    {"ConnectorID", FIELD_TEXT, 26, R, NULL},
    {"AuthType", FIELD_INT, 0, R, NULL},   /* 1 a card wants to charge, 2 a car charges already */
    {"UserIdent", FIELD_TEXT, 0, R, NULL}, /* card number, VIN; may be empty */
};
static const struct schema user_auth_request = {"query_user_auth request", user_auth_request_fields,
						COUNT(user_auth_request_fields)};
static const struct field user_auth_answer_fields[] = {
    {"UserAuthSeq", FIELD_TEXT, 27, O, NULL}, {"SuccStat", FIELD_INT, 0, R, NULL},
    {"FailReason", FIELD_INT, 0, O, NULL},    {"StartChargeSeq", FIELD_TEXT, 27, O, NULL},
    {"UserClass", FIELD_TEXT, 31, O, NULL},
};
static const struct schema user_auth_answer = {"query_user_auth answer", user_auth_answer_fields,
					       COUNT(user_auth_answer_fields)};

/* check_charge_orders */
static const struct field charge_order_fields[] = {
    {"StartChargeSeq", FIELD_TEXT, 27, R, NULL},
    {"TotalPower", FIELD_DECIMAL, 2, R, NULL},
    {"TotalMoney", FIELD_DECIMAL, 2, R, NULL},
};
static const struct schema charge_order = {"ChargeOrder", charge_order_fields, COUNT(charge_order_fields)};
static const struct field dispute_order_fields[] = {
    {"StartChargeSeq", FIELD_TEXT, 27, R, NULL},
    {"TotalPower", FIELD_DECIMAL, 2, R, NULL},
    {"TotalMoney", FIELD_DECIMAL, 2, R, NULL},
    {"DisputeReason", FIELD_INT, 0, R, NULL},
};
static const struct schema dispute_order = {"DisputeOrder", dispute_order_fields, COUNT(dispute_order_fields)};
static const struct field check_request_fields[] = {
    {"CheckOrderSeq", FIELD_TEXT, 27, R, NULL},
    {"StartTime", FIELD_DATETIME, 19, R, NULL},
    {"EndTime", FIELD_DATETIME, 19, R, NULL},
    {"OrderCount", FIELD_INT, 0, R, NULL},
    {"TotalOrderPower", FIELD_DECIMAL, 4, R, NULL},
    {"TotalOrderMoney", FIELD_DECIMAL, 2, R, NULL},
    {"ChargeOrders", FIELD_OBJECTS, 0, R, &charge_order},
};
static const struct schema check_request = {"check_charge_orders request", check_request_fields,
					    COUNT(check_request_fields)};
static const struct field check_answer_fields[] = {
    {"CheckOrderSeq", FIELD_TEXT, 27, R, NULL},
    {"StartTime", FIELD_DATETIME, 19, R, NULL},
    {"EndTime", FIELD_DATETIME, 19, R, NULL},
    {"TotalDisputeOrder", FIELD_INT, 0, R, NULL},
    {"TotalDisputePower", FIELD_DECIMAL, 4, R, NULL},
    {"TotalDisputeMoney", FIELD_DECIMAL, 2, R, NULL},
    {"DisputeOrders", FIELD_OBJECTS, 0, R, &dispute_order},
};
static const struct schema check_answer = {"check_charge_orders answer", check_answer_fields,
					   COUNT(check_answer_fields)};

static const struct message messages[] = {
    {"query_equip_auth", MESSAGE_WE_ANSWER, MESSAGE_ISERV, 0, &auth_request, &auth_answer},
    {"query_equip_business_policy", MESSAGE_WE_ANSWER, MESSAGE_ISERV, 0, &policy_request, &policy_answer},
    {"query_start_charge", MESSAGE_WE_ANSWER, MESSAGE_ISERV, 1, &start_request, &start_answer},
    {"notification_start_charge_result", MESSAGE_WE_CALL, MESSAGE_ISERV, 1, &start_result, &result_answer},
    {"query_equip_charge_status", MESSAGE_WE_ANSWER, MESSAGE_ISERV, 0, &seq_request, &snapshot},
    {"notification_equip_charge_status", MESSAGE_WE_CALL, MESSAGE_ISERV, 1, &snapshot, &result_answer},
    {"query_stop_charge", MESSAGE_WE_ANSWER, MESSAGE_ISERV, 1, &stop_request, &stop_answer},
    {"notification_stop_charge_result", MESSAGE_WE_CALL, MESSAGE_ISERV, 1, &stop_result, &result_answer},
    {"notification_charge_order_info", MESSAGE_WE_CALL, MESSAGE_ISERV, 1, &order, &order_answer},
    {"check_charge_orders", MESSAGE_WE_CALL, MESSAGE_ISERV, 0, &check_request, &check_answer},
    {"notification_charge_order_info_for_bonus", MESSAGE_WE_CALL, MESSAGE_CITY, 1, &bonus, &order_answer},
    {"query_user_auth", MESSAGE_WE_CALL, MESSAGE_CITY, 1, &user_auth_request, &user_auth_answer},
};

static const struct schema *const structures[] = {&policy_info, &charge_detail, &snapshot,     &order,
						  &bonus,       &charge_order,  &dispute_order};

const struct message_table message_iserv = {messages, COUNT(messages), structures, COUNT(structures)};
