/* Client: all that goes to one platform by itself: pushes of stations (push.h), what is fetched from it (pull.h), results, states and orders of charges (business.h),
 * wishes on site (auth.h), the nightly comparison (reconcile.h), over one peer. */
#ifndef FC_UPSTREAM_CLIENT_H
#define FC_UPSTREAM_CLIENT_H

#include "upstream/auth.h"
#include "upstream/platform_state.h"
#include "upstream/reconcile.h"
#include "upstream/repeat.h"

struct client;

/* Makes the platform push; nothing is sent before the loop's next turn. Does not enter itself into the platform. decided: for what
 * client_ask asks. NULL and *err. */
struct client *client_new(struct platform *platform, auth_done decided, void *user, struct error *err);
void client_free(struct client *client);
/* As push_apply. */
int client_apply(struct client *client, struct error *err);
/* A connector's status changed. */
void client_status_changed(struct client *client, const struct connector *connector);
/* Something of a charge, whoever started it. */
void client_charge(struct client *client, const struct charge_event *event);
struct peer *client_peer(const struct client *client);
/* As auth_ask. */
int client_ask(struct client *client, const struct charge_wish *wish);
/* As reconcile_start; FC_EINVAL also when it has no business. */
int client_reconcile(struct client *client, int32_t day, reconcile_done done, void *user, struct error *err);
/* An order was put into the outbox once more: at once, without the pause after a failure. */
void client_order_again(struct client *client);
/* Tells all statuses again, half a second apart (also happens by itself every resend_all_h hours). */
void client_resend(struct client *client);
/* Look for what is to be told (station data changed). */
void client_wake(struct client *client);

/* What is sent again by hand. */
struct repeat *client_repeat(struct client *client);
/* The id of the newest call of all in the log; 0 = none. */
uint64_t client_newest_call(const struct client *client);

int client_linked(const struct client *client);
/* Jobs not yet confirmed. */
uint32_t client_waiting(const struct client *client);

#endif
