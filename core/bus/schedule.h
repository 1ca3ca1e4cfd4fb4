/* Schedule: which read of a line is due next. Pure logic: no thread, no clock of its own; times are monotonic
 * microseconds that the caller brings.
 *
 * A healthy unit's reads fall due every period, counted from when they were due (not from when they were made), so
 * that a late one does not shift the ones behind it. Of those that are due the one goes first whose period ends first; so slow
 * reads find the gaps of the fast ones. Two rules stand above that on a line that is full:
 * - Fair by time: once a unit has used a fifth of a second more of the line than another one that waits, every second request is
 *   for the one that has used least. Many blocks of one unit, or its time-outs, cost the others nothing.
 * - After a slow read a fast one that is due comes first (fast: at most an eighth of its period).
 *
 * Reads of periods above two seconds are made within two seconds after the start, and after the unit was away, and spread over
 * their periods from then on. One that is lost is tried again soon, and later and later; so is a block that is never answered by a
 * unit that answers others.
 *
 * A unit that failed three times in a row goes to the slow lane: one probe each back-off step (1 s doubling to 60 s, jitter
 * +-20 %), made in the gaps that the others leave. */
#ifndef FC_BUS_SCHEDULE_H
#define FC_BUS_SCHEDULE_H

#include <stdint.h>

#include "bus/bus.h"
#include "bus/pace.h"

enum { SCHEDULE_FAILURES = 3 };

struct schedule_unit {
	uint8_t unit;
	int failures; /* in a row */
	int slow;
	int64_t probe_us; /* when the next probe is wanted */
	int64_t backoff_us;
	uint32_t probes; /* that nobody answered */
	int64_t rest_us; /* it is busy: not asked before */
	int64_t used_us; /* of the line's time, counted from the one that waited with the least */
	int best;        /* of its reads that are due, the first; -1: none */
	int64_t best_us; /* the end of that one's period */
	struct pace pace;
};

struct schedule_entry {
	struct bus_read read;
	int64_t due_us;
	int64_t cost_us;        /* of the line's time; a mean, 0 = not known yet */
	uint32_t unit;          /* index into units */
	uint8_t fresh;          /* a slow read that was not made yet since the unit is there */
	uint8_t failures, busy; /* in a row */
};

struct schedule {
	struct schedule_entry *entries;
	uint32_t count;
	struct schedule_unit *units;
	uint32_t unit_count;
	uint32_t random;
	int64_t least_us;       /* used by the unit that waited with the least, when something was last due */
	int64_t shortest_us;    /* period */
	int64_t last_period_us; /* of the read chosen last */
	int was_fair;           /* it was chosen since its unit had used least */
	uint64_t due, missed, late;
	uint32_t late_max_us;
};

struct schedule_choice {
	int entry;          /* index, or -1: nothing now */
	int probe;          /* of a unit in the slow lane */
	int64_t wait_us;    /* when entry is -1: look again after so long */
	int64_t timeout_us; /* most that this request may wait for its answer */
};

enum schedule_outcome {
	SCHEDULE_LOST,     /* the unit did not answer */
	SCHEDULE_ANSWERED, /* an exception is an answer */
	SCHEDULE_BUSY,     /* exceptions 5 and 6: asked again after a pause, three times at most */
};
enum schedule_change {
	SCHEDULE_SAME,
	SCHEDULE_SLOW,  /* the unit went to the slow lane */
	SCHEDULE_BACK,  /* it came back */
	SCHEDULE_AGAIN, /* this read will be made again before its time */
};

/* Copies reads; the first time of each is spread over its period, or two seconds, from now on. FC_OK, FC_ENOMEM. */
int schedule_init(struct schedule *s, const struct bus_read *reads, uint32_t count, int64_t now_us, uint32_t seed);
void schedule_fini(struct schedule *s);
/* s goes on where from is: counters, what is known of its units, and the times of reads that are the same. */
void schedule_take_over(struct schedule *s, const struct schedule *from);
/* timeout_us: the line's response time-out. */
struct schedule_choice schedule_next(struct schedule *s, int64_t now_us, int64_t timeout_us);
/* Until the first read of a healthy unit or the first probe of a slow one falls due; at most 0: one is. */
int64_t schedule_wait_us(struct schedule *s, int64_t now_us);
/* The chosen read was made. */
enum schedule_change schedule_done(struct schedule *s, int entry, int64_t now_us, enum schedule_outcome outcome);
/* What it took of the line's time. */
void schedule_spent(struct schedule *s, int entry, int64_t us);
/* The unit answered something else than a poll. SCHEDULE_SAME or SCHEDULE_BACK. */
enum schedule_change schedule_heard(struct schedule *s, uint8_t unit, int64_t now_us);
/* NULL: not in the plan. */
struct schedule_unit *schedule_unit(struct schedule *s, uint8_t unit);
/* The line was broken for a while: what fell due meanwhile is not made up for, and counts as nothing. lost: for so long that the units
 * may be others, so that slow reads are made soon. */
void schedule_resume(struct schedule *s, int64_t now_us, int lost);
/* Nonzero when the last read of every unit failed. */
int schedule_all_failing(const struct schedule *s);
uint32_t schedule_slow_count(const struct schedule *s);
/* Thousandths of the line's time that the healthy units' reads need at their planned pace, as far as their cost is known. */
uint32_t schedule_planned(const struct schedule *s);
/* base_us +-20 %. */
int64_t schedule_jitter(uint32_t *random, int64_t base_us);

#endif
