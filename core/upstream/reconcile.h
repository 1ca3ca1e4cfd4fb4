/* Reconcile: compares a day's orders with the platform that started them (check_charge_orders, protocol.md 2.15), every night in
 * the hours of the mapping's timing, and on demand. Differences are kept in the store, named by order and field; an order that the
 * platform does not know is sent to it once more. */
#ifndef FC_UPSTREAM_RECONCILE_H
#define FC_UPSTREAM_RECONCILE_H

#include "store/checks.h"
#include "upstream/peer.h"

struct reconcile;

/* check NULL and why: it could not be done. Both live during the call. */
typedef void (*reconcile_done)(void *user, const struct check *check, const char *why);

/* peer is borrowed; resend(user) is called when an order was put into the outbox again. NULL when there is no memory. */
struct reconcile *reconcile_new(struct platform *platform, struct peer *peer, void (*resend)(void *user), void *user);
/* After the peer was freed. Who waits for a check hears that it was not done. */
void reconcile_free(struct reconcile *reconcile);
/* Checks a day now. done comes once, later. FC_OK; FC_EBUSY (one is under way, or the platform can't be called now), FC_EINVAL (the
 * method is switched off). */
int reconcile_start(struct reconcile *reconcile, int32_t day, reconcile_done done, void *user, struct error *err);
/* Looks whether it is time for the nightly one. Returns in how many ms to come again. */
int64_t reconcile_pump(struct reconcile *reconcile, int64_t now_ms);

#endif
