/* Push: what one platform is told of stations (Part 2) by itself: the status of each connector when it changes, station information,
 * yesterday's statistics.
 *
 * There is one job for each thing that can be told (a connector's status, a station's information, a station's
 * statistics); a job reads what it tells at the moment of sending. So a queue can't grow: a change that comes while its
 * job waits is told by that job (it supersedes the older one), and one that comes while it is under way makes it go
 * once more.
 *
 *   status      every connector after the start, then on each change at once, and all of them every resend_all_h hours
 *               (the mapping's timing.status_resend_h goes first), half a second apart
 *   information every station after the start and when its data changed, if the method is on (push_station_info)
 *   statistics  yesterday's of every station once a day, from 00:05 on, if the method is on (push_stats)
 *
 * Not reached, Ret -1 and 500: again after retry_s, retry_count times; then it waits for the next change or resend, or,
 * when the platform was not reachable, for the first call that goes through. Ret 4002: once more with a new token.
 * Ret 4001, 4003, 4004: not repeated. Status 1 in the answer (discarded): not repeated. */
#ifndef FC_UPSTREAM_PUSH_H
#define FC_UPSTREAM_PUSH_H

#include "upstream/peer.h"

enum { PUSH_CALLS = 4 }; /* at a time */

struct push;

/* peer is borrowed. wake(user) is called when there is something to send. NULL when there is no memory. */
struct push *push_new(struct platform *platform, struct peer *peer, void (*wake)(void *user), void *user);
/* After the peer was freed: calls under way are dropped. */
void push_free(struct push *push);
/* The configuration, the options or the mapping behind the platform changed: brings the jobs in step. Those that stay
 * keep their state. FC_ENOMEM: some jobs are missing until the next time. */
int push_apply(struct push *push, struct error *err);
/* A connector's status changed. */
void push_status_changed(struct push *push, const struct connector *connector);
/* Tells all statuses again, half a second apart (also happens by itself every resend_all_h hours). */
void push_resend(struct push *push);
/* Starts the calls that are due while the peer is ready. Returns when to come again, in clock_mono_ms(). */
int64_t push_pump(struct push *push, int64_t now_ms);
/* Jobs not yet confirmed. */
uint32_t push_waiting(const struct push *push);

#endif
