/* Client: what we tell a platform by ourselves: the status of each connector when it changes, station information,
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
#ifndef FC_UPSTREAM_CLIENT_H
#define FC_UPSTREAM_CLIENT_H

#include "upstream/auth.h"
#include "upstream/platform_state.h"
#include "upstream/reconcile.h"

struct client;

/* Makes the platform push; nothing is sent before the loop's next turn. Does not enter itself into the platform. decided: for what
 * client_ask asks. NULL and *err. */
struct client *client_new(struct platform *platform, auth_done decided, void *user, struct error *err);
void client_free(struct client *client);
/* The configuration, the options or the mapping behind the platform changed: brings the jobs in step. Those that stay
 * keep their state. FC_ENOMEM: some jobs are missing until the next time. */
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
/* An order was put into the outbox again. */
void client_order(struct client *client);
/* Tells all statuses again, half a second apart (also happens by itself every resend_all_h hours). */
void client_resend(struct client *client);
/* Look for what is to be told (station data changed). */
void client_wake(struct client *client);

int client_linked(const struct client *client);
/* Jobs not yet confirmed. */
uint32_t client_waiting(const struct client *client);

#endif
