/* Progress: whether a worker is still at work, or held by a driver that does not come back. For this room only.
 *
 * The worker says before each thing that may block how long that may lawfully take, and when it rests on a wait of its own, which any
 * thread can end. One thread watches: a worker that neither took another step nor rests after that time and PROGRESS_GRACE_MS is stuck.
 * Both sides meet in one atomic word; no lock, no memory, nothing waits. */
#ifndef FC_BUS_PROGRESS_H
#define FC_BUS_PROGRESS_H

#include <stdatomic.h>
#include <stdint.h>

/* For a scheduler that has others to serve. One look counts for no more than PROGRESS_LOOK_MS: a watcher that was held up itself (a
 * process that was stopped, a clock that jumped) blames nobody for that time. */
enum { PROGRESS_GRACE_MS = 10000, PROGRESS_LOOK_MS = 5000 };

/* All zero: at rest. */
struct progress {
	atomic_uint
	    word; /* steps made in the lower half, what is allowed in tenths of a second in the upper; 0 there = at rest */
	/* the watcher's own */
	unsigned seen;
	int64_t looked_us, held_us;
};

/* The worker: what follows may take so long (1 ms to an hour). */
void progress_work(struct progress *progress, int64_t allowed_us);
/* The worker: what follows is a wait of its own, as long as it likes. */
void progress_rest(struct progress *progress);
/* The watcher: for how long the worker has made no progress when that is longer than it may be, else 0. Made at least every few
 * seconds; now_us: monotonic. */
int64_t progress_stuck_us(struct progress *progress, int64_t now_us);

#endif
