/* What a station tells of charges, held against what was agreed: results in time, states that only rise, one order each that
 * is right by this platform's own reckoning. */
#include "sim/platform_charge.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"

/* protocol.md 2.9, 2.13: within 50 s; a little more, since the clock starts here when the question is sent. */
enum { RESULT_S = 52, SECOND_US = 1000000, SPENT_TRIES_US = 5 * SECOND_US };
/* StopReason, protocol.md 2.14 */
enum { BY_USER = 0, BY_PLATFORM = 1, BY_CAR = 2, BY_UNPLUGGING = 4 };

static void print_line(const struct charge *c, const char *mark, const char *text)
{
	char stamp[16];
	time_t now = time(NULL) + 8 * 3600; /* Asia/Shanghai, as everything in the protocol */
	struct tm tm;

	gmtime_r(&now, &tm);
	(void)strftime(stamp, sizeof(stamp), "%H:%M:%S", &tm);
	if (c)
		printf("%s charge %u at %s: %s%s\n", stamp, c->number, c->connector, mark, text);
	else
		printf("%s %s%s\n", stamp, mark, text);
	(void)fflush(stdout);
}

void charge_say(const struct charge *c, const char *format, ...)
{
	char text[WHY_SIZE];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	print_line(c, "", text);
}

void charge_wrong(struct business *b, struct charge *c, const char *format, ...)
{
	char *text = b->last_words[b->words++ % LAST_WORDS];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, WHY_SIZE, format, args);
	va_end(args);
	print_line(c, "WRONG: ", text);
	if (!c || !c->wrong)
		b->tally.wrong++;
	if (c)
		c->wrong = 1;
}

struct charge *charge_of(struct business *b, const char *seq)
{
	for (unsigned i = 0; i < CHARGES_MAX && i < b->count; i++)
		if (!strcmp(b->charges[i].seq, seq))
			return &b->charges[i];
	return NULL;
}

int charge_open(const struct charge *c)
{
	return c->number && c->stage != STAGE_OVER;
}

void charge_over(struct business *b, struct charge *c)
{
	c->stage = STAGE_OVER;
	/* Whole: command, result, a state while it ran, the end told, energy, the order right. */
	if (c->confirmed && c->began_us && c->running_states && c->ended_us && c->last.energy_e4 && !c->wrong)
		b->tally.whole++;
}

static void end_if_all_told(struct business *b, struct charge *c)
{
	if (charge_open(c) && c->order && (c->ended_us || c->failed_us))
		charge_over(b, c);
}

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

static int int_of(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	return json_is_integer(value) ? (int)json_integer_value(value) : -1;
}

static json_t *received(const json_t *payload)
{
	return json_pack("{ss si si}", "StartChargeSeq", text_of(payload, "StartChargeSeq"), "SuccStat", 0,
			 "FailReason", 0);
}

static json_t *take_start_result(struct business *b, struct charge *c, const json_t *payload)
{
	int stat = int_of(payload, "StartChargeSeqStat");
	int64_t now = clock_mono_us();

	if (stat != 2 && stat != 4) {
		charge_wrong(b, c, "a start result with StartChargeSeqStat %d", stat);
	} else if (c->began_us || c->failed_us) {
		/* A repeat: our answer to the first one may have been lost. */
		if ((stat == 2) != (c->began_us != 0))
			charge_wrong(b, c, "a second start result says something else");
	} else if (stat == 2) {
		c->began_us = now;
		c->state_at_us = now + SECOND_US;
		charge_say(c, "started, %.1f s after the command", (double)(now - c->start_us) / 1e6);
	} else {
		c->failed_us = now;
		b->tally.not_started++;
		charge_say(c, "did not start");
	}
	return received(payload);
}

static json_t *take_stop_result(struct business *b, struct charge *c, const json_t *payload)
{
	int64_t now = clock_mono_us();

	if (int_of(payload, "SuccStat") == 0 && int_of(payload, "StartChargeSeqStat") == 4) {
		if (!c->ended_us)
			charge_say(c, "ended");
		c->ended_us = c->ended_us ? c->ended_us : now;
	} else {
		/* It goes on, and is told to stop again. */
		charge_say(c, "not stopped, FailReason %d", int_of(payload, "FailReason"));
		c->stop_us = 0;
		c->stop_at_us = now + SPENT_TRIES_US;
	}
	json_t *answer = received(payload);
	end_if_all_told(b, c);
	return answer;
}

int charge_take_state(struct business *b, struct charge *c, const json_t *payload)
{
	char why[WHY_SIZE];
	struct totals t;
	int stat = int_of(payload, "StartChargeSeqStat");

	if (bill_snapshot(b->dialect, payload, &t, why)) {
		charge_wrong(b, c, "state: %s", why);
		return 0;
	}
	if (t.energy_e4 < c->last.energy_e4 || t.money_e4 < c->last.money_e4) {
		charge_wrong(b, c, "state: %.2f kWh, %.2f yuan: less than before", (double)t.energy_e4 / 1e4,
			     (double)t.money_e4 / 1e4);
		return 0;
	}
	c->last = t;
	c->states++;
	c->running_states += stat == 2;
	b->tally.states++;
	charge_say(c, "state %d: %.2f kWh, %.2f yuan", stat, (double)t.energy_e4 / 1e4, (double)t.money_e4 / 1e4);
	return 1;
}

static json_t *take_state(struct business *b, struct charge *c, const json_t *payload)
{
	(void)charge_take_state(b, c, payload);
	return received(payload);
}

static void count_end(struct business *b, struct charge *c, int reason)
{
	b->tally.by_platform += reason == BY_PLATFORM;
	b->tally.by_car += reason == BY_USER || reason == BY_CAR || reason == BY_UNPLUGGING;
	b->tally.by_other += reason == 3 || reason > BY_UNPLUGGING;
	b->tally.lost -= c->lost ? 1 : 0;
	c->lost = 0;
}

static const char *end_name(int reason)
{
	static const char *const names[] = {"at the charger", "by us", "by the car", "by a fault", "by unplugging"};

	return reason >= 0 && reason < (int)(sizeof(names) / sizeof(names[0])) ? names[reason] : "otherwise";
}

/* Two orders of one connector for the same time: one charge was paid for twice. */
static const struct charge *overlapping(const struct business *b, const struct charge *c, const json_t *order)
{
	for (unsigned i = 0; i < CHARGES_MAX && i < b->count; i++) {
		const struct charge *other = &b->charges[i];

		if (other != c && other->order && !strcmp(other->connector, c->connector) &&
		    strcmp(text_of(order, "StartTime"), text_of(other->order, "EndTime")) < 0 &&
		    strcmp(text_of(other->order, "StartTime"), text_of(order, "EndTime")) < 0)
			return other;
	}
	return NULL;
}

/* What is wrong with an order that came for the first time: 0, or -1 and why. */
static int check_order(struct business *b, const struct charge *c, const json_t *order, struct totals *t,
		       char why[WHY_SIZE])
{
	int reason = int_of(order, "StopReason");
	const struct charge *other = overlapping(b, c, order);

	if (bill_order(b->dialect, order, &c->prices, t, why))
		return -1;
	why[0] = '\0';
	if (strcmp(text_of(order, "ConnectorID"), c->connector) != 0)
		(void)snprintf(why, WHY_SIZE, "of connector %.40s", text_of(order, "ConnectorID"));
	else if (t->energy_e4 < c->last.energy_e4 || t->money_e4 < c->last.money_e4)
		(void)snprintf(why, WHY_SIZE, "less than a state said before");
	else if (reason < 0 || (reason == BY_PLATFORM && !c->stop_asked))
		(void)snprintf(why, WHY_SIZE, "StopReason %d, and nobody asked for a stop", reason);
	else if (other)
		(void)snprintf(why, WHY_SIZE, "its time is in that of charge %u too", other->number);
	b->tally.doubled += other ? 1 : 0;
	return *why ? -1 : 0;
}

/* 1 when it is right. */
static int judge_order(struct business *b, struct charge *c, const json_t *order)
{
	char why[WHY_SIZE];
	struct totals t;
	int reason = int_of(order, "StopReason");

	count_end(b, c, reason);
	if (check_order(b, c, order, &t, why)) {
		charge_wrong(b, c, "order: %s", why);
		return 0;
	}
	c->last = t;
	b->tally.confirmed++;
	b->tally.energy_e4 += t.energy_e4;
	b->tally.money_e4 += t.money_e4;
	charge_say(c, "order confirmed: %.2f kWh, %.2f + %.2f = %.2f yuan, ended %s", (double)t.energy_e4 / 1e4,
		   (double)t.elec_e4 / 1e4, (double)t.service_e4 / 1e4, (double)t.money_e4 / 1e4, end_name(reason));
	return 1;
}

/* protocol.md 2.14: a repeat is answered as before; a second order under the same number is none. */
static json_t *take_order(struct business *b, struct charge *c, const json_t *order)
{
	int good;

	if (!c->order) {
		c->order = json_deep_copy(order);
		good = c->confirmed = judge_order(b, c, order);
	} else if (json_equal(c->order, order)) {
		b->tally.repeated++;
		good = c->confirmed;
	} else {
		b->tally.doubled++;
		charge_wrong(b, c, "order: a second one with the same number");
		good = 0;
	}
	json_t *answer = json_pack("{ss ss si}", "StartChargeSeq", c->seq, "ConnectorID", c->connector,
				   b->dialect->order_verdict, !good);
	end_if_all_told(b, c);
	return answer;
}

json_t *charge_take(struct business *b, const char *method, const json_t *payload)
{
	static const struct {
		const char *method;
		json_t *(*take)(struct business *b, struct charge *c, const json_t *payload);
	} all[] = {{"notification_start_charge_result", take_start_result},
		   {"notification_equip_charge_status", take_state},
		   {"notification_stop_charge_result", take_stop_result},
		   {"notification_charge_order_info", take_order}};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		if (strcmp(all[i].method, method) != 0)
			continue;
		struct charge *c = charge_of(b, text_of(payload, "StartChargeSeq"));
		if (c && c->start_us)
			return all[i].take(b, c, payload);
		charge_wrong(b, NULL, "%s of a charge that was not started here: %.40s", method,
			     text_of(payload, "StartChargeSeq"));
		return json_pack("{ss ss si si}", "StartChargeSeq", text_of(payload, "StartChargeSeq"), "ConnectorID",
				 text_of(payload, "ConnectorID"), "SuccStat", 1, "ConfirmResult", 1);
	}
	return NULL;
}

static int overdue(int64_t since_us, int64_t now, int seconds)
{
	return since_us && now - since_us > (int64_t)seconds * SECOND_US;
}

void charge_watch(struct business *b, struct charge *c, int64_t now)
{
	if (c->stage != STAGE_RUN)
		return;
	if (!c->late && !c->began_us && !c->failed_us && overdue(c->start_us, now, RESULT_S)) {
		c->late = 1;
		charge_wrong(b, c, "no start result within 50 s");
	}
	if (!c->late && !c->ended_us && overdue(c->stop_us, now, RESULT_S)) {
		c->late = 1;
		charge_wrong(b, c, "no stop result within 50 s");
	}
	if (!c->lost && !c->order && overdue(c->ended_us, now, b->order_s)) {
		c->lost = 1;
		b->tally.lost++;
		charge_say(c, "LOST: it ended, and no order came");
	}
	/* What never began is no order to anyone; one that counted energy nevertheless comes at once. */
	if (!c->order && overdue(c->failed_us, now, b->order_s))
		charge_over(b, c);
}
