/* Sync: option mode sync. The answer to a start or stop command waits until the result is known, instead of being followed by it: the
 * caller's connection is kept, and nothing is pushed when the answer could tell. After timing.sync_wait_s it is answered as in mode
 * async, and the result is pushed. */
#ifndef FC_UPSTREAM_SYNC_H
#define FC_UPSTREAM_SYNC_H

#include "loop/http_server.h"
#include "upstream/platform_state.h"

/* Keeps the answer to a start or stop command back. Nonzero when it can't (answer at once): mode async, no memory. */
int sync_hold(struct platform *platform, const struct message *message, const struct value *request,
	      const struct http_request *http);
/* A result: answers who waits for it. Nonzero when someone was told. */
int sync_event(struct platform *platform, const struct charge_event *event);
/* Lets everyone go (Ret -1). */
void sync_free(struct platform *platform);

#endif
