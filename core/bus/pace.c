#include "bus/pace.h"

enum { FIRST = 8, STAY = 8, OF_LATE = 8, USUAL = 1024 };
static const int64_t high_more_us = 50000, low_more_us = 25000;
/* A value is good for three seconds at least (device.h), so short periods may be stretched further. */
static const int64_t short_us = 1500000;

enum pace_change pace_take(struct pace *p, int64_t latency_us)
{
	p->samples += p->samples < FIRST;
	p->now_us = p->samples == 1 ? latency_us : p->now_us + (latency_us - p->now_us) / OF_LATE;
	if (p->samples < FIRST || p->now_us < p->usual_us) {
		p->usual_us = p->now_us;
	} else {
		p->usual_us += (p->now_us - p->usual_us) / USUAL;
	}
	if (++p->since < STAY)
		return PACE_SAME;
	if (p->now_us > 4 * p->usual_us + high_more_us && p->shift < PACE_SHIFT_MAX) {
		p->since = 0;
		return p->shift++ ? PACE_SAME : PACE_LOWERED;
	}
	if (p->now_us < 2 * p->usual_us + low_more_us && p->shift) {
		p->since = 0;
		return --p->shift ? PACE_SAME : PACE_BACK;
	}
	return PACE_SAME;
}

int64_t pace_period_us(const struct pace *p, int64_t period_us)
{
	int64_t longest = 2 * period_us > short_us ? 2 * period_us : short_us;
	int64_t stretched = period_us << p->shift;

	return stretched < longest ? stretched : longest;
}
