#include "bus/schedule.h"

#include <stdlib.h>
#include <string.h>

#include "bus/schedule_inside.h"

static const int64_t probe_shortest_us = 100000;
/* A first time is no whole period late on a full line. */
static const int64_t first_deadline_us = 5000000;
/* What a unit may have used more of the line than one that waits, before it is the other's turn. */
static const int64_t fair_us = 200000;
enum { FAST = 8 };
/* A probe that found no gap is forced after so many steps. */
enum { PROBE_PATIENCE = 3 };

static uint32_t unit_index(struct schedule *s, uint8_t unit)
{
	for (uint32_t i = 0; i < s->unit_count; i++)
		if (s->units[i].unit == unit)
			return i;
	s->units[s->unit_count] = (struct schedule_unit){.unit = unit};
	return s->unit_count++;
}

/* Where a device counts on a read the pace is kept, whatever it does. */
static int64_t period_us(const struct schedule *s, const struct schedule_entry *e)
{
	const struct pace *pace = &s->units[e->unit].pace;

	return e->read.steady || !pace->shift ? schedule_planned_us(e) : pace_period_us(pace, schedule_planned_us(e));
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
		e->fresh = (uint8_t)schedule_is_slow_read(e);
		/* Staggered: all at the same instant would crowd the line (peers.md, row 4). */
		e->due_us = now_us + schedule_spread_us(e) * i / count;
		if (!s->shortest_us || schedule_planned_us(e) < s->shortest_us)
			s->shortest_us = schedule_planned_us(e);
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

/* The end of its period. */
static int64_t deadline_us(const struct schedule *s, const struct schedule_entry *e)
{
	int64_t period = period_us(s, e);

	return e->due_us + (e->fresh && period > first_deadline_us ? first_deadline_us : period);
}

/* Of each healthy unit the read that is due and ends first goes into its best; of fast reads only, when most_us is not 0. How many units
 * have one. *wait_us: when none has, until the first falls due. Made for each request over all reads of the line. */
static int find_due(struct schedule *s, int64_t now_us, int64_t most_us, int64_t *wait_us)
{
	int found = 0;

	*wait_us = INT64_MAX;
	for (uint32_t i = 0; i < s->unit_count; i++)
		s->units[i].best = -1;
	for (uint32_t i = 0; i < s->count; i++) {
		const struct schedule_entry *e = &s->entries[i];
		struct schedule_unit *u = &s->units[e->unit];
		int64_t wait = (e->due_us > u->rest_us ? e->due_us : u->rest_us) - now_us;

		/* A read of a unit that is busy waits with it. */
		if (u->slow)
			continue;
		*wait_us = wait < *wait_us ? wait : *wait_us;
		/* One that falls due when another's period has ended already can't be the first. */
		if (wait > 0 || (u->best >= 0 && e->due_us >= u->best_us))
			continue;
		if (most_us && period_us(s, e) > most_us)
			continue;
		int64_t end = deadline_us(s, e);
		found += u->best < 0;
		if (u->best >= 0 && end >= u->best_us)
			continue;
		u->best = (int)i;
		u->best_us = end;
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
		if (!first || u->best_us < first->best_us)
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
			permille += e->cost_us * 1000 * 1000 / schedule_planned_us(e);
	}
	return (uint32_t)((permille + 500) / 1000 < UINT32_MAX ? (permille + 500) / 1000 : UINT32_MAX);
}
