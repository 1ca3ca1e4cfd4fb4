/* Pull: asynchronous pull from a platform that cannot call in (option pull_s): its waiting requests are fetched, each goes through the
 * very path that a call on a port takes (server.h: path, token, five fields, Sig, rate, TimeStamp, replay, parameters), and what would have
 * been answered is told. The messages are in message_pull.h.
 *
 * Nothing is lost and nothing is done twice:
 *   - a request stays the platform's until it has acknowledged the answer; after a kill it is fetched once more. StartChargeSeq is
 *     idempotent, and tokens do not outlive us: such a request is answered 4002 and the platform logs in again, by pull;
 *   - an answer is told until it is acknowledged, retry_s apart, then more (a minute at most, unless retry_s is more);
 *   - the same request fetched again (RequestID, interface, token and envelope) is not run again: it has the same answer.
 *     Long answers (of queries) are not kept once they are acknowledged: such a query runs again.
 *
 * Bounds: PULL_BATCH requests and PULL_BATCH_BYTES a fetch, a fetch at most every second (at once only after one that brought
 * something new), PULL_KEPT requests in hand; when the answers are not taken, nothing more is fetched. A fetch and its answers count for
 * push_rate_per_s, the requests for rate_per_s. */
#ifndef FC_UPSTREAM_PULL_H
#define FC_UPSTREAM_PULL_H

#include "upstream/peer.h"

enum {
	PULL_CALLS = 2, /* at a time */
	PULL_BATCH = 16,
	PULL_KEPT = 64,
	PULL_ENVELOPE_MAX = 64 << 10, /* bytes of one; more is answered 413 */
	PULL_BATCH_BYTES = 256 << 10,
};

struct pull;

/* peer is borrowed. wake(user) is called when there is something to do. NULL when there is no memory. */
struct pull *pull_new(struct platform *platform, struct peer *peer, void (*wake)(void *user), void *user);
/* After the peer was freed: calls under way are dropped. */
void pull_free(struct pull *pull);
/* Runs what was fetched, tells answers, fetches. Returns in how many ms to come again. now_ms: clock_mono_ms(). */
int64_t pull_pump(struct pull *pull, int64_t now_ms);
/* Requests in hand whose answer is not acknowledged. */
uint32_t pull_waiting(const struct pull *pull);

#endif
