#include "bus/schedule.h"

#include <stdlib.h>

static const int64_t backoff_first_us = 1000000;
static const int64_t backoff_last_us = 60000000;
static const int64_t probe_shortest_us = 100000;
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

static int64_t period_us(const struct schedule_entry *e)
{
	return (int64_t)e->read.period_ms * 1000;
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
		/* Staggered: all at the same instant would crowd the line (peers.md, row 4). */
		e->due_us = now_us + period_us(e) * i / count;
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
	       a->period_ms == b->period_ms;
}

void schedule_take_over(struct schedule *s, const struct schedule *from)
{
	s->random = from->random;
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
				s->entries[i].due_us = from->entries[k].due_us;
}

/* The healthy read that is due first, or -1. */
static int first_due(const struct schedule *s)
{
	int best = -1;

	for (uint32_t i = 0; i < s->count; i++) {
		if (s->units[s->entries[i].unit].slow)
			continue;
		if (best < 0 || s->entries[i].due_us < s->entries[best].due_us)
			best = (int)i;
	}
	return best;
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

static int entry_of_unit(const struct schedule *s, int unit)
{
	for (uint32_t i = 0; i < s->count; i++)
		if (s->entries[i].unit == (uint32_t)unit)
			return (int)i;
	return -1;
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
	int64_t late = now_us - e->due_us, period = period_us(e);
	int64_t skipped = late / period;

	s->due += 1 + (uint64_t)skipped;
	s->missed += (uint64_t)skipped;
	if (late > period / 2)
		s->late++;
	if (late > (int64_t)s->late_max_us)
		s->late_max_us = late < UINT32_MAX ? (uint32_t)late : UINT32_MAX;
	e->due_us += period * (1 + skipped);
}

struct schedule_choice schedule_next(struct schedule *s, int64_t now_us, int64_t timeout_us)
{
	struct schedule_choice choice = {.entry = -1, .timeout_us = timeout_us};
	int due = first_due(s), probe = first_probe(s);
	int64_t slack = due >= 0 ? s->entries[due].due_us - now_us : INT64_MAX;

	if (probe >= 0) {
		struct schedule_unit *u = &s->units[probe];
		int64_t room = probe_room(u, slack, now_us, timeout_us);

		if (room) {
			choice.entry = entry_of_unit(s, probe);
			choice.probe = 1;
			choice.timeout_us = room;
			return choice;
		}
	}
	if (due >= 0 && slack <= 0) {
		choice.entry = due;
		take(s, &s->entries[due], now_us);
		return choice;
	}
	choice.wait_us = slack;
	if (probe >= 0 && s->units[probe].probe_us > now_us && s->units[probe].probe_us - now_us < choice.wait_us)
		choice.wait_us = s->units[probe].probe_us - now_us;
	return choice;
}

static void revive(struct schedule *s, uint32_t unit, int64_t now_us)
{
	uint32_t n = 0;

	s->units[unit] = (struct schedule_unit){.unit = s->units[unit].unit};
	for (uint32_t i = 0; i < s->count; i++)
		if (s->entries[i].unit == unit)
			s->entries[i].due_us = now_us + period_us(&s->entries[i]) * n++ / s->count;
}

int schedule_done(struct schedule *s, int entry, int64_t now_us, int ok)
{
	uint32_t unit = s->entries[entry].unit;
	struct schedule_unit *u = &s->units[unit];

	if (ok) {
		int was_slow = u->slow;

		u->failures = 0;
		if (was_slow)
			revive(s, unit, now_us);
		return was_slow ? 2 : 0;
	}
	if (u->slow) {
		u->backoff_us = u->backoff_us * 2 < backoff_last_us ? u->backoff_us * 2 : backoff_last_us;
	} else {
		if (++u->failures < SCHEDULE_FAILURES)
			return 0;
		u->backoff_us = backoff_first_us;
	}
	u->probe_us = now_us + schedule_jitter(&s->random, u->backoff_us);
	int entered = !u->slow;
	u->slow = 1;
	return entered;
}

void schedule_resume(struct schedule *s, int64_t now_us)
{
	for (uint32_t i = 0; i < s->count; i++) {
		struct schedule_entry *e = &s->entries[i];

		if (e->due_us < now_us)
			e->due_us = now_us + period_us(e) * i / s->count;
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
