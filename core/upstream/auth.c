#include "upstream/auth.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "upstream/maker.h"

enum { ASKS_MAX = 64, KIND_CARD = 1, KIND_BEGAN = 2 };
static const char method[] = "query_user_auth";

struct ask {
	struct auth *auth;
	struct ask *next;
	int in_flight, token_try;
	int began;
	unsigned number;
	char connector_id[ORDER_ID], user[ORDER_USER], seq[JOURNAL_SEQ];
};

struct auth {
	struct platform *platform;
	struct peer *peer;
	auth_done done;
	void *user;
	struct ask *asks;
	int count;
};

struct auth *auth_new(struct platform *platform, struct peer *peer, auth_done done, void *user)
{
	struct auth *auth = calloc(1, sizeof(*auth));

	if (auth)
		*auth = (struct auth){.platform = platform, .peer = peer, .done = done, .user = user};
	return auth;
}

static void drop(struct ask *ask)
{
	struct ask **at = &ask->auth->asks;

	while (*at != ask)
		at = &(*at)->next;
	*at = ask->next;
	ask->auth->count--;
	explicit_bzero(ask, sizeof(*ask));
	free(ask);
}

void auth_free(struct auth *auth)
{
	if (!auth)
		return;
	while (auth->asks)
		drop(auth->asks);
	free(auth);
}

static void conclude(struct ask *ask, const struct charge_grant *grant)
{
	struct auth *auth = ask->auth;
	const struct ask copy = *ask;
	const struct charge_wish wish = {copy.connector_id, copy.number, copy.began, copy.user, copy.seq};

	drop(ask);
	auth->done(auth->user, auth->platform, &wish, grant);
}

static const char *text_of(const struct value *answer, const char *key)
{
	return value_text(value_get(answer, key));
}

static void on_answer(void *user, enum peer_outcome outcome, const struct value *answer)
{
	struct ask *ask = user;
	const struct platform *p = ask->auth->platform;
	int64_t verdict = -1;

	ask->in_flight = 0;
	if (outcome == PEER_TOKEN && !ask->token_try) {
		ask->token_try = 1;
		return;
	}
	/* An answer that says nothing is no grant. */
	if (outcome == PEER_DONE && message_verdict(message_find(method), answer, &verdict))
		verdict = -1;
	if (outcome != PEER_DONE || verdict) {
		log_notice("upstream: %s: connector %s: user not authorised (%s %lld)", p->options->name,
			   ask->connector_id, outcome == PEER_DONE ? "SuccStat" : "no answer", (long long)verdict);
		conclude(ask, NULL);
		return;
	}
	const char *user_class = text_of(answer, "UserClass");
	const struct charge_grant grant = {
	    .platform = p->options->name,
	    .seq = text_of(answer, "StartChargeSeq"),
	    .user_class = user_class ? user_class : "",
	    .result_s = (int)mapping_timing(p->mapping, TIMING_START_RESULT_S, -1),
	};
	conclude(ask, &grant);
}

static int send(struct ask *ask)
{
	struct auth *auth = ask->auth;
	struct error err = {0};
	struct arena arena;

	arena_init(&arena, PLATFORM_MEMORY_MAX);
	struct maker m = {.arena = &arena};
	struct value *v = value_object(&arena);
	/* The order's number is unique, and there is one wish for an order. */
	maker_text(&m, v, "UserAuthSeq", ask->seq);
	maker_text(&m, v, "StartChargeSeq", ask->seq);
	maker_text(&m, v, "ConnectorID", ask->connector_id);
	maker_int(&m, v, "AuthType", ask->began ? KIND_BEGAN : KIND_CARD);
	maker_text(&m, v, "UserIdent", ask->user);
	int result =
	    m.failed ? FC_ENOMEM : peer_call(auth->peer, message_find(method), v, &arena, on_answer, ask, &err);
	arena_fini(&arena);
	ask->in_flight = !result;
	if (result)
		log_warning("upstream: %s: %s: not sent: %s", auth->platform->options->name, method, err.text);
	return result;
}

int auth_ask(struct auth *auth, const struct charge_wish *wish)
{
	const struct platform *p = auth->platform;
	const struct icomm view = platform_view(p);
	const struct connector *c = station_connector_find(p->stations, wish->connector_id);

	if (!mapping_enabled(p->mapping, message_find(method), p->options) || !c ||
	    icomm_station(&view, c->station->station_id) < 0)
		return FC_ENOENT;
	if (!peer_ready(auth->peer) || auth->count >= ASKS_MAX)
		return FC_EBUSY;
	struct ask *ask = calloc(1, sizeof(*ask));
	if (!ask)
		return FC_EBUSY;
	ask->auth = auth;
	ask->began = wish->began;
	ask->number = wish->number;
	(void)snprintf(ask->connector_id, sizeof(ask->connector_id), "%s", wish->connector_id);
	(void)snprintf(ask->user, sizeof(ask->user), "%s", wish->user);
	(void)snprintf(ask->seq, sizeof(ask->seq), "%s", wish->seq);
	ask->next = auth->asks;
	auth->asks = ask;
	auth->count++;
	if (!send(ask))
		return FC_OK;
	drop(ask);
	return FC_EBUSY;
}

void auth_pump(struct auth *auth)
{
	struct ask *next;

	for (struct ask *ask = auth->asks; ask; ask = next) {
		next = ask->next;
		/* One that can't be sent now is no longer worth waiting for. */
		if (!ask->in_flight && peer_ready(auth->peer) && send(ask))
			conclude(ask, NULL);
	}
}
