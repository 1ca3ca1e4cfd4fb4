#include "upstream/reconcile.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/decimal.h"
#include "base/log.h"
#include "base/maker.h"
#include "store/events.h"

enum {
	DAY_S = 86400,
	REST_MS = 60000,
	RETRY_MS = 600000,
	SETTLE_S = 1800, /* so long before the end of its hours it waits no more for orders that are not settled */
};
static const char method[] = "check_charge_orders";

struct reconcile {
	struct platform *platform;
	struct peer *peer;
	void (*resend)(void *user);
	void *user;
	int busy;
	int32_t day;
	unsigned counter;
	int64_t not_before_ms;
	reconcile_done done; /* NULL: the nightly one */
	void *done_user;
};

/* All that one check has in hand. */
struct work {
	struct reconcile *reconcile;
	struct maker m;
	struct value *list;
	struct check check;
	/* Reading the answer. */
	struct check_difference *differences;
	int count, room;
	const struct value *disputes;
	int failed;
};

struct reconcile *reconcile_new(struct platform *platform, struct peer *peer, void (*resend)(void *user), void *user)
{
	struct reconcile *r = calloc(1, sizeof(*r));

	if (r)
		*r = (struct reconcile){.platform = platform, .peer = peer, .resend = resend, .user = user};
	return r;
}

static void conclude(struct reconcile *r, const struct check *check, const char *why)
{
	reconcile_done done = r->done;
	char date[CLOCK_DATE_SIZE];

	clock_format_day(r->day, date);
	r->busy = 0;
	r->done = NULL;
	if (check)
		log_notice("upstream: %s: orders of %s: %lld compared, %lld differ", r->platform->options->name, date,
			   (long long)check->orders, (long long)check->differences);
	else
		log_warning("upstream: %s: orders of %s: not compared: %s", r->platform->options->name, date, why);
	if (done)
		done(r->done_user, check, why);
}

void reconcile_free(struct reconcile *r)
{
	if (!r)
		return;
	if (r->busy)
		conclude(r, NULL, "the platform's section changed meanwhile");
	free(r);
}

static int64_t first_of(int32_t day)
{
	return (int64_t)day * DAY_S - CLOCK_CST_OFFSET_S;
}

static int64_t energy_e2(int64_t wh)
{
	return decimal_rescale(wh, 3, 2);
}

/* The request ---------------------------------------------------------------------------------------------------------- */

static void add_order(void *user, const struct check_order *order)
{
	struct work *w = user;
	struct value *v = value_object(w->m.arena);

	w->check.orders++;
	w->check.energy_e2 += energy_e2(order->wh);
	w->check.money_e4 += order->money_e4;
	maker_text(&w->m, v, "StartChargeSeq", order->seq);
	maker_decimal(&w->m, v, "TotalPower", energy_e2(order->wh), 2);
	maker_decimal(&w->m, v, "TotalMoney", decimal_rescale(order->money_e4, 4, 2), 2);
	maker_push(&w->m, w->list, v);
}

/* protocol.md 2.0: 9 and 18 characters. */
static void put_seq(struct work *w, struct value *v)
{
	char time[CLOCK_COMPACT_SIZE], seq[JOURNAL_SEQ];

	clock_format_compact(clock_wall(), time);
	(void)snprintf(seq, sizeof(seq), "%.9s%s%04u", w->reconcile->platform->config->gateway.operator_id, time,
		       w->reconcile->counter++ % 10000);
	maker_text(&w->m, v, "CheckOrderSeq", seq);
}

static struct value *build(struct work *w, int32_t day)
{
	const struct platform *p = w->reconcile->platform;
	int64_t first = first_of(day), last = first + DAY_S - 1;
	char from[CLOCK_DATETIME_SIZE], to[CLOCK_DATETIME_SIZE];
	struct value *v = value_object(w->m.arena);

	w->list = value_array(w->m.arena);
	if (checks_each_order(p->store, p->options->name, first, last, add_order, w) < 0)
		return NULL;
	clock_format_datetime(first, from);
	clock_format_datetime(last, to);
	put_seq(w, v);
	maker_text(&w->m, v, "StartTime", from);
	maker_text(&w->m, v, "EndTime", to);
	maker_int(&w->m, v, "OrderCount", w->check.orders);
	maker_decimal(&w->m, v, "TotalOrderPower", w->check.energy_e2 * 100, 4);
	maker_decimal(&w->m, v, "TotalOrderMoney", decimal_rescale(w->check.money_e4, 4, 2), 2);
	maker_put(&w->m, v, "ChargeOrders", w->list);
	return w->m.failed ? NULL : v;
}

/* The answer ----------------------------------------------------------------------------------------------------------- */

static struct check_difference *add_difference(struct work *w, const char *seq, int reason)
{
	if (w->count == w->room) {
		int room = w->room ? w->room * 2 : 16;
		struct check_difference *more = realloc(w->differences, (size_t)room * sizeof(*more));

		if (!more) {
			w->failed = 1;
			return NULL;
		}
		w->differences = more;
		w->room = room;
	}
	struct check_difference *d = &w->differences[w->count++];
	*d = (struct check_difference){.reason = reason, .their_energy_e2 = -1, .their_money_e4 = -1};
	(void)snprintf(d->seq, sizeof(d->seq), "%.*s", JOURNAL_SEQ - 1, seq);
	return d;
}

static const char *seq_of(const struct value *dispute)
{
	const char *seq = value_text(value_get(dispute, "StartChargeSeq"));

	return seq ? seq : "";
}

static void read_theirs(const struct value *dispute, struct check_difference *d)
{
	int64_t scaled;

	if (!value_to_decimal(value_get(dispute, "TotalPower"), 2, &scaled))
		d->their_energy_e2 = scaled;
	if (!value_to_decimal(value_get(dispute, "TotalMoney"), 4, &scaled))
		d->their_money_e4 = scaled;
}

/* An order of ours beside what they say of it. */
static void compare(void *user, const struct check_order *order)
{
	struct work *w = user;
	const char *platform = w->reconcile->platform->options->name;
	struct check_difference *d = NULL;
	struct error err = {0};

	w->check.orders++;
	w->check.energy_e2 += energy_e2(order->wh);
	w->check.money_e4 += order->money_e4;
	value_each (dispute, w->disputes) {
		int64_t reason = 0;

		if (strcmp(seq_of(dispute), order->seq) != 0)
			continue;
		(void)value_to_int(value_get(dispute, "DisputeReason"), &reason);
		d = add_difference(w, order->seq, (int)reason);
		if (d)
			read_theirs(dispute, d);
		if (reason != CHECK_MISSING)
			continue;
		struct store *store = w->reconcile->platform->store;
		(void)events_add(store,
				 &(struct event){.kind = EVENT_RESEND,
						 .seq = order->seq,
						 .to = platform,
						 .who = "reconciliation",
						 .text = "unknown there"},
				 NULL);
		if (outbox_again(store, platform, order->seq, &err))
			log_error("upstream: %s: %s", platform, err.text);
		else
			log_notice("upstream: %s: order %s: unknown there, sent again", platform, order->seq);
	}
	if (!d && !order->confirmed)
		d = add_difference(w, order->seq, CHECK_UNCONFIRMED);
	if (d) {
		d->our_energy_e2 = energy_e2(order->wh);
		d->our_money_e4 = order->money_e4;
	}
}

/* What they name beside our orders. */
static void look_for_strangers(struct work *w)
{
	value_each (dispute, w->disputes) {
		int known = 0;

		for (int i = 0; i < w->count && !known; i++)
			known = !strcmp(w->differences[i].seq, seq_of(dispute));
		struct check_difference *d = known ? NULL : add_difference(w, seq_of(dispute), CHECK_NOT_OURS);
		if (d)
			read_theirs(dispute, d);
	}
}

static void take_answer(struct reconcile *r, const struct value *answer)
{
	const struct platform *p = r->platform;
	int64_t first = first_of(r->day);
	struct work w = {.reconcile = r, .disputes = value_get(answer, "DisputeOrders")};
	struct error err = {0};

	(void)snprintf(w.check.platform, sizeof(w.check.platform), "%s", p->options->name);
	w.check.day = r->day;
	w.check.at_wall = clock_wall();
	int read = checks_each_order(p->store, p->options->name, first, first + DAY_S - 1, compare, &w);
	look_for_strangers(&w);
	w.check.differences = w.count;
	if (read < 0 || w.failed)
		(void)error_set(&err, FC_EIO, "the journal can't be read, or no memory");
	else
		(void)checks_save(p->store, &w.check, w.differences, w.count, &err);
	free(w.differences);
	conclude(r, err.code ? NULL : &w.check, err.text);
	r->resend(r->user);
}

static void on_answer(void *user, enum peer_outcome outcome, const struct value *answer)
{
	struct reconcile *r = user;

	r->not_before_ms = clock_mono_ms() + peer_pause_ms(r->peer, RETRY_MS);
	if (outcome == PEER_DONE && answer)
		take_answer(r, answer);
	else
		conclude(r, NULL, "the platform gave no answer that can be used");
}

/* Beginning ------------------------------------------------------------------------------------------------------------- */

int reconcile_start(struct reconcile *r, int32_t day, reconcile_done done, void *user, struct error *err)
{
	const struct platform *p = r->platform;
	struct arena arena;
	struct error why = {0};

	if (!mapping_enabled(p->mapping, message_find(method), p->options))
		return error_set(err, FC_EINVAL, "upstream: %s: %s is switched off", p->options->name, method);
	if (r->busy || !peer_ready(r->peer))
		return error_set(err, FC_EBUSY, "upstream: %s: %s", p->options->name,
				 r->busy ? "a comparison is under way" : "the platform can't be called now");
	arena_init(&arena, PLATFORM_MEMORY_MAX);
	struct work w = {.reconcile = r, .m = {.arena = &arena}};
	struct value *request = build(&w, day);
	int result = request ? peer_call(r->peer, message_find(method), request, &arena, on_answer, r, &why)
			     : error_set(&why, FC_EIO, "the journal can't be read, or no memory");
	arena_fini(&arena);
	if (result)
		return error_set(err, result, "upstream: %s: %s: %s", p->options->name, method, why.text);
	r->busy = 1;
	r->day = day;
	r->done = done;
	r->done_user = user;
	return FC_OK;
}

/* So that not all stations call at the stroke of the hour: 0..range-1 s, always the same for one station. */
static int64_t spread(const struct platform *p, int64_t range)
{
	uint32_t hash = 2166136261u;

	for (const char *c = p->config->gateway.operator_id; *c; c++)
		hash = (hash ^ (unsigned char)*c) * 16777619u;
	for (const char *c = p->config->station_count ? p->config->stations[0].station_id : ""; *c; c++)
		hash = (hash ^ (unsigned char)*c) * 16777619u;
	return range > 0 ? (int64_t)(hash % (uint64_t)range) : 0;
}

/* The day that is to be checked now; 0 = none. */
static int32_t due_day(const struct reconcile *r)
{
	const struct platform *p = r->platform;
	int64_t wall = clock_wall(), since = wall - first_of(clock_day(wall));
	int64_t from = (int64_t)(mapping_timing(p->mapping, TIMING_RECONCILE_FROM_H, -1) * 3600);
	int64_t to = (int64_t)(mapping_timing(p->mapping, TIMING_RECONCILE_TO_H, -1) * 3600);
	int32_t yesterday = clock_day(wall) - 1, day;

	if (!clock_wall_trusted() || since < from + spread(p, (to - from) / 2) || since >= to)
		return 0;
	int last = checks_last_day(p->store, p->options->name, &day);
	/* What can't be read now is looked at later: a day that was checked is not checked once more for it. */
	if (last == FC_EIO)
		return 0;
	if (last)
		day = yesterday - 1;
	if (day >= yesterday)
		return 0;
	day = day + 1 > yesterday - CHECKS_CATCH_UP_DAYS ? day + 1 : yesterday - CHECKS_CATCH_UP_DAYS;
	int64_t first = first_of(day);
	int waits =
	    since < to - SETTLE_S && checks_unsettled(p->store, p->options->name, first, first + DAY_S - 1) != 0;
	return waits ? 0 : day;
}

int64_t reconcile_pump(struct reconcile *r, int64_t now)
{
	const struct platform *p = r->platform;
	struct error err = {0};

	if (r->busy || now < r->not_before_ms || !peer_ready(r->peer) ||
	    !mapping_enabled(p->mapping, message_find(method), p->options))
		return REST_MS;
	r->not_before_ms = now + REST_MS;
	int32_t day = due_day(r);
	if (day && reconcile_start(r, day, NULL, NULL, &err)) {
		log_warning("%s", err.text);
		r->not_before_ms = now + RETRY_MS;
	}
	return REST_MS;
}
