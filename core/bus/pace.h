/* Pace: whether a unit is asked more than it can take. Pure logic, no clock.
 *
 * A device that queues what it is asked answers later and later (chargers.md 4, row 5), and one that is asked too often grows slow
 * before it falls over (row 43). So the latency of late is held against the unit's usual one: four times as much (and 50 ms more)
 * lowers its pace by half, twice at most; twice as much (and 25 ms) is good enough to raise it again. The usual one follows slowly:
 * what stays slow for a quarter of an hour is usual. */
#ifndef FC_BUS_PACE_H
#define FC_BUS_PACE_H

#include <stdint.h>

enum { PACE_SHIFT_MAX = 2 };

enum pace_change { PACE_SAME, PACE_LOWERED, PACE_BACK };

struct pace {
	int64_t usual_us, now_us; /* latency; the mean of late */
	uint32_t samples, since;  /* taken; since the last change */
	uint8_t shift;            /* asked at 1 / 2^shift of its rate */
};

/* An answer came after latency_us. PACE_LOWERED when it is asked more slowly for the first time, PACE_BACK when it
 * is asked as planned again. */
enum pace_change pace_take(struct pace *pace, int64_t latency_us);
/* The period to keep to instead: never so long that a value of three periods' age would be old. */
int64_t pace_period_us(const struct pace *pace, int64_t period_us);

#endif
