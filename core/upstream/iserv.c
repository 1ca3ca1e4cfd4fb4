#include "upstream/iserv.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/maker.h"
#include "upstream/icomm.h"
#include "upstream/ret.h"
#include "upstream/tell.h"

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
	    .user = "",
	    .mode = ORDER_BY_PLATFORM,
	    .result_s = (int)mapping_timing(p->mapping, TIMING_START_RESULT_S, -1),
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
	const struct charge_stop_request request = {
	    .seq = seq,
	    .connector_id = text_of(q, "ConnectorID"),
	    .reason = SESSION_BY_PLATFORM,
	    .result_s = (int)mapping_timing(q->platform->mapping, TIMING_STOP_RESULT_S, -1),
	    .who = q->platform->options->name,
	};
	if (owner.ours)
		charge_stop(q->platform->charges, &request, &answer);
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
	q->answer = tell_snapshot(order, state, connector, q->m.arena);
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

int iserv_awaits_result(const struct message *message, const struct value *answer)
{
	int start = !strcmp(message->method, "query_start_charge");
	int64_t stat = 0, failed = 1;

	if (!start && strcmp(message->method, "query_stop_charge") != 0)
		return 0;
	return !value_to_int(value_get(answer, "SuccStat"), &failed) && !failed &&
	       !value_to_int(value_get(answer, "StartChargeSeqStat"), &stat) &&
	       stat == session_seq_stat(start ? SESSION_STARTING : SESSION_STOPPING);
}

int iserv_answer(const struct platform *platform, const struct message *message, const struct value *request,
		 struct arena *arena, struct value **answer, struct error *err)
{
	struct question q = {platform, request, {.arena = arena}, value_object(arena)};

	if (!platform->charges || !q.answer) {
		(void)error_set(err, FC_ENOMEM, "Data: can't be answered now");
		return RET_SYSTEM;
	}
	/* Cut short it would be another order's: protocol.md section 3, 28, which a mapping translates. */
	if (strlen(text_of(&q, "StartChargeSeq")) >= JOURNAL_SEQ) {
		(void)error_set(err, FC_EINVAL, "Data.StartChargeSeq: longer than %d characters", JOURNAL_SEQ - 1);
		return RET_PARAMETER;
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
