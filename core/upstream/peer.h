/* Peer: the platform as a server that we call: its address, the token that it gave us, and one call from tree to
 * verdict. What is called, when, and what is repeated is client.h's business.
 *
 * One log-in at a time. It starts by itself, refreshes the token in its last tenth while calls go on with the old one,
 * and is repeated after retry_s when the platform can't be reached; when it refuses us (wrong secret, wrong signature)
 * only every ten minutes, because only people can repair that. All these pauses are spread (backoff.h). Each kind of trouble is logged once, not at each try.
 * A mapping that turns query_token off means that calls carry no token. With central authentication (option exchange) the
 * exchange's peer logs in, and the calls of those behind it carry its token. */
#ifndef FC_UPSTREAM_PEER_H
#define FC_UPSTREAM_PEER_H

#include "upstream/platform_state.h"

struct peer;

enum peer_outcome {
	PEER_DONE,      /* Ret says accepted; the business verdict is in the answer */
	PEER_UNREACHED, /* transport: no answer, HTTP status other than 200, no envelope */
	PEER_BUSY,      /* Ret -1, 500, or one that nobody knows: later */
	PEER_TOKEN,     /* Ret 4002: the token was dropped and a new one is on its way; once more when peer_ready */
	PEER_REFUSED,   /* Ret 4001, 4003, 4004 ..., or an answer whose signature is wrong: people must act */
};
/* How the call went whose end is being told, for people; valid during its done. */
struct peer_told {
	int has_ret, ret;
	int64_t duration_ms;
	const char *text; /* the trouble in words, "" = there was none */
};
const struct peer_told *peer_told(const struct peer *peer);
/* answer: checked by its schema, valid during the callback; NULL when there was none or it made no sense. */
typedef void (*peer_done)(void *user, enum peer_outcome outcome, const struct value *answer);

/* Starts the first log-in at once. ready(user) is called when calls can be made (again). in_flight: calls
 * at once. NULL and *err: "upstream: platform x: ..." (address, certificate files). */
struct peer *peer_new(struct platform *platform, int in_flight, void (*ready)(void *user), void *user,
		      struct error *err);
/* Calls under way are dropped without their done. */
void peer_free(struct peer *peer);
/* The platform's options or mapping changed. */
void peer_changed(struct peer *peer);

/* Nonzero when a call can be made now: a token is held, or none is needed, push_rate_per_s allows it, and the platform has not asked to be
 * left alone (backoff.h). */
int peer_ready(const struct peer *peer);
/* A pause before another try, spread so that a fleet does not keep step (backoff.h). */
int64_t peer_pause_ms(struct peer *peer, int64_t pause_ms);
/* When a call or a log-in went through last, by the monotonic clock; 0 = never. */
int64_t peer_through_ms(const struct peer *peer);
/* Nonzero when it is ready and the last call or log-in went through. */
int peer_linked(const struct peer *peer);
/* Trouble that only the caller could see, for people to act on: logged once until a success, and last_error. */
void peer_complain(struct peer *peer, const char *method, const char *what);
/* Calls message with request (a tree in arena; may be changed). FC_OK: done comes later, once. Otherwise done does not
 * come: FC_EBUSY (not ready, too many at once or in this second: try again), or what codec and envelope say. */
int peer_call(struct peer *peer, const struct message *message, struct value *request, struct arena *arena,
	      peer_done done, void *user, struct error *err);
/* As peer_call, for a caller that tries again by itself: NULL for a request is FC_ENOMEM, and why it was not sent is logged, but for FC_EBUSY.
 * platform: the peer's. */
int peer_send(struct peer *peer, const struct platform *platform, const char *method, struct value *request,
	      struct arena *arena, peer_done done, void *user);

/* For a trial of the platform (conformance.h). ------------------------------------------------------------------- */

/* What is made wrong in a call, so that a platform that looks must refuse it. */
enum peer_flaw {
	PEER_NO_FLAW,
	PEER_FLAW_SIG,    /* the signature */
	PEER_FLAW_TOKEN,  /* the token: one that it never gave */
	PEER_FLAW_DATA,   /* encrypted with another key, signed right */
	PEER_FLAW_SECRET, /* query_token with another OperatorSecret, which the caller has put into the request */
};
/* As peer_call; from how a call with a flaw ends nothing is concluded: no trouble is told, no token is dropped. */
int peer_call_flawed(struct peer *peer, enum peer_flaw flaw, const struct message *message, struct value *request,
		     struct arena *arena, peer_done done, void *user, struct error *err);
/* Logs in now, whether a token is due or not. FC_OK: it is under way; FC_EBUSY: one is already; FC_EINVAL: no token is needed, or
 * another peer holds it; FC_EIO: it could not be sent. */
int peer_login(struct peer *peer);
/* What is left of the token's life; -1 without one. */
int64_t peer_token_life_ms(const struct peer *peer);

#endif
