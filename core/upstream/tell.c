#include "upstream/tell.h"

#include <string.h>

#include "base/clock.h"
#include "base/decimal.h"
#include "base/maker.h"
#include "station/point.h"

/* A charge that never began has no time of its own yet: that of the command. */
static void put_time(struct maker *m, struct value *object, const char *key, int64_t wall)
{
	char text[CLOCK_DATETIME_SIZE];

	clock_format_datetime(wall, text);
	maker_text(m, object, key, text);
}

/* 1/10 000 yuan as yuan with two decimals: whole fen, nothing is rounded away. */
static void put_money(struct maker *m, struct value *object, const char *key, int64_t money_e4)
{
	maker_decimal(m, object, key, decimal_rescale(money_e4, 4, 2), 2);
}

static void put_details(struct maker *m, struct value *object, const struct bill *bill)
{
	struct value *list = value_array(m->arena);

	for (int i = 0; i < bill->count; i++) {
		const struct bill_line *l = &bill->lines[i];
		struct value *detail = value_object(m->arena);

		put_time(m, detail, "DetailStartTime", l->start_wall);
		put_time(m, detail, "DetailEndTime", l->end_wall);
		maker_decimal(m, detail, "ElecPrice", l->elec_e4, 4);
		maker_decimal(m, detail, "SevicePrice", l->service_e4, 4);
		maker_decimal(m, detail, "DetailPower", l->energy_e2, 2);
		put_money(m, detail, "DetailElecMoney", l->elec_money_e4);
		put_money(m, detail, "DetailSeviceMoney", l->service_money_e4);
		maker_push(m, list, detail);
	}
	maker_int(m, object, "SumPeriod", bill->count);
	maker_put(m, object, "ChargeDetails", list);
}

struct value *tell_start_result(const struct order *order, int started, int with_vin, struct arena *arena)
{
	struct maker m = {.arena = arena};
	struct value *v = value_object(arena);

	maker_text(&m, v, "StartChargeSeq", order->seq);
	maker_int(&m, v, "StartChargeSeqStat", session_seq_stat(started ? SESSION_CHARGING : SESSION_ENDED));
	maker_text(&m, v, "ConnectorID", order->connector_id);
	put_time(&m, v, "StartTime", order->start_wall);
	if (with_vin && *order->vin)
		maker_text(&m, v, "Vin", order->vin);
	return m.failed ? NULL : v;
}

struct value *tell_stop_result(const struct order *order, int stopped, struct arena *arena)
{
	struct maker m = {.arena = arena};
	struct value *v = value_object(arena);

	maker_text(&m, v, "StartChargeSeq", order->seq);
	maker_int(&m, v, "StartChargeSeqStat", session_seq_stat(stopped ? SESSION_ENDED : SESSION_CHARGING));
	maker_text(&m, v, "ConnectorID", order->connector_id);
	maker_int(&m, v, "SuccStat", !stopped);
	maker_int(&m, v, "FailReason", stopped ? CHARGE_ACCEPTED : CHARGE_CAME_TO_NOTHING);
	return m.failed ? NULL : v;
}

/* A point of the connector with one decimal; 0 when it is not known (protocol.md 2.10: default 0). */
static void put_point(struct maker *m, struct value *object, const char *key, const struct connector *connector,
		      const char *point, int optional)
{
	struct point_value value;

	if (connector && !connector_point(connector, point, &value) && value.quality == QUALITY_GOOD && !value.is_text)
		maker_decimal(m, object, key, decimal_rescale(value.milli, 3, 1), 1);
	else if (!optional)
		maker_decimal(m, object, key, 0, 1);
}

struct value *tell_snapshot(const struct order *order, enum session_state state, const struct connector *connector,
			    struct arena *arena)
{
	struct maker m = {.arena = arena};
	struct value *v = value_object(arena);
	struct bill bill;

	order_bill(order, &bill);
	maker_text(&m, v, "StartChargeSeq", order->seq);
	maker_int(&m, v, "StartChargeSeqStat", session_seq_stat(state));
	maker_text(&m, v, "ConnectorID", order->connector_id);
	maker_int(&m, v, "ConnectorStatus", connector ? (int)connector->status : (int)CONNECTOR_OFFLINE);
	put_point(&m, v, "CurrentA", connector, "current_a", 0);
	put_point(&m, v, "CurrentB", connector, "current_b", 1);
	put_point(&m, v, "CurrentC", connector, "current_c", 1);
	put_point(&m, v, "VoltageA", connector, "voltage_a", 0);
	put_point(&m, v, "VoltageB", connector, "voltage_b", 1);
	put_point(&m, v, "VoltageC", connector, "voltage_c", 1);
	put_point(&m, v, "Soc", connector, "soc", 0);
	put_time(&m, v, "StartTime", order->start_wall);
	put_time(&m, v, "EndTime",
		 order->end_wall  ? order->end_wall
		 : order->metered ? order->split.last_wall
				  : order->start_wall);
	maker_decimal(&m, v, "TotalPower", bill.energy_e2, 2);
	put_money(&m, v, "ElecMoney", bill.elec_money_e4);
	put_money(&m, v, "SeviceMoney", bill.service_money_e4);
	put_money(&m, v, "TotalMoney", bill.total_money_e4);
	put_details(&m, v, &bill);
	return m.failed ? NULL : v;
}

/* What both forms of an order have. */
static void put_order(struct maker *m, struct value *v, const struct order *order, const struct bill *bill)
{
	maker_text(m, v, "StartChargeSeq", order->seq);
	maker_text(m, v, "ConnectorID", order->connector_id);
	put_time(m, v, "StartTime", order->start_wall);
	put_time(m, v, "EndTime", order->end_wall);
	maker_decimal(m, v, "TotalPower", bill->energy_e2, 2);
	put_money(m, v, "TotalElecMoney", bill->elec_money_e4);
	put_money(m, v, "TotalSeviceMoney", bill->service_money_e4);
	put_money(m, v, "TotalMoney", bill->total_money_e4);
	maker_int(m, v, "StopReason", order->reason);
	put_details(m, v, bill);
}

struct value *tell_order(const struct order *order, struct arena *arena)
{
	struct maker m = {.arena = arena};
	struct value *v = value_object(arena);
	struct bill bill;

	order_bill(order, &bill);
	put_order(&m, v, order, &bill);
	return m.failed ? NULL : v;
}

/* Another platform's charge is a cardless one to this. */
static enum order_mode mode_for(const struct order *order, const char *platform)
{
	return order->mode == ORDER_BY_PLATFORM && strcmp(order->platform, platform) != 0 ? ORDER_OTHER : order->mode;
}

struct value *tell_bonus(const struct order *order, const struct connector *connector, const char *platform,
			 struct arena *arena)
{
	struct maker m = {.arena = arena};
	struct value *v = value_object(arena);
	struct bill bill;

	order_bill(order, &bill);
	put_order(&m, v, order, &bill);
	maker_int(&m, v, "ChargeModel", mode_for(order, platform));
	maker_text(&m, v, "UserName", order->user);
	maker_text(&m, v, "StationID", connector ? connector->station->station_id : "");
	maker_text(&m, v, "EquipmentID", connector ? connector->charger->equipment_id : "");
	maker_decimal(&m, v, "ConnectorPower", connector ? decimal_rescale(connector->config->power_w, 3, 1) : 0, 1);
	maker_int(&m, v, "ChargeLast", order->end_wall > order->start_wall ? order->end_wall - order->start_wall : 0);
	maker_decimal(&m, v, "MeterValueStart",
		      order->metered ? decimal_rescale(order->split.start_register_wh, 3, 2) : 0, 2);
	maker_decimal(&m, v, "MeterValueEnd", order->metered ? decimal_rescale(order->split.last_register_wh, 3, 2) : 0,
		      2);
	return m.failed ? NULL : v;
}
