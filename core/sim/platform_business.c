#include "sim/platform_business.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"

enum {
	CONNECTORS = 4096,
	TRIES = 5,
	SECOND = 1000000,
	CALM_US = 2 * SECOND, /* a driver needs up to so long to present himself */
	STATUS_IDLE = 1,
	STATUS_PLUGGED = 2,
	STATUS_RESERVED = 4,
	ALREADY_STOPPED = 3, /* protocol.md 2.12 */
};

struct business *business_new(const char *operator_id, const struct dialect *dialect,
			      const struct business_options *options)
{
	struct business *b = calloc(1, sizeof(*b));

	if (!b)
		return NULL;
	b->connectors = calloc(CONNECTORS, sizeof(*b->connectors));
	b->dialect = dialect;
	b->operator_id = operator_id;
	b->at_a_time = options->at_a_time;
	b->charge_s = options->charge_s;
	b->leave_every = options->leave_every;
	b->order_s = options->order_s;
	if (b->connectors)
		return b;
	free(b);
	return NULL;
}

void business_free(struct business *b)
{
	if (!b)
		return;
	for (int i = 0; i < CHARGES_MAX; i++)
		json_decref(b->charges[i].order);
	free(b->connectors);
	free(b);
}

static int64_t random_up_to(int64_t most)
{
	return (int64_t)((double)random() / RAND_MAX * (double)most);
}

void business_status(struct business *b, const char *connector, int status)
{
	int i = 0;

	while (i < b->connector_count && strcmp(b->connectors[i].id, connector) != 0)
		i++;
	if (i == CONNECTORS)
		return;
	if (i == b->connector_count) {
		(void)snprintf(b->connectors[i].id, sizeof(b->connectors[i].id), "%s", connector);
		b->connectors[i].status = STATUS_IDLE;
		b->connector_count++;
	}
	int before = b->connectors[i].status;
	b->connectors[i].status = status;
	/* After a charge the connector is occupied, too: by a car that wants no more. */
	if (status != STATUS_PLUGGED)
		b->connectors[i].ready_us = 0;
	else if (before == STATUS_IDLE || before == STATUS_RESERVED)
		b->connectors[i].ready_us = clock_mono_us() + 1 + random_up_to(CALM_US);
}

/* A number of 27 characters (protocol.md 4.2): the operator's, the time, and a count. */
static void make_seq(const struct business *b, unsigned number, char seq[SEQ_SIZE])
{
	char stamp[15];
	time_t now = time(NULL) + 8 * 3600;
	struct tm tm;

	gmtime_r(&now, &tm);
	(void)strftime(stamp, sizeof(stamp), "%Y%m%d%H%M%S", &tm);
	(void)snprintf(seq, SEQ_SIZE, "%.9s%s%04u", b->operator_id, stamp, number % 10000);
}

static int open_charges(const struct business *b)
{
	int n = 0;

	for (unsigned i = 0; i < CHARGES_MAX && i < b->count; i++)
		n += charge_open(&b->charges[i]);
	return n;
}

/* Where a car has been waiting long enough, one of several by chance; -1: nowhere. */
static int ready_connector(const struct business *b, int64_t now)
{
	int found = -1, n = 0;

	for (int i = 0; i < b->connector_count; i++)
		if (b->connectors[i].ready_us && b->connectors[i].ready_us <= now && random() % ++n == 0)
			found = i;
	return found;
}

static struct charge *new_charge(struct business *b, int64_t now)
{
	struct charge *c = &b->charges[b->count % CHARGES_MAX];

	if (b->draining || charge_open(c) || open_charges(b) >= b->at_a_time)
		return NULL;
	int i = ready_connector(b, now);
	if (i < 0)
		return NULL;
	b->connectors[i].ready_us = 0; /* one try a car */
	json_decref(c->order);
	*c = (struct charge){.number = ++b->count};
	memcpy(c->connector, b->connectors[i].id, sizeof(c->connector));
	make_seq(b, c->number, c->seq);
	c->left_to_car = b->leave_every && c->number % (unsigned)b->leave_every == 0;
	return c;
}

static void plan_stop(const struct business *b, struct charge *c)
{
	int64_t all = (int64_t)b->charge_s * SECOND;

	if (!c->stop_at_us && c->began_us && !c->left_to_car)
		c->stop_at_us = c->began_us + all / 2 + random_up_to(all);
	if (b->draining && c->began_us && (!c->stop_at_us || c->stop_at_us > b->stop_all_us))
		c->stop_at_us = b->stop_all_us;
}

/* The method of the question that is due about a charge; NULL: none. */
static const char *due_method(const struct charge *c, int64_t now)
{
	if (!charge_open(c) || c->asking || now < c->due_us)
		return NULL;
	switch (c->stage) {
	case STAGE_AUTH:
		return "query_equip_auth";
	case STAGE_POLICY:
		return "query_equip_business_policy";
	case STAGE_START:
		return "query_start_charge";
	case STAGE_RUN:
		if (c->state_at_us && now >= c->state_at_us && !c->ended_us)
			return "query_equip_charge_status";
		if (c->stop_at_us && now >= c->stop_at_us && !c->stop_us && !c->ended_first && !c->ended_us &&
		    !c->order)
			return "query_stop_charge";
		return NULL;
	case STAGE_OVER:
		break;
	}
	return NULL;
}

static json_t *payload_of(const struct charge *c, const char *method)
{
	if (c->stage == STAGE_AUTH)
		return json_pack("{ss ss}", "EquipAuthSeq", c->seq, "ConnectorID", c->connector);
	if (c->stage == STAGE_POLICY)
		return json_pack("{ss ss}", "EquipBizSeq", c->seq, "ConnectorID", c->connector);
	if (c->stage == STAGE_START)
		return json_pack("{ss ss ss}", "StartChargeSeq", c->seq, "ConnectorID", c->connector, "QRCode", "");
	if (!strcmp(method, "query_stop_charge"))
		return json_pack("{ss ss}", "StartChargeSeq", c->seq, "ConnectorID", c->connector);
	return json_pack("{ss}", "StartChargeSeq", c->seq);
}

static json_t *ask(struct charge *c, const char *method, int64_t now)
{
	c->asking = 1;
	if (c->stage == STAGE_START && !c->start_us)
		c->start_us = now; /* the result may come before the answer */
	if (c->stage == STAGE_RUN && !strcmp(method, "query_stop_charge"))
		c->stop_asked = 1;
	return payload_of(c, method);
}

json_t *business_question(struct business *b, const char **method, struct charge **charge)
{
	int64_t now = clock_mono_us();

	for (unsigned i = 0; i < CHARGES_MAX && i < b->count; i++) {
		struct charge *c = &b->charges[i];

		if (charge_open(c))
			plan_stop(b, c);
		*method = due_method(c, now);
		*charge = c;
		if (*method)
			return ask(c, *method, now);
	}
	*charge = new_charge(b, now);
	*method = *charge ? due_method(*charge, now) : NULL;
	return *method ? ask(*charge, *method, now) : NULL;
}

/* An answer that never came or can't be used: asked again, some times, under the same number. */
static int try_again(struct business *b, struct charge *c, const char *method, int ret)
{
	c->due_us = clock_mono_us() + SECOND;
	if (++c->tries < TRIES)
		return 0;
	c->tries = 0;
	charge_wrong(b, c, "%s: no good answer, Ret %d", method, ret);
	c->state_at_us = 0;
	if (c->stage != STAGE_RUN)
		charge_over(b, c);
	return 0;
}

static int refused(struct business *b, struct charge *c, const char *what, int reason)
{
	b->tally.refused++;
	charge_say(c, "%s refused, FailReason %d", what, reason);
	charge_over(b, c);
	return 1;
}

static int take_policy(struct business *b, struct charge *c, const json_t *data, int refusal)
{
	char why[WHY_SIZE], day[CLOCK_DATE_SIZE];

	if (refusal)
		return refused(b, c, "policy", refusal);
	clock_format_day(clock_day(clock_wall()), day);
	if (bill_prices(b->dialect, data, day, &c->prices, why)) {
		charge_wrong(b, c, "policy: %s", why);
		charge_over(b, c);
		return 0;
	}
	c->stage = STAGE_START;
	return 1;
}

static int take_start(struct business *b, struct charge *c, int refusal)
{
	/* The number was never a charge: nothing more may be told of it. */
	if (refusal) {
		c->start_us = 0;
		return refused(b, c, "start", refusal);
	}
	int i = bill_period(&c->prices, (int)((time(NULL) + 8 * 3600) % 86400));
	b->tally.started++;
	c->stage = STAGE_RUN;
	charge_say(c, "start accepted, %.4f + %.4f yuan per kWh", (double)c->prices.periods[i].elec_e4 / 1e4,
		   (double)c->prices.periods[i].service_e4 / 1e4);
	return 1;
}

static int take_stop(struct business *b, struct charge *c, int refusal)
{
	if (refusal == ALREADY_STOPPED) {
		c->ended_first = 1;
		return 1;
	}
	if (refusal) {
		charge_wrong(b, c, "stop refused, FailReason %d", refusal);
		c->due_us = clock_mono_us() + SECOND;
		return 1;
	}
	c->stop_us = clock_mono_us();
	charge_say(c, "stop accepted");
	return 1;
}

/* 0 when the verdict is good, else its FailReason; -1 when the answer is not one to this charge. */
static int verdict(const struct charge *c, const json_t *data, const char *seq_key)
{
	const char *seq = json_string_value(json_object_get(data, seq_key));
	const json_t *stat = json_object_get(data, "SuccStat"), *reason = json_object_get(data, "FailReason");

	if (!seq || strcmp(seq, c->seq) != 0 || !json_is_integer(stat) || !json_is_integer(reason))
		return -1;
	if (!json_integer_value(stat))
		return 0;
	return json_integer_value(reason) > 0 ? (int)json_integer_value(reason) : -1;
}

int business_answer(struct business *b, struct charge *c, const char *method, int ret, const json_t *data)
{
	static const char *const seq_keys[] = {
	    [STAGE_AUTH] = "EquipAuthSeq", [STAGE_POLICY] = "EquipBizSeq", [STAGE_START] = "StartChargeSeq"};

	c->asking = 0;
	if (!data || ret || !charge_open(c))
		return charge_open(c) ? try_again(b, c, method, ret) : data && !ret;
	if (!strcmp(method, "query_equip_charge_status")) {
		c->state_at_us = 0; /* protocol.md 2.10: not more often than every 120 s */
		return charge_take_state(b, c, data);
	}
	int refusal = verdict(c, data, c->stage == STAGE_RUN ? "StartChargeSeq" : seq_keys[c->stage]);
	if (refusal < 0)
		return try_again(b, c, method, ret);
	c->tries = 0;
	switch (c->stage) {
	case STAGE_AUTH:
		c->stage = STAGE_POLICY;
		return refusal ? refused(b, c, "authentication", refusal) : 1;
	case STAGE_POLICY:
		return take_policy(b, c, data, refusal);
	case STAGE_START:
		return take_start(b, c, refusal);
	case STAGE_RUN:
		return take_stop(b, c, refusal);
	case STAGE_OVER:
		break;
	}
	return 1;
}

void business_watch(struct business *b)
{
	int64_t now = clock_mono_us();

	for (unsigned i = 0; i < CHARGES_MAX && i < b->count; i++)
		charge_watch(b, &b->charges[i], now);
}

void business_drain(struct business *b, int seconds)
{
	b->draining = 1;
	b->stop_all_us = clock_mono_us() + (int64_t)seconds * SECOND;
}

json_t *business_summary(const struct business *b)
{
	const struct tally *t = &b->tally;
	json_t *words = json_array();
	unsigned long first = b->words < LAST_WORDS ? 0 : b->words - LAST_WORDS;

	for (unsigned long i = first; i < b->words; i++)
		(void)json_array_append_new(words, json_string(b->last_words[i % LAST_WORDS]));
	return json_pack("{sI sI sI si sI sI sI sI sI sI sI sI sI sI sf sf so}", "started", (json_int_t)t->started,
			 "refused", (json_int_t)t->refused, "not_started", (json_int_t)t->not_started, "open",
			 open_charges(b), "states", (json_int_t)t->states, "by_platform", (json_int_t)t->by_platform,
			 "by_car", (json_int_t)t->by_car, "by_other", (json_int_t)t->by_other, "confirmed",
			 (json_int_t)t->confirmed, "repeated", (json_int_t)t->repeated, "doubled",
			 (json_int_t)t->doubled, "wrong", (json_int_t)t->wrong, "lost", (json_int_t)t->lost, "whole",
			 (json_int_t)t->whole, "energy_kwh", (double)t->energy_e4 / 1e4, "money_yuan",
			 (double)t->money_e4 / 1e4, "problems", words);
}

void business_say(const struct business *b)
{
	const struct tally *t = &b->tally;

	charge_say(NULL,
		   "summary: %lu charges started (%lu refused, %lu came to nothing), %d open; ended %lu by us, %lu by "
		   "the car",
		   t->started, t->refused, t->not_started, open_charges(b), t->by_platform, t->by_car);
	charge_say(
	    NULL, "summary: %lu orders confirmed (%.2f kWh, %.2f yuan), %lu repeated, %lu doubled, %lu wrong, %lu lost",
	    t->confirmed, (double)t->energy_e4 / 1e4, (double)t->money_e4 / 1e4, t->repeated, t->doubled, t->wrong,
	    t->lost);
}

int business_good(const struct business *b)
{
	return !b->tally.wrong && !b->tally.doubled && !b->tally.lost;
}
