/* One call of a peer on its way out: what peer.c (token, judgement) and peer_exchange.c (form, envelope, sending) share. Nobody else includes
 * this. */
#ifndef FC_UPSTREAM_PEER_EXCHANGE_H
#define FC_UPSTREAM_PEER_EXCHANGE_H

#include "loop/http_client.h"
#include "upstream/backoff.h"
#include "upstream/peer.h"
#include "upstream/peer_url.h"
#include "upstream/platform_state.h"

enum { PATH_SIZE = 512 };

struct peer {
	struct platform *platform;
	struct peer_url url;
	struct http_client *http;
	struct envelope_sequence sequence;
	struct token_client token;
	unsigned token_number; /* which token: a late 4002 must not drop a newer one */
	int login_busy;
	int64_t login_not_before_ms;
	struct loop_timer timer;
	struct platform_rate rate;
	struct loop_timer rest; /* until the next call is allowed */
	int resting;
	struct backoff backoff;
	int last_ok;
	int64_t through_ms; /* when a call or a log-in went through last */
	int closing;
	char said[PLATFORM_ERROR_SIZE]; /* the trouble that the log has already */
	struct peer_told told;
	char told_text[PLATFORM_ERROR_SIZE];
	void (*ready)(void *user);
	void *user;
};

/* One call under way; owned by the HTTP client's callback. */
struct peer_exchange {
	struct peer *peer;
	const struct message *message;
	unsigned token_number;
	int64_t sent_ms;
	int64_t sent_us, wall_ms;
	uint64_t recorded; /* the request's number in the recorder; 0 = none */
	uint32_t bytes;    /* of the request as it went out */
	enum peer_flaw flaw;
	peer_done done;
	void *user;
	struct buffer
	    json; /* what is sealed, once more when the connection was stale: a pair of TimeStamp and Seq goes out once */
	int resent;
	int plain; /* no envelope, no token */
	char path[PATH_SIZE];
	char authorization[TOKEN_PEER_MAX + sizeof("Bearer ")];
};

void peer_exchange_free(struct peer_exchange *exchange);
/* Who holds the token and counts Seq: with central authentication the exchange's peer. */
struct peer *peer_keeper(struct peer *peer);
/* Puts request into the form of the mapping and sends it; exchange->json is the exchange's then, also on failure. */
int peer_post(struct peer *peer, struct peer_exchange *exchange, struct value *request, struct arena *arena,
	      http_done done, struct error *err);
/* Nonzero when the exchange goes on: its connection had been closed while it rested, which says nothing of the platform. */
int peer_went_again(struct peer *peer, struct peer_exchange *exchange, const struct http_result *result,
		    http_done done);

#endif
