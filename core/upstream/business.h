/* Business: what we tell one platform of charges by ourselves (protocol.md 2.9, 2.11, 2.13, 2.14): results of its start and stop
 * commands, the state of its running charges every 50 s, and orders from the outbox until it has confirmed them.
 *
 *   results  of starts and stops, at once (results.h)
 *   states   every charge_status_s of the mapping's timing; a lost one is replaced by the next
 *   orders   in the order of the outbox, one at a time, for ever: every 30 s while the platform is away; one that it does not take
 *            waits as order_retry_s says, and those behind it go on (refused.h)
 *
 * Nothing here is lost by a restart but a result on its way: the order tells the same. */
#ifndef FC_UPSTREAM_BUSINESS_H
#define FC_UPSTREAM_BUSINESS_H

#include "upstream/peer.h"

struct business;

/* peer is borrowed. wake(user) is called when there is something to send. NULL when there is no memory. */
struct business *business_new(struct platform *platform, struct peer *peer, void (*wake)(void *user), void *user);
/* After the peer was freed: calls under way are dropped. */
void business_free(struct business *business);
/* Something of a charge that this platform started. */
void business_event(struct business *business, const struct charge_event *event);
/* There may be a new entry in the outbox. */
void business_order(struct business *business);
/* Someone wants it sent now: the pause after the last failure is over. */
void business_order_again(struct business *business);
/* Starts the calls that are due while the peer is ready. Returns in how many ms to come again. */
int64_t business_pump(struct business *business, int64_t now_ms);
/* Results not told, and one for orders that wait. */
uint32_t business_waiting(const struct business *business);

#endif
