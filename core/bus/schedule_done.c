/* What came of a read: the next time of it, the slow lane, and the way back. */
#include <stddef.h>

#include "bus/schedule_inside.h"

static const int64_t backoff_first_us = 1000000;
static const int64_t backoff_last_us = 60000000;
/* A slow read is made so soon after the unit is there; one with a longer period is slow. */
static const int64_t soon_us = 2000000;
/* Tried again after a failure: doubled for each one in a row. */
static const int64_t again_first_us = 1000000, again_longest_us = 600000000;
static const int64_t busy_first_us = 250000;
enum { FAILURES_MAX = 20, BUSY_TRIES = 3, COST_MEAN = 8 };

/* xorshift: only to keep devices from moving in step. */
uint32_t schedule_random(uint32_t *state)
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
	int64_t permille = (int64_t)(schedule_random(random) % 401) - 200;

	return base_us + base_us * permille / 1000;
}

int schedule_is_slow_read(const struct schedule_entry *e)
{
	return schedule_planned_us(e) > soon_us;
}

int64_t schedule_spread_us(const struct schedule_entry *e)
{
	return schedule_is_slow_read(e) ? soon_us : schedule_planned_us(e);
}

/* After so many failures in a row. */
static int64_t again_us(const struct schedule_entry *e)
{
	int64_t longest =
	    10 * schedule_planned_us(e) < again_longest_us ? 10 * schedule_planned_us(e) : again_longest_us;
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
		e->due_us = now_us + schedule_spread_us(e) * n++ / s->count;
		if (e->failures > SCHEDULE_FAILURES)
			e->due_us = now_us + again_us(e);
		e->fresh = (uint8_t)schedule_is_slow_read(e);
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
	return again < now_us + schedule_planned_us(e) ? SCHEDULE_AGAIN : SCHEDULE_SAME;
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
		e->due_us -= schedule_planned_us(e) / 1000 * (int64_t)(schedule_random(&s->random) % 500);
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
			e->due_us = now_us + schedule_spread_us(e) * i / s->count;
	}
}
