#include "bus/progress.h"

enum { TENTH_US = 100000, MOST_TENTHS = 36000, HALF = 16 };

static void step(struct progress *p, unsigned tenths)
{
	/* The worker alone writes. */
	unsigned steps = (atomic_load(&p->word) + 1) & 0xFFFFu;

	atomic_store(&p->word, tenths << HALF | steps);
}

void progress_work(struct progress *p, int64_t allowed_us)
{
	int64_t tenths = (allowed_us + TENTH_US - 1) / TENTH_US;

	step(p, tenths < 1 ? 1 : tenths > MOST_TENTHS ? MOST_TENTHS : (unsigned)tenths);
}

void progress_rest(struct progress *p)
{
	step(p, 0);
}

int64_t progress_stuck_us(struct progress *p, int64_t now_us)
{
	unsigned word = atomic_load(&p->word);
	int64_t since = now_us - p->looked_us;
	int64_t allowed_us = (int64_t)(word >> HALF) * TENTH_US + (int64_t)PROGRESS_GRACE_MS * 1000;

	p->looked_us = now_us;
	if (word != p->seen || !(word >> HALF)) {
		p->seen = word;
		p->held_us = 0;
		return 0;
	}
	p->held_us += since < (int64_t)PROGRESS_LOOK_MS * 1000 ? since : (int64_t)PROGRESS_LOOK_MS * 1000;
	return p->held_us > allowed_us ? p->held_us : 0;
}
