/* Schedule: which read of a line is due next. Pure logic: no thread, no clock of its own; times are monotonic
 * microseconds that the caller brings.
 *
 * A healthy unit's reads fall due every period, counted from when they were due (not from when they were made), so
 * that a late one does not shift the ones behind it. A unit that failed three times in a row goes to the slow lane:
 * one probe each back-off step (1 s doubling to 60 s, jitter +-20 %), made in the gaps that the others leave. */
#ifndef FC_BUS_SCHEDULE_H
#define FC_BUS_SCHEDULE_H

#include <stdint.h>

#include "bus/bus.h"

enum { SCHEDULE_FAILURES = 3 };

struct schedule_unit {
	uint8_t unit;
	int failures; /* in a row */
	int slow;
	int64_t probe_us; /* when the next probe is wanted */
	int64_t backoff_us;
};

struct schedule_entry {
	struct bus_read read;
	int64_t due_us;
	uint32_t unit; /* index into units */
};

struct schedule {
	struct schedule_entry *entries;
	uint32_t count;
	struct schedule_unit *units;
	uint32_t unit_count;
	uint32_t random;
	uint64_t due, missed, late;
	uint32_t late_max_us;
};

struct schedule_choice {
	int entry;          /* index, or -1: nothing now */
	int probe;          /* of a unit in the slow lane */
	int64_t wait_us;    /* when entry is -1: look again after so long */
	int64_t timeout_us; /* most that this request may wait for its answer */
};

/* Copies reads; they are spread over their periods from now on. FC_OK, FC_ENOMEM. */
int schedule_init(struct schedule *s, const struct bus_read *reads, uint32_t count, int64_t now_us, uint32_t seed);
void schedule_fini(struct schedule *s);
/* s goes on where from is: counters, what is known of its units, and the times of reads that are the same. */
void schedule_take_over(struct schedule *s, const struct schedule *from);
/* timeout_us: the line's response time-out. */
struct schedule_choice schedule_next(struct schedule *s, int64_t now_us, int64_t timeout_us);
/* The chosen read was made: ok = the unit answered (an exception is an answer). Returns 1 when this sent the unit to
 * the slow lane, 2 when it came back, else 0. */
int schedule_done(struct schedule *s, int entry, int64_t now_us, int ok);
/* The line was broken for a while: what fell due meanwhile is not made up for, and counts as nothing. */
void schedule_resume(struct schedule *s, int64_t now_us);
/* Nonzero when the last read of every unit failed. */
int schedule_all_failing(const struct schedule *s);
uint32_t schedule_slow_count(const struct schedule *s);
/* base_us +-20 %. */
int64_t schedule_jitter(uint32_t *random, int64_t base_us);

#endif
