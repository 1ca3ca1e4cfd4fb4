/* Results: what came of the starts and stops that one platform commanded (protocol.md 2.9, 2.13), told once: at once, and not reached
 * again after a second, doubling to a minute, for ten minutes. One that could not be made for want of memory waits a second each
 * time. None is lost in a moment without memory: room for RESULTS_SPARE is held ahead, and filled up at each pump. */
#ifndef FC_UPSTREAM_RESULTS_H
#define FC_UPSTREAM_RESULTS_H

#include "upstream/peer.h"

enum { RESULTS_SPARE = 32 }; /* as many charges as begin or end between two pumps */

struct results;

/* Both borrowed. NULL when there is no memory. */
struct results *results_new(struct platform *platform, struct peer *peer, void (*wake)(void *user), void *user);
/* After the peer was freed: calls under way are dropped. */
void results_free(struct results *results);
/* One to tell: STARTED, NOT_STARTED, STOPPED or NOT_STOPPED. Wakes. */
void results_event(struct results *results, const struct charge_event *event);
/* Starts the calls that are due while the peer is ready. Returns when to come again, in clock_mono_ms(). */
int64_t results_pump(struct results *results, int64_t now_ms);
/* Those not told yet. */
uint32_t results_waiting(const struct results *results);

#endif
