/* Handover: results from the workers to the loop, by value through one bounded queue. For this room only.
 *
 * A worker wakes the loop when it begins to wait, for an answer or for its next request's time: a write, a read, a turn of the loop and a
 * change of thread. At the rate of chargers that is the quickest way, and costs nothing to speak of. Where a thousand wake-ups a second
 * go on for a tenth of a second they take as much as the requests: from then on the loop looks by itself every millisecond, and nobody wakes it, until
 * there is little to be found. What must be told (answers to writes) wakes it always. */
#ifndef FC_BUS_HANDOVER_H
#define FC_BUS_HANDOVER_H

#include <stdatomic.h>

#include "bus/bus.h"
#include "bus/queue.h"

enum { HANDOVER_MAX = 1024, HANDOVER_RESERVED = 128, HANDOVER_LOOK_US = 1000 };

struct handover {
	struct queue results;
	atomic_int looking; /* the loop looks by itself */
	/* the loop's own */
	struct loop *loop;
	struct loop_waker waker;
	struct loop_fd *timer;
	int timer_fd; /* the loop's, once it has taken it over */
	void (*arrived)(void *user);
	void *user;
	int64_t since_us; /* wakes are counted from then on */
	unsigned wakes, looks, taken;
};

/* arrived is called on the loop whenever there may be something, and takes it all. FC_OK; FC_ENOMEM, FC_EIO: nothing has to be undone. */
int handover_start(struct handover *h, struct loop *loop, void (*arrived)(void *user), void *user, struct error *err);
/* No worker may use it any more. Not started (all zero): does nothing. */
void handover_stop(struct handover *h);
/* By any thread, as a line_sink (bus/line.h) does: a result, that must not be dropped perhaps; NULL: the loop hears of what was put. FC_OK,
 * FC_EBUSY: dropped. */
int handover_put(struct handover *h, const struct bus_result *result, int must);
/* On the loop. FC_OK, FC_ENOENT: that was all. */
int handover_take(struct handover *h, struct bus_result *result);

#endif
