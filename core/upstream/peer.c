#include "upstream/peer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "loop/http_client.h"
#include "upstream/client.h"
#include "upstream/peer_judge.h"
#include "upstream/peer_url.h"

enum { REFUSED_RETRY_MS = 600000, PATH_SIZE = 512, CHECK_MS = 60000, HUB_MS = 1000 };

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
	int last_ok;
	int closing;
	char said[PLATFORM_ERROR_SIZE]; /* the trouble that the log has already */
	void (*ready)(void *user);
	void *user;
};

/* One call under way; owned by the HTTP client's callback. */
struct peer_exchange {
	struct peer *peer;
	const struct message *message;
	unsigned token_number;
	int64_t sent_ms;
	peer_done done;
	void *user;
	struct buffer
	    json; /* what is sealed, once more when the connection was stale: a pair of TimeStamp and Seq goes out once */
	int resent;
	int plain; /* no envelope, no token */
	char path[PATH_SIZE];
	char authorization[TOKEN_PEER_MAX + sizeof("Bearer ")];
};

/* Trouble ------------------------------------------------------------------------------------------------------- */

static const char *without(const char *text, const char *prefix)
{
	size_t len = strlen(prefix);

	return !strncmp(text, prefix, len) && !strncmp(text + len, ": ", 2) ? text + len + 2 : text;
}

/* level error: people must act; warning: it may heal by itself. The same text is logged once until a success. */
static void trouble(struct peer *peer, enum log_level level, const char *method, const char *what)
{
	struct platform *p = peer->platform;

	/* Other files of the room name room and method themselves. */
	what = without(without(what, "upstream"), method);
	(void)snprintf(p->last_error, sizeof(p->last_error), "%s: %s", method, what);
	peer->last_ok = 0;
	if (!strcmp(peer->said, p->last_error))
		return;
	memcpy(peer->said, p->last_error, sizeof(peer->said));
	log_line(level, "upstream: %s: %s", p->options->name, p->last_error);
}

void peer_complain(struct peer *peer, const char *method, const char *what)
{
	trouble(peer, LOG_LEVEL_ERROR, method, what);
}

static void success(struct peer *peer)
{
	struct platform *p = peer->platform;

	if (peer->said[0])
		log_notice("upstream: %s: calls go through again", p->options->name);
	peer->said[0] = '\0';
	p->last_error[0] = '\0';
	peer->last_ok = 1;
}

/* What became of a call, said aloud where it is trouble. */
static enum peer_outcome judge(struct peer *peer, const struct peer_exchange *exchange,
			       const struct http_result *result, struct arena *arena, struct value **answer)
{
	struct peer_verdict verdict;

	peer_judge(peer->platform, exchange->message, exchange->plain, result, arena, &verdict);
	if (verdict.trouble.text[0])
		trouble(peer, verdict.level, exchange->message->method, verdict.trouble.text);
	*answer = verdict.answer;
	return verdict.outcome;
}

/* Exchange ------------------------------------------------------------------------------------------------------ */

static void wake(struct peer *peer, int64_t delay_ms)
{
	if (loop_timer_set(peer->platform->loop, &peer->timer, delay_ms > 0 ? delay_ms * 1000 : 1))
		log_error("upstream: %s: timer: no memory", peer->platform->options->name);
}

static void free_exchange(struct peer_exchange *exchange)
{
	if (exchange->json.data)
		explicit_bzero(exchange->json.data, exchange->json.len); /* query_token's has the secret in it */
	buffer_fini(&exchange->json);
	free(exchange);
}

/* Who holds the token and counts Seq: with central authentication the exchange's peer. */
static struct peer *keeper(struct peer *peer)
{
	const struct platform *hub = peer->platform->hub;

	return hub != peer->platform && hub->client ? client_peer(hub->client) : peer;
}

static int seal_and_send(struct peer *peer, struct peer_exchange *exchange, http_done done, struct error *err)
{
	const struct platform *p = peer->platform;
	struct buffer body;
	int result = FC_OK;

	buffer_init(&body, (size_t)PLATFORM_MESSAGE_MAX * 2);
	if (exchange->plain && buffer_add(&body, exchange->json.data, exchange->json.len))
		result = error_set(err, FC_ELIMIT, "upstream: request: too large");
	else if (!exchange->plain)
		result = envelope_seal_request(&p->theirs, p->config->gateway.operator_id, &keeper(peer)->sequence,
					       clock_wall(), exchange->json.data, exchange->json.len, &body, err);
	if (!result)
		result = http_client_post(peer->http, exchange->path,
					  exchange->authorization[0] ? exchange->authorization : NULL,
					  "application/json;charset=utf-8", body.data, body.len,
					  p->options->request_timeout_ms, done, exchange, err);
	buffer_fini(&body);
	return result;
}

/* Nonzero when the exchange goes on: its connection had been closed while it rested, which says nothing of the platform. */
static int went_again(struct peer *peer, struct peer_exchange *exchange, const struct http_result *result,
		      http_done done)
{
	struct error err = {0};

	if (result->status || !result->stale || exchange->resent)
		return 0;
	exchange->resent = 1;
	return !seal_and_send(peer, exchange, done, &err);
}

static int post(struct peer *peer, struct peer_exchange *exchange, struct value *request, struct arena *arena,
		http_done done, struct error *err)
{
	const struct platform *p = peer->platform;
	const struct codec codec = platform_codec(p);

	buffer_init(&exchange->json, PLATFORM_MESSAGE_MAX);
	const char *path = mapping_path(p->mapping, exchange->message);
	/* One with a / in front is the whole path. */
	int n = snprintf(exchange->path, sizeof(exchange->path), "%s%s%s", *path == '/' ? "" : peer->url.prefix,
			 *path == '/' ? "" : "/", path);
	if (n < 0 || (size_t)n >= sizeof(exchange->path))
		return error_set(err, FC_ELIMIT, "upstream: %s: path too long", exchange->message->method);
	int result = codec_encode(&codec, exchange->message, MESSAGE_REQUEST, request, arena, &exchange->json, err);
	return result ? result : seal_and_send(peer, exchange, done, err);
}

/* Log-in -------------------------------------------------------------------------------------------------------- */

static const struct message *login_message(void)
{
	return message_find("query_token");
}

static int has_token(const struct peer *peer)
{
	const struct platform *hub = peer->platform->hub;
	const struct peer *holder = hub != peer->platform && hub->client ? client_peer(hub->client) : peer;

	return token_client_get(&holder->token, clock_mono_ms()) != NULL;
}

static int needs_token(const struct peer *peer)
{
	return mapping_enabled(peer->platform->mapping, login_message(), peer->platform->options);
}

static void login_failed(struct peer *peer, enum peer_outcome outcome)
{
	int64_t delay_ms = (int64_t)peer->platform->options->retry_s * 1000;

	if ((outcome == PEER_REFUSED || outcome == PEER_TOKEN) && delay_ms < REFUSED_RETRY_MS)
		delay_ms = REFUSED_RETRY_MS;
	peer->login_not_before_ms = clock_mono_ms() + delay_ms;
	wake(peer, delay_ms);
}

static enum peer_outcome take_token(struct peer *peer, const struct peer_exchange *exchange, const struct value *answer)
{
	struct error err = {0};

	if (token_client_take(&peer->token, answer, exchange->sent_ms, &err)) {
		trouble(peer, LOG_LEVEL_ERROR, exchange->message->method, err.text);
		return PEER_REFUSED;
	}
	peer->token_number++;
	return PEER_DONE;
}

static void login_done(void *user, const struct http_result *result)
{
	struct peer_exchange *exchange = user;
	struct peer *peer = exchange->peer;
	struct value *answer = NULL;
	struct arena arena;
	if (!peer->closing && went_again(peer, exchange, result, login_done))
		return;
	peer->login_busy = 0;
	if (peer->closing) {
		free_exchange(exchange);
		return;
	}
	arena_init(&arena, PLATFORM_MEMORY_MAX);
	enum peer_outcome outcome = judge(peer, exchange, result, &arena, &answer);
	if (outcome == PEER_TOKEN)
		trouble(peer, LOG_LEVEL_ERROR, exchange->message->method, "refused: Ret 4002");
	if (outcome == PEER_DONE)
		outcome = take_token(peer, exchange, answer);
	arena_fini(&arena);
	free_exchange(exchange);
	if (outcome != PEER_DONE) {
		login_failed(peer, outcome);
		return;
	}
	success(peer);
	peer->login_not_before_ms = 0;
	wake(peer,
	     CHECK_MS < peer->token.refresh_ms - clock_mono_ms() ? CHECK_MS : peer->token.refresh_ms - clock_mono_ms());
	peer->ready(peer->user);
}

static void login(struct peer *peer)
{
	const struct platform *p = peer->platform;
	struct peer_exchange *exchange = calloc(1, sizeof(*exchange));
	struct error err = {0};
	struct arena arena;

	if (!exchange) {
		login_failed(peer, PEER_UNREACHED);
		return;
	}
	exchange->peer = peer;
	exchange->message = login_message();
	exchange->sent_ms = clock_mono_ms();
	arena_init(&arena, PLATFORM_MEMORY_MAX);
	struct value *request =
	    token_request(&arena, p->config->gateway.operator_id, p->options->theirs.operator_secret);
	int result = post(peer, exchange, request, &arena, login_done, &err);
	arena_fini(&arena);
	if (!result) {
		peer->login_busy = 1;
		return;
	}
	free_exchange(exchange);
	trouble(peer, LOG_LEVEL_WARNING, login_message()->method, err.text);
	login_failed(peer, PEER_UNREACHED);
}

/* Looks whether a token is due. Also runs from time to time when none is: options may have changed. */
static void login_if_due(void *user)
{
	struct peer *peer = user;
	int64_t now = clock_mono_ms();

	if (peer->login_busy)
		return;
	if (!needs_token(peer)) {
		wake(peer, CHECK_MS);
		peer->ready(peer->user);
		return;
	}
	if (keeper(peer) != peer) {
		wake(peer, has_token(peer) ? CHECK_MS : HUB_MS);
		if (has_token(peer))
			peer->ready(peer->user);
		return;
	}
	if (!token_client_due(&peer->token, now)) {
		int64_t left = peer->token.refresh_ms - now;

		wake(peer, left < CHECK_MS ? left : CHECK_MS);
		return;
	}
	if (now < peer->login_not_before_ms) {
		wake(peer, peer->login_not_before_ms - now);
		return;
	}
	login(peer);
}

/* Calls --------------------------------------------------------------------------------------------------------- */

static void call_done(void *user, const struct http_result *result)
{
	struct peer_exchange *exchange = user;
	struct peer *peer = exchange->peer;
	struct value *answer = NULL;
	struct arena arena;
	if (peer->closing) {
		free_exchange(exchange);
		return;
	}
	if (went_again(peer, exchange, result, call_done))
		return;
	arena_init(&arena, PLATFORM_MEMORY_MAX);
	enum peer_outcome outcome = judge(peer, exchange, result, &arena, &answer);
	if (outcome == PEER_DONE)
		success(peer);
	struct peer *holder = keeper(peer);
	if (outcome == PEER_TOKEN && exchange->token_number == holder->token_number) {
		log_info("upstream: %s: %s: Ret 4002: new token", peer->platform->options->name,
			 exchange->message->method);
		token_client_drop(&holder->token, NULL);
		wake(holder, 0);
		if (holder != peer)
			wake(peer, HUB_MS);
	}
	exchange->done(exchange->user, outcome, answer);
	arena_fini(&arena);
	free_exchange(exchange);
}

static void rested(void *user)
{
	struct peer *peer = user;

	peer->resting = 0;
	peer->ready(peer->user);
}

/* A backlog of days must not fall upon the platform at once. */
static void count_call(struct peer *peer)
{
	int per_s = peer->platform->options->push_rate_per_s;

	if (per_s < 1)
		return;
	(void)platform_rate_take(&peer->rate, per_s, clock_mono_ms());
	int64_t wait_ms = platform_rate_wait_ms(&peer->rate, per_s);
	if (wait_ms)
		peer->resting = !loop_timer_set(peer->platform->loop, &peer->rest, wait_ms * 1000);
}

int peer_call(struct peer *peer, const struct message *message, struct value *request, struct arena *arena,
	      peer_done done, void *user, struct error *err)
{
	if (!peer_ready(peer))
		return error_set(err, FC_EBUSY, "upstream: %s: no token yet", message->method);
	struct peer_exchange *exchange = calloc(1, sizeof(*exchange));
	if (!exchange)
		return error_set(err, FC_EBUSY, "upstream: %s: no memory", message->method);
	exchange->peer = peer;
	exchange->message = message;
	exchange->token_number = keeper(peer)->token_number;
	exchange->sent_ms = clock_mono_ms();
	exchange->done = done;
	exchange->user = user;
	exchange->plain = mapping_plain(peer->platform->mapping, message);
	if (needs_token(peer) && !exchange->plain)
		(void)snprintf(exchange->authorization, sizeof(exchange->authorization), "Bearer %s",
			       keeper(peer)->token.text);
	int result = post(peer, exchange, request, arena, call_done, err);
	if (result)
		free_exchange(exchange);
	else
		count_call(peer);
	return result;
}

static int can_call(const struct peer *peer)
{
	return !needs_token(peer) || has_token(peer);
}

int peer_ready(const struct peer *peer)
{
	return !peer->resting && can_call(peer);
}

int peer_linked(const struct peer *peer)
{
	return peer->last_ok && can_call(peer);
}

void peer_changed(struct peer *peer)
{
	wake(peer, 0);
}

static int64_t to_next_second_ms(void)
{
	enum { LATE_MS = 20 }; /* time() lags behind by up to a tick of the kernel */
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return 1000 - now.tv_nsec / 1000000 + LATE_MS;
}

struct peer *peer_new(struct platform *platform, int in_flight, void (*ready)(void *user), void *user,
		      struct error *err)
{
	const struct config_platform *o = platform->options;
	struct error why = {0};
	struct peer *peer = calloc(1, sizeof(*peer));

	if (!peer) {
		(void)error_set(err, FC_ENOMEM, "upstream: platform %s: no memory", o->name);
		return NULL;
	}
	peer->platform = platform;
	peer->ready = ready;
	peer->user = user;
	peer->timer = (struct loop_timer){.fn = login_if_due, .user = peer};
	peer->rest = (struct loop_timer){.fn = rested, .user = peer};
	if (peer_url_parse(o->url, &peer->url)) {
		(void)error_set(err, FC_EINVAL, "upstream: platform %s: url: not http(s)://host[:port][/prefix]",
				o->name);
		free(peer);
		return NULL;
	}
	const struct http_client_config config = {
	    .name = o->name,
	    .host = peer->url.host,
	    .port = peer->url.port,
	    .tls = peer->url.tls,
	    .ca = o->ca[0] ? o->ca : NULL,
	    .certificate = o->certificate[0] ? o->certificate : NULL,
	    .key = o->key[0] ? o->key : NULL,
	    .no_verify = !o->verify,
	    .no_resend = 1,
	    .max_in_flight = in_flight,
	};
	peer->http = http_client_new(platform->loop, &config, &why);
	/* The second of the start may be that of the last end, and its pairs of TimeStamp and Seq may have been used. */
	peer->login_not_before_ms = clock_mono_ms() + to_next_second_ms();
	if (!peer->http || loop_timer_set(platform->loop, &peer->timer, 1)) {
		(void)error_set(err, FC_EIO, "upstream: platform %s: %s", o->name,
				peer->http ? "timer: no memory" : why.text);
		peer_free(peer);
		return NULL;
	}
	return peer;
}

void peer_free(struct peer *peer)
{
	if (!peer)
		return;
	peer->closing = 1;
	loop_timer_cancel(peer->platform->loop, &peer->timer);
	loop_timer_cancel(peer->platform->loop, &peer->rest);
	if (peer->http)
		http_client_free(peer->http);
	explicit_bzero(peer, sizeof(*peer));
	free(peer);
}
