#include "upstream/iserv.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/decimal.h"
#include "base/log.h"
#include "upstream/icomm.h"
#include "upstream/maker.h"
#include "upstream/ret.h"

enum { RESULT_S = 50 };

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

struct value *iserv_start_result(const struct order *order, int started, struct arena *arena)
{
	struct maker m = {.arena = arena};
	struct value *v = value_object(arena);

	maker_text(&m, v, "StartChargeSeq", order->seq);
	maker_int(&m, v, "StartChargeSeqStat", session_seq_stat(started ? SESSION_CHARGING : SESSION_ENDED));
	maker_text(&m, v, "ConnectorID", order->connector_id);
	put_time(&m, v, "StartTime", order->start_wall);
	return m.failed ? NULL : v;
}

struct value *iserv_stop_result(const struct order *order, int stopped, struct arena *arena)
{
	struct maker m = {.arena = arena};
	struct value *v = value_object(arena);

	maker_text(&m, v, "StartChargeSeq", order->seq);
	maker_int(&m, v, "StartChargeSeqStat", session_seq_stat(stopped ? SESSION_ENDED : SESSION_CHARGING));
	maker_text(&m, v, "ConnectorID", order->connector_id);
	maker_int(&m, v, "SuccStat", !stopped);
	maker_int(&m, v, "FailReason", stopped ? 0 : CHARGE_OWN);
	return m.failed ? NULL : v;
}

/* A point of the connector with one decimal; 0 when it is not known (protocol.md 2.10: default 0). */
static void put_point(struct maker *m, struct value *object, const char *key, const struct connector *connector,
		      const char *point, int optional)
{
	struct point_value value;

	if (connector && connector->device &&
	    !device_point_by_name(connector->device, connector->config->number, point, &value) &&
	    value.quality == QUALITY_GOOD && !value.is_text)
		maker_decimal(m, object, key, decimal_rescale(value.milli, 3, 1), 1);
	else if (!optional)
		maker_decimal(m, object, key, 0, 1);
}

struct value *iserv_snapshot(const struct order *order, enum session_state state, const struct connector *connector,
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

struct value *iserv_order(const struct order *order, struct arena *arena)
{
	struct maker m = {.arena = arena};
	struct value *v = value_object(arena);
	struct bill bill;

	order_bill(order, &bill);
	maker_text(&m, v, "StartChargeSeq", order->seq);
	maker_text(&m, v, "ConnectorID", order->connector_id);
	put_time(&m, v, "StartTime", order->start_wall);
	put_time(&m, v, "EndTime", order->end_wall);
	maker_decimal(&m, v, "TotalPower", bill.energy_e2, 2);
	put_money(&m, v, "TotalElecMoney", bill.elec_money_e4);
	put_money(&m, v, "TotalSeviceMoney", bill.service_money_e4);
	put_money(&m, v, "TotalMoney", bill.total_money_e4);
	maker_int(&m, v, "StopReason", order->reason);
	put_details(&m, v, &bill);
	return m.failed ? NULL : v;
}

/* Answers ------------------------------------------------------------------------------------------------------------- */

struct question {
	const struct platform *platform;
	const struct value *request;
	struct maker m;
	struct value *answer;
};

static const char *text_of(const struct question *q, const char *key)
{
	const char *text = value_text(value_get(q->request, key));

	return text ? text : "";
}

/* NULL where the platform may not see it: for it there is none. */
static const struct connector *seen_connector(const struct question *q)
{
	const struct icomm view = platform_view(q->platform);
	const struct connector *c = station_connector_find(q->platform->stations, text_of(q, "ConnectorID"));

	return c && icomm_station(&view, c->station->station_id) >= 0 ? c : NULL;
}

static void echo(struct question *q, const char *key)
{
	maker_text(&q->m, q->answer, key, text_of(q, key));
}

static void put_verdict(struct question *q, int reason)
{
	maker_int(&q->m, q->answer, "SuccStat", reason != 0);
	maker_int(&q->m, q->answer, "FailReason", reason);
}

/* protocol.md 2.6: 1 not plugged in, 2 the device's check failed. */
static void answer_auth(struct question *q)
{
	const struct connector *c = seen_connector(q);
	int reason = 2;

	if (c && c->status == CONNECTOR_IDLE)
		reason = 1;
	else if (c && c->status == CONNECTOR_OCCUPIED)
		reason = 0;
	else if (c && c->status != CONNECTOR_OFFLINE && c->status != CONNECTOR_FAULT)
		reason = 3;
	echo(q, "EquipAuthSeq");
	echo(q, "ConnectorID");
	put_verdict(q, reason);
}

static void answer_policy(struct question *q)
{
	struct tariff t = {0};
	int none = !seen_connector(q) ||
		   charge_tariff(q->platform->charges, text_of(q, "ConnectorID"), q->platform->options->name, &t);
	struct value *list = value_array(q->m.arena);

	echo(q, "EquipBizSeq");
	echo(q, "ConnectorID");
	put_verdict(q, none);
	maker_int(&q->m, q->answer, "SumPeriod", none ? 0 : t.days[0].count);
	for (int i = 0; !none && i < t.days[0].count; i++) {
		const struct tariff_period *p = &t.days[0].periods[i];
		struct value *info = value_object(q->m.arena);
		char start[16];

		(void)snprintf(start, sizeof(start), "%02d%02d%02d", p->start_s / 3600, p->start_s / 60 % 60,
			       p->start_s % 60);
		maker_text(&q->m, info, "StartTime", start);
		maker_decimal(&q->m, info, "ElecPrice", p->elec_e4, 4);
		maker_decimal(&q->m, info, "SevicePrice", p->service_e4, 4);
		maker_push(&q->m, list, info);
	}
	maker_put(&q->m, q->answer, "PolicyInfos", list);
}

/* The first question of whoever stands at the charger is why. */
static void log_refusal(const struct question *q, const char *what, enum charge_refusal refusal)
{
	if (refusal)
		log_notice("upstream: %s: connector %s: %s refused: %s", q->platform->options->name,
			   text_of(q, "ConnectorID"), what, charge_refusal_text(refusal));
}

static void answer_start(struct question *q)
{
	const struct platform *p = q->platform;
	const struct charge_request request = {
	    .seq = text_of(q, "StartChargeSeq"),
	    .connector_id = text_of(q, "ConnectorID"),
	    .platform = p->options->name,
	    .user_class = "",
	    .mode = ORDER_BY_PLATFORM,
	    .result_s = (int)mapping_timing(p->mapping, "start_result_s", RESULT_S),
	};
	struct charge_answer answer = {.refusal = CHARGE_NO_CONNECTOR, .seq_stat = session_seq_stat(SESSION_ENDED)};

	if (seen_connector(q))
		charge_start(p->charges, &request, &answer);
	log_refusal(q, "start", answer.refusal);
	echo(q, "StartChargeSeq");
	maker_int(&q->m, q->answer, "StartChargeSeqStat", answer.seq_stat);
	echo(q, "ConnectorID");
	put_verdict(q, (int)answer.refusal);
}

/* Of another platform's charge it hears nothing. */
static int is_ours(const struct platform *platform, const struct order *order)
{
	return !strcmp(order->platform, platform->options->name);
}

struct owner {
	const struct platform *platform;
	int ours;
};

static void look_at_owner(void *user, const struct order *order, enum session_state state,
			  const struct connector *connector)
{
	struct owner *owner = user;

	(void)state;
	(void)connector;
	owner->ours = is_ours(owner->platform, order);
}

static void answer_stop(struct question *q)
{
	struct charge_answer answer = {.refusal = CHARGE_NO_CONNECTOR, .seq_stat = session_seq_stat(SESSION_UNKNOWN)};
	const char *seq = text_of(q, "StartChargeSeq");
	struct owner owner = {.platform = q->platform};

	(void)charge_find(q->platform->charges, seq, look_at_owner, &owner);
	if (owner.ours)
		charge_stop(q->platform->charges, seq, text_of(q, "ConnectorID"), &answer);
	log_refusal(q, "stop", answer.refusal);
	echo(q, "StartChargeSeq");
	maker_int(&q->m, q->answer, "StartChargeSeqStat", answer.seq_stat);
	put_verdict(q, (int)answer.refusal);
}

static void take_snapshot(void *user, const struct order *order, enum session_state state,
			  const struct connector *connector)
{
	struct question *q = user;

	if (!is_ours(q->platform, order))
		return;
	q->answer = iserv_snapshot(order, state, connector, q->m.arena);
	q->m.failed |= !q->answer;
}

static void answer_status(struct question *q)
{
	q->answer = NULL;
	(void)charge_find(q->platform->charges, text_of(q, "StartChargeSeq"), take_snapshot, q);
}

static const struct {
	const char *method;
	void (*answer)(struct question *q);
} answers[] = {
    {"query_equip_auth", answer_auth},    {"query_equip_business_policy", answer_policy},
    {"query_start_charge", answer_start}, {"query_equip_charge_status", answer_status},
    {"query_stop_charge", answer_stop},
};

int iserv_answers(const struct message *message)
{
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++)
		if (!strcmp(answers[i].method, message->method))
			return 1;
	return 0;
}

int iserv_answer(const struct platform *platform, const struct message *message, const struct value *request,
		 struct arena *arena, struct value **answer, struct error *err)
{
	struct question q = {platform, request, {.arena = arena}, value_object(arena)};

	if (!platform->charges || !q.answer) {
		(void)error_set(err, FC_ENOMEM, "Data: can't be answered now");
		return RET_SYSTEM;
	}
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++)
		if (!strcmp(answers[i].method, message->method))
			answers[i].answer(&q);
	if (q.m.failed)
		return RET_SYSTEM;
	if (!q.answer) {
		/* protocol.md 2.10: Ret 4004, as one connected operator does. */
		(void)error_set(err, FC_ENOENT, "Data.StartChargeSeq: unknown");
		return RET_PARAMETER;
	}
	*answer = q.answer;
	return RET_OK;
}
