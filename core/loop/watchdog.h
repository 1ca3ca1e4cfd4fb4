/* Watchdog: a device that restarts the box unless it is fed in time (Linux's watchdog interface, /dev/watchdog).
 *
 * It is fed by a timer of the loop, so that a loop that hangs feeds nobody, and only while check says that all is well. What check
 * finds is asked for once a second whether there is a device or not: who wants to show it need not ask again.
 *
 * A device that can't be opened (another program has it still, no rights) is tried again every WATCHDOG_AGAIN_S; one that has no time-out
 * that can be set is fed all the same. Opening it arms it. It is disarmed by the magic 'V' at watchdog_end alone: a program that dies
 * leaves it armed, and the box is restarted unless the program comes back in time. On the loop's thread. */
#ifndef FC_LOOP_WATCHDOG_H
#define FC_LOOP_WATCHDOG_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "loop/loop.h"

enum { WATCHDOG_AGAIN_S = 2, WATCHDOG_DEVICE = 128, WATCHDOG_WHY = 200 };

/* Nonzero when something makes no progress: then why says what, and the device is not fed. Called once a second. */
typedef int (*watchdog_check)(void *user, int64_t now_us, char *why, size_t size);

struct watchdog_state {
	const char *device; /* "" = there is none to feed */
	int is_open;
	int timeout_s; /* as the device has it, where it says so */
	uint64_t feeds;
	const char
	    *why; /* it is not fed: what stands still, or what the device's opening or writing said; "" = all is well */
};

struct watchdog;

/* Without a device yet. check may be NULL. NULL: no memory. */
struct watchdog *watchdog_new(struct loop *loop, watchdog_check check, void *user, struct error *err);
/* Feeds this device from now on; "" = none. The one before is disarmed. timeout_s: after which the box is to be restarted. */
void watchdog_set(struct watchdog *watchdog, const char *device, int timeout_s);
/* The end that somebody asked for: disarms. Whatever comes after, it is not opened again. */
void watchdog_end(struct watchdog *watchdog);
/* Without watchdog_end before it an open device stays armed. NULL is allowed. */
void watchdog_free(struct watchdog *watchdog);
void watchdog_get_state(const struct watchdog *watchdog, struct watchdog_state *state);

#endif
