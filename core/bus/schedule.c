#include "bus/schedule.h"

#include <stdlib.h>
#include <string.h>

static const int64_t backoff_first_us = 1000000;
static const int64_t backoff_last_us = 60000000;
static const int64_t probe_shortest_us = 100000;
/* A slow read is made so soon after the unit is there; one with a longer period is slow. */
static const int64_t soon_us = 2000000;
/* A first time is no whole period late on a full line. */
static const int64_t first_deadline_us = 5000000;
/* Tried again after a failure: doubled for each one in a row. */
static const int64_t again_first_us = 1000000, again_longest_us = 600000000;
static const int64_t busy_first_us = 250000;
/* What a unit may have used more of the line than one that waits, before it is the other's turn. */
static const int64_t fair_us = 200000;
enum { FAILURES_MAX = 20, BUSY_TRIES = 3, FAST = 8, COST_MEAN = 8 };
/* A probe that found no gap is forced after so many steps. */
enum { PROBE_PATIENCE = 3 };

/* xorshift: only to keep devices from moving in step. */
static uint32_t next_random(uint32_t *state)
{
	uint32_t x = *state ? *state : 2463534242u;

	x ^= x << 13;
	x ^= x >> 17;
	x ^= x << 5;
	*state = x;
	return x;
}

int64_t schedule_jitter(uint32_t *random, int64_t base_us)
{
	int64_t permille = (int64_t)(next_random(random) % 401) - 200;

	return base_us + base_us * permille / 1000;
}

static uint32_t unit_index(struct schedule *s, uint8_t unit)
{
	for (uint32_t i = 0; i < s->unit_count; i++)
		if (s->units[i].unit == unit)
			return i;
	s->units[s->unit_count] = (struct schedule_unit){.unit = unit};
	return s->unit_count++;
}

static int64_t planned_us(const struct schedule_entry *e)
{
	return (int64_t)e->read.period_ms * 1000;
}

/* Where a device counts on a read the pace is kept, whatever it does. */
static int64_t period_us(const struct schedule *s, const struct schedule_entry *e)
{
	return e->read.steady ? planned_us(e) : pace_period_us(&s->units[e->unit].pace, planned_us(e));
}

static int is_slow_read(const struct schedule_entry *e)
{
	return planned_us(e) > soon_us;
}

static int64_t spread_us(const struct schedule_entry *e)
{
	return is_slow_read(e) ? soon_us : planned_us(e);
}

int schedule_init(struct schedule *s, const struct bus_read *reads, uint32_t count, int64_t now_us, uint32_t seed)
{
	*s = (struct schedule){.random = seed};
	s->entries = calloc((size_t)count + 1, sizeof(*s->entries));
	s->units = calloc((size_t)count + 1, sizeof(*s->units));
	if (!s->entries || !s->units) {
		schedule_fini(s);
		return FC_ENOMEM;
	}
	s->count = count;
	for (uint32_t i = 0; i < count; i++) {
		struct schedule_entry *e = &s->entries[i];

		e->read = reads[i];
		e->unit = unit_index(s, reads[i].unit);
		e->fresh = (uint8_t)is_slow_read(e);
		/* Staggered: all at the same instant would crowd the line (peers.md, row 4). */
		e->due_us = now_us + spread_us(e) * i / count;
		if (!s->shortest_us || planned_us(e) < s->shortest_us)
			s->shortest_us = planned_us(e);
	}
	return FC_OK;
}

void schedule_fini(struct schedule *s)
{
	free(s->entries);
	free(s->units);
	s->entries = NULL;
	s->units = NULL;
	s->count = 0;
	s->unit_count = 0;
}

static int same_read(const struct bus_read *a, const struct bus_read *b)
{
	return a->unit == b->unit && a->function == b->function && a->address == b->address && a->count == b->count &&
	       a->period_ms == b->period_ms && a->identifier == b->identifier &&
	       !memcmp(a->meter, b->meter, sizeof(a->meter));
}

static void take_entry(struct schedule_entry *e, const struct schedule_entry *from)
{
	e->due_us = from->due_us;
	e->cost_us = from->cost_us;
	e->fresh = from->fresh;
	e->failures = from->failures;
	e->busy = from->busy;
}

void schedule_take_over(struct schedule *s, const struct schedule *from)
{
	s->random = from->random;
	s->least_us = from->least_us;
	s->due = from->due;
	s->missed = from->missed;
	s->late = from->late;
	s->late_max_us = from->late_max_us;
	for (uint32_t i = 0; i < s->unit_count; i++)
		for (uint32_t k = 0; k < from->unit_count; k++)
			if (from->units[k].unit == s->units[i].unit)
				s->units[i] = from->units[k];
	for (uint32_t i = 0; i < s->count; i++)
		for (uint32_t k = 0; k < from->count; k++)
			if (same_read(&s->entries[i].read, &from->entries[k].read))
				take_entry(&s->entries[i], &from->entries[k]);
}

struct schedule_unit *schedule_unit(struct schedule *s, uint8_t unit)
{
	for (uint32_t i = 0; i < s->unit_count; i++)
		if (s->units[i].unit == unit)
			return &s->units[i];
	return NULL;
}

/* A read of a unit that is busy waits with it. */
static int64_t wanted_us(const struct schedule *s, const struct schedule_entry *e)
{
	int64_t rest = s->units[e->unit].rest_us;

	return e->due_us > rest ? e->due_us : rest;
}

/* The end of its period. */
static int64_t deadline_us(const struct schedule *s, const struct schedule_entry *e)
{
	int64_t period = period_us(s, e);

	return e->due_us + (e->fresh && period > first_deadline_us ? first_deadline_us : period);
}

/* Of each healthy unit the read that is due and ends first goes into its best; of fast reads only, when most_us is not 0. How many units
 * have one. *wait_us: when none has, until the first falls due. */
static int find_due(struct schedule *s, int64_t now_us, int64_t most_us, int64_t *wait_us)
{
	int found = 0;

	*wait_us = INT64_MAX;
	for (uint32_t i = 0; i < s->unit_count; i++)
		s->units[i].best = -1;
	for (uint32_t i = 0; i < s->count; i++) {
		const struct schedule_entry *e = &s->entries[i];
		struct schedule_unit *u = &s->units[e->unit];
		int64_t wait;

		if (u->slow)
			continue;
		wait = wanted_us(s, e) - now_us;
		*wait_us = wait < *wait_us ? wait : *wait_us;
		if (wait > 0 || (most_us && period_us(s, e) > most_us))
			continue;
		found += u->best < 0;
		if (u->best < 0 || deadline_us(s, e) < deadline_us(s, &s->entries[u->best]))
			u->best = (int)i;
	}
	return found;
}

/* One that did not wait has no claim to what it did not use. */
static void level(struct schedule *s)
{
	int64_t least = INT64_MAX;

	for (uint32_t i = 0; i < s->unit_count; i++) {
		struct schedule_unit *u = &s->units[i];

		if (u->best < 0)
			continue;
		u->used_us = u->used_us > s->least_us ? u->used_us : s->least_us;
		least = u->used_us < least ? u->used_us : least;
	}
	s->least_us = least < INT64_MAX ? least : s->least_us;
}

/* Of what is due; -1: nothing is. */
static int choose(struct schedule *s)
{
	const struct schedule_unit *first = NULL, *poorest = NULL;

	level(s);
	for (uint32_t i = 0; i < s->unit_count; i++) {
		const struct schedule_unit *u = &s->units[i];

		if (u->best < 0)
			continue;
		if (!first || deadline_us(s, &s->entries[u->best]) < deadline_us(s, &s->entries[first->best]))
			first = u;
		if (!poorest || u->used_us < poorest->used_us)
			poorest = u;
	}
	if (!first || !poorest)
		return -1;
	s->was_fair = !s->was_fair && first->used_us - poorest->used_us > fair_us;
	return s->was_fair ? poorest->best : first->best;
}

/* The slow unit whose probe has waited longest, or -1. */
static int first_probe(const struct schedule *s)
{
	int best = -1;

	for (uint32_t i = 0; i < s->unit_count; i++)
		if (s->units[i].slow && (best < 0 || s->units[i].probe_us < s->units[best].probe_us))
			best = (int)i;
	return best;
}

int64_t schedule_wait_us(struct schedule *s, int64_t now_us)
{
	int probe = first_probe(s);
	int64_t wait;

	(void)find_due(s, now_us, 0, &wait);
	if (probe >= 0 && s->units[probe].probe_us - now_us < wait)
		wait = s->units[probe].probe_us - now_us;
	return wait;
}

/* Each in turn, but no block that is never answered: it is no good probe. */
static int entry_of_unit(const struct schedule *s, int unit)
{
	uint32_t good = 0, all = 0, at;
	int found = -1;

	for (uint32_t i = 0; i < s->count; i++)
		if (s->entries[i].unit == (uint32_t)unit) {
			all++;
			good += s->entries[i].failures <= SCHEDULE_FAILURES;
		}
	if (!all)
		return -1;
	at = s->units[unit].probes % (good ? good : all);
	for (uint32_t i = 0; i < s->count && found < 0; i++)
		if (s->entries[i].unit == (uint32_t)unit && (!good || s->entries[i].failures <= SCHEDULE_FAILURES) &&
		    !at--)
			found = (int)i;
	return found;
}

/* May the slow unit be asked now? The answer is the time it may take, or 0. */
static int64_t probe_room(const struct schedule_unit *u, int64_t slack_us, int64_t now_us, int64_t timeout_us)
{
	int64_t shortest = timeout_us < probe_shortest_us ? timeout_us : probe_shortest_us;

	if (now_us < u->probe_us)
		return 0;
	if (slack_us >= timeout_us || now_us - u->probe_us >= PROBE_PATIENCE * u->backoff_us)
		return timeout_us;
	return slack_us >= shortest ? slack_us : 0;
}

/* Counts what fell due, and moves on to the next time. */
static void take(struct schedule *s, struct schedule_entry *e, int64_t now_us)
{
	int64_t late = now_us - e->due_us, period = period_us(s, e);
	int64_t skipped = late / period;

	s->due += 1 + (uint64_t)skipped;
	s->missed += (uint64_t)skipped;
	if (late > period / 2)
		s->late++;
	if (late > (int64_t)s->late_max_us)
		s->late_max_us = late < UINT32_MAX ? (uint32_t)late : UINT32_MAX;
	e->due_us += period * (1 + skipped);
	s->last_period_us = period;
}

static int64_t timeout_of(const struct schedule_entry *e, int64_t timeout_us)
{
	return e->read.timeout_ms ? (int64_t)e->read.timeout_ms * 1000 : timeout_us;
}

struct schedule_choice schedule_next(struct schedule *s, int64_t now_us, int64_t timeout_us)
{
	struct schedule_choice choice = {.entry = -1, .timeout_us = timeout_us};
	int probe = first_probe(s);
	int64_t slack;
	int due = find_due(s, now_us, 0, &slack);

	if (probe >= 0) {
		struct schedule_unit *u = &s->units[probe];
		int entry = entry_of_unit(s, probe);
		int64_t room = entry < 0 ? 0 : probe_room(u, slack, now_us, timeout_of(&s->entries[entry], timeout_us));

		if (room) {
			choice.entry = entry;
			choice.probe = 1;
			choice.timeout_us = room;
			return choice;
		}
	}
	if (due) {
		int64_t any;

		/* After a slow one the fast ones first; the slow ones again where there is none. */
		if (s->last_period_us / FAST >= s->shortest_us && !find_due(s, now_us, s->last_period_us / FAST, &any))
			(void)find_due(s, now_us, 0, &any);
		choice.entry = choose(s);
		if (choice.entry < 0)
			return choice;
		choice.timeout_us = timeout_of(&s->entries[choice.entry], timeout_us);
		take(s, &s->entries[choice.entry], now_us);
		return choice;
	}
	choice.wait_us = slack;
	if (probe >= 0 && s->units[probe].probe_us > now_us && s->units[probe].probe_us - now_us < choice.wait_us)
		choice.wait_us = s->units[probe].probe_us - now_us;
	return choice;
}

/* After so many failures in a row. */
static int64_t again_us(const struct schedule_entry *e)
{
	int64_t longest = 10 * planned_us(e) < again_longest_us ? 10 * planned_us(e) : again_longest_us;
	int64_t again = again_first_us << e->failures;

	longest = longest > backoff_last_us ? longest : backoff_last_us;
	return again < longest ? again : longest;
}

/* All reads of a unit (-1: of all) begin anew, but for what it never answered. */
static void begin_anew(struct schedule *s, int unit, int64_t now_us)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < s->count; i++) {
		struct schedule_entry *e = &s->entries[i];

		if (unit >= 0 && e->unit != (uint32_t)unit)
			continue;
		e->due_us = now_us + spread_us(e) * n++ / s->count;
		if (e->failures > SCHEDULE_FAILURES)
			e->due_us = now_us + again_us(e);
		e->fresh = (uint8_t)is_slow_read(e);
		e->busy = 0;
	}
}

/* What it has used stands, and how fast it is. */
static void revive(struct schedule *s, uint32_t unit, int64_t now_us)
{
	struct schedule_unit *u = &s->units[unit];

	*u = (struct schedule_unit){.unit = u->unit, .used_us = u->used_us, .pace = u->pace};
	begin_anew(s, (int)unit, now_us);
}

/* A read of the unit that was answered last time, or NULL. */
static struct schedule_entry *good_entry(struct schedule *s, uint32_t unit)
{
	for (uint32_t i = 0; i < s->count; i++)
		if (s->entries[i].unit == unit && !s->entries[i].failures)
			return &s->entries[i];
	return NULL;
}

/* Tried again sooner than its period while that is long, later while only this read of the unit fails. */
static enum schedule_change put_off(struct schedule_entry *e, int64_t now_us)
{
	int64_t again = now_us + again_us(e);

	if (again > e->due_us && (e->failures < SCHEDULE_FAILURES || e->read.steady))
		return SCHEDULE_SAME;
	e->due_us = again;
	return again < now_us + planned_us(e) ? SCHEDULE_AGAIN : SCHEDULE_SAME;
}

static enum schedule_change lose(struct schedule *s, struct schedule_entry *e, int64_t now_us)
{
	struct schedule_unit *u = &s->units[e->unit];

	if (u->slow) {
		u->probes++;
		u->backoff_us = u->backoff_us * 2 < backoff_last_us ? u->backoff_us * 2 : backoff_last_us;
		u->probe_us = now_us + schedule_jitter(&s->random, u->backoff_us);
		return SCHEDULE_SAME;
	}
	int known = e->failures > 0;
	e->failures = (uint8_t)(e->failures + (e->failures < FAILURES_MAX));
	/* Is it this read, or the unit? One that was answered last time tells. */
	struct schedule_entry *good = known ? good_entry(s, e->unit) : NULL;
	if (good && good->due_us > now_us)
		good->due_us = now_us;
	if (good || ++u->failures < SCHEDULE_FAILURES)
		return put_off(e, now_us);
	u->backoff_us = backoff_first_us;
	u->probe_us = now_us + schedule_jitter(&s->random, u->backoff_us);
	u->slow = 1;
	return SCHEDULE_SLOW;
}

static enum schedule_change answered(struct schedule *s, uint32_t unit, int64_t now_us)
{
	struct schedule_unit *u = &s->units[unit];

	u->failures = 0;
	if (!u->slow)
		return SCHEDULE_SAME;
	revive(s, unit, now_us);
	return SCHEDULE_BACK;
}

enum schedule_change schedule_done(struct schedule *s, int entry, int64_t now_us, enum schedule_outcome outcome)
{
	struct schedule_entry *e = &s->entries[entry];

	if (outcome == SCHEDULE_LOST)
		return lose(s, e, now_us);
	e->failures = 0;
	enum schedule_change change = answered(s, e->unit, now_us);
	if (outcome == SCHEDULE_BUSY) {
		s->units[e->unit].rest_us = now_us + (busy_first_us << e->busy);
		if (e->busy++ < BUSY_TRIES) {
			e->due_us = s->units[e->unit].rest_us;
			return change == SCHEDULE_BACK ? change : SCHEDULE_AGAIN;
		}
	}
	e->busy = 0;
	/* All slow reads were made together when the unit came: not once a minute again. */
	if (e->fresh && change != SCHEDULE_BACK) {
		e->fresh = 0;
		e->due_us -= planned_us(e) / 1000 * (int64_t)(next_random(&s->random) % 500);
	}
	return change;
}

void schedule_spent(struct schedule *s, int entry, int64_t us)
{
	struct schedule_entry *e = &s->entries[entry];

	s->units[e->unit].used_us += us;
	e->cost_us = e->cost_us ? e->cost_us + (us - e->cost_us) / COST_MEAN : us;
}

enum schedule_change schedule_heard(struct schedule *s, uint8_t unit, int64_t now_us)
{
	struct schedule_unit *u = schedule_unit(s, unit);

	return u ? answered(s, (uint32_t)(u - s->units), now_us) : SCHEDULE_SAME;
}

void schedule_resume(struct schedule *s, int64_t now_us, int lost)
{
	if (lost) {
		begin_anew(s, -1, now_us);
		return;
	}
	for (uint32_t i = 0; i < s->count; i++) {
		struct schedule_entry *e = &s->entries[i];

		if (e->due_us < now_us)
			e->due_us = now_us + spread_us(e) * i / s->count;
	}
}

uint32_t schedule_slow_count(const struct schedule *s)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < s->unit_count; i++)
		n += (uint32_t)s->units[i].slow;
	return n;
}

int schedule_all_failing(const struct schedule *s)
{
	for (uint32_t i = 0; i < s->unit_count; i++)
		if (!s->units[i].failures && !s->units[i].slow)
			return 0;
	return 1;
}

uint32_t schedule_planned(const struct schedule *s)
{
	int64_t permille = 0;

	for (uint32_t i = 0; i < s->count; i++) {
		const struct schedule_entry *e = &s->entries[i];

		if (!s->units[e->unit].slow)
			permille += e->cost_us * 1000 * 1000 / planned_us(e);
	}
	return (uint32_t)((permille + 500) / 1000 < UINT32_MAX ? (permille + 500) / 1000 : UINT32_MAX);
}
