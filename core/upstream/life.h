/* Life: the messages about an order, as events of it (store/events.h, EVENT_MESSAGE): each with who, when, what came of it and how
 * long that took. State pushes come every 50 s and are counted: the first and the last are told, with how many there were.
 *
 * who is the platform's section, text the reason of a failure, connector and seq the order's. detail is an object:
 *   direction  "in", "out"
 *   method     of the protocol
 *   ret        when there was an answer with one
 *   answer     what it says of the order, in words: "accepted", "confirmed" ...
 *   attempt    which try that was, where there are tries
 *   duration_ms
 *   count, failed, first_at   of what is counted */
#ifndef FC_UPSTREAM_LIFE_H
#define FC_UPSTREAM_LIFE_H

#include "upstream/peer.h"

struct life_message {
	const char *seq, *connector; /* connector may be NULL: not known */
	const char *method;
	int is_in;
	int has_ret, ret;
	const char *answer;              /* NULL = none */
	const char *text;                /* why it failed; NULL = it did not */
	int attempt;                     /* 0 = there are no tries */
	int64_t duration_ms;             /* -1 = not known */
	int64_t count, failed, first_at; /* count 0: one message */
};
/* Where the platform has no store, nothing is kept. */
void life_message(const struct platform *platform, const struct life_message *message);
/* The same of a call whose end the peer is telling: ret, text and duration are what it told. */
void life_called(const struct platform *platform, const struct peer_told *told, struct life_message message);
/* A call of theirs that was answered: only those about an order (a start, a stop) are told. request NULL: it was not understood. */
void life_asked(const struct platform *platform, const struct message *message, const struct value *request,
		const struct value *answer, int ret, const char *why, int64_t duration_ms);

#endif
