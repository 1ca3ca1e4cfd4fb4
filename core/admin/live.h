/* Live: the overview (control/overview.h) for whoever has the page open, by WebSocket, so that nobody polls.
 *
 * The tree is built once a second, for all viewers together, and only while there are any; what changed goes out as one merge patch,
 * built once and shared. It goes to LIVE_SLICE viewers at a time, with a pause in between: each costs a TLS record, and a platform's
 * question must not wait for all of them. A newcomer gets everything. So does one that was too slow for some of the changes, as soon as it takes
 * something again: no queue grows. The README of this room has the messages.
 *
 * Counters that always change (polls, answers, latencies) go out every LIVE_SLOW_S, ages of values every LIVE_AGE_S unless the
 * quality changes: they are what most of the traffic would be. */
#ifndef FC_ADMIN_LIVE_H
#define FC_ADMIN_LIVE_H

#include "base/value.h"
#include "control/control.h"
#include "control/guard.h"
#include "loop/http_server.h"
#include "loop/loop.h"
#include "loop/websocket.h"

enum {
	LIVE_MESSAGE = 256, /* bytes that a viewer may say at once */
	LIVE_TICK_S = 5,    /* nothing changed: that we are there */
	LIVE_SLOW_S = 5,
	LIVE_AGE_S = 10,
	LIVE_CHECK_S = 10, /* whether the sessions still live */
	LIVE_SLICE = 8,
	LIVE_PAUSE_US = 5000,
};

struct live_hooks {
	/* Who may look: 0 and who it is, or the HTTP status that refuses. A browser's session must not be enough without an Origin; a
	 * foreign one was refused already. */
	int (*may)(void *user, const struct http_request *request, struct guard_who *who);
	/* Nonzero while that session or token is good, with the same role. */
	int (*lives)(void *user, const struct guard_who *who);
	void *user;
};

struct live;
/* All borrowed. */
struct live *live_new(struct loop *loop, struct control *control, const struct live_hooks *hooks, struct error *err);
/* After its server. */
void live_free(struct live *live);
/* For http_server_config; lives as long as live. */
const struct websocket_service *live_service(const struct live *live);
/* How many may look at a time; those that are there stay. */
void live_set_most(struct live *live, int viewers);
/* Closes those whose session has ended, now: on a log-out, when a role changes. It is also done every LIVE_CHECK_S. */
void live_check(struct live *live);

struct live_figures {
	int viewers;
	uint64_t messages, bytes; /* sent, to all viewers together */
	uint64_t skipped;         /* messages that a viewer was too slow for */
	uint64_t refused, ended;  /* handshakes refused by may; viewers whose session ended */
};
void live_get_figures(const struct live *live, struct live_figures *figures);

#endif
