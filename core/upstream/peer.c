#include "upstream/peer_exchange.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "upstream/client.h"
#include "upstream/peer_judge.h"

enum { REFUSED_RETRY_MS = 600000, CHECK_MS = 60000, HUB_MS = 1000 };

/* Trouble ------------------------------------------------------------------------------------------------------- */

static const char *without(const char *text, const char *prefix)
{
	size_t len = strlen(prefix);

	return !strncmp(text, prefix, len) && !strncmp(text + len, ": ", 2) ? text + len + 2 : text;
}

/* level error: people must act; warning: it may heal by itself. The same text is logged once until a success. */
static void trouble(struct peer *peer, enum log_level level, const char *key, const char *method, const char *what)
{
	struct platform *p = peer->platform;

	if (peer->last_ok || !p->since_wall)
		p->since_wall = clock_wall();
	/* Others name their room, the platform and the method themselves. */
	what = without(without(without(without(what, "upstream"), "loop"), p->options->name), method);
	p->error_key = key;
	(void)snprintf(p->last_error, sizeof(p->last_error), "%s: %s", method, what);
	p->last_error_wall = clock_wall();
	peer->last_ok = 0;
	if (!strcmp(peer->said, p->last_error))
		return;
	memcpy(peer->said, p->last_error, sizeof(peer->said));
	log_line(level, "upstream: %s: %s", p->options->name, p->last_error);
}

void peer_complain(struct peer *peer, const char *method, const char *what)
{
	trouble(peer, LOG_LEVEL_ERROR, "platform.ret", method, what);
}

static void success(struct peer *peer)
{
	struct platform *p = peer->platform;

	if (peer->said[0])
		log_notice("upstream: %s: calls go through again", p->options->name);
	peer->said[0] = '\0';
	p->last_error[0] = '\0';
	p->error_key = NULL;
	if (!peer->last_ok)
		p->since_wall = clock_wall();
	peer->last_ok = 1;
	peer->through_ms = clock_mono_ms();
}

static enum call_outcome outcome_of(enum peer_outcome outcome)
{
	switch (outcome) {
	case PEER_DONE:
		return CALL_ACCEPTED;
	case PEER_UNREACHED:
		return CALL_UNREACHED;
	case PEER_BUSY:
		return CALL_BUSY;
	case PEER_TOKEN:
		return CALL_TOKEN;
	case PEER_REFUSED:
		break;
	}
	return CALL_REFUSED;
}

/* For who asks later what passed. recorded: the answer's number in the recorder. */
static void note_call(const struct peer *peer, const struct peer_exchange *exchange, const struct http_result *result,
		      const struct peer_verdict *verdict, uint64_t recorded)
{
	struct call call = {
	    .message = exchange->message,
	    .direction = MAPPING_OUT,
	    .outcome = outcome_of(verdict->outcome),
	    .status = result->status,
	    .has_ret = verdict->has_ret,
	    .ret = verdict->ret,
	    .is_test = exchange->flaw != PEER_NO_FLAW,
	    .wall_ms = exchange->wall_ms,
	    .duration_us = clock_mono_us() - exchange->sent_us,
	    .request_bytes = exchange->bytes,
	    .answer_bytes = (uint32_t)result->body_len,
	    .request = exchange->recorded,
	    .answer = recorded,
	};
	const struct platform_bodies bodies = {
	    .answer = verdict->json, .answer_len = verdict->json_len, .sig_ok = verdict->sig_ok || exchange->plain};

	(void)platform_called(peer->platform, &call, verdict->trouble.text, &bodies);
}

/* What became of a call, said aloud where it is trouble. */
static enum peer_outcome judge(struct peer *peer, const struct peer_exchange *exchange,
			       const struct http_result *result, struct arena *arena, struct value **answer)
{
	uint64_t before = recorder_newest(peer->platform->recorder);
	struct peer_verdict verdict;

	peer_judge(peer->platform, exchange->message, exchange->plain, result, arena, &verdict);
	uint64_t after = recorder_newest(peer->platform->recorder);
	note_call(peer, exchange, result, &verdict, after > before ? after : 0);
	/* That it is refused is what was wanted. */
	if (verdict.trouble.text[0] && exchange->flaw == PEER_NO_FLAW)
		trouble(peer, verdict.level, verdict.key, exchange->message->method, verdict.trouble.text);
	*answer = verdict.answer;
	(void)snprintf(peer->told_text, sizeof(peer->told_text), "%.*s", (int)sizeof(peer->told_text) - 1,
		       verdict.trouble.text);
	peer->told = (struct peer_told){.has_ret = verdict.has_ret,
					.ret = verdict.ret,
					.duration_ms = clock_mono_ms() - exchange->sent_ms,
					.text = peer->told_text};
	return verdict.outcome;
}

const struct peer_told *peer_told(const struct peer *peer)
{
	return &peer->told;
}

/* Exchange ------------------------------------------------------------------------------------------------------ */

static void wake(struct peer *peer, int64_t delay_ms)
{
	if (loop_timer_set(peer->platform->loop, &peer->timer, delay_ms > 0 ? delay_ms * 1000 : 1))
		log_error("upstream: %s: timer: no memory", peer->platform->options->name);
}

/* A platform that has too much to do is left alone by all messages. */
static void heed(struct peer *peer, const struct http_result *result)
{
	const struct platform *p = peer->platform;
	int64_t pause_ms = backoff_answered(&peer->backoff, result->status, result->retry_after_s,
					    (int64_t)p->options->retry_s * 1000, clock_mono_ms());

	if (!pause_ms)
		return;
	peer->resting = !loop_timer_set(p->loop, &peer->rest, pause_ms * 1000);
	if (peer->backoff.rests == 1)
		log_notice("upstream: %s: HTTP %d: nothing is sent for %lld s", p->options->name, result->status,
			   (long long)(pause_ms / 1000));
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
	int64_t rest_ms = backoff_left_ms(&peer->backoff, clock_mono_ms());

	if ((outcome == PEER_REFUSED || outcome == PEER_TOKEN) && delay_ms < REFUSED_RETRY_MS)
		delay_ms = REFUSED_RETRY_MS;
	delay_ms = backoff_spread_ms(&peer->backoff, delay_ms);
	if (delay_ms < rest_ms)
		delay_ms = rest_ms;
	peer->login_not_before_ms = clock_mono_ms() + delay_ms;
	wake(peer, delay_ms);
}

static enum peer_outcome take_token(struct peer *peer, const struct peer_exchange *exchange, const struct value *answer)
{
	struct error err = {0};

	if (token_client_take(&peer->token, answer, exchange->sent_ms, &err)) {
		trouble(peer, LOG_LEVEL_ERROR, "platform.ret", exchange->message->method, err.text);
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
	if (!peer->closing && peer_went_again(peer, exchange, result, login_done))
		return;
	peer->login_busy = 0;
	if (peer->closing) {
		peer_exchange_free(exchange);
		return;
	}
	heed(peer, result);
	arena_init(&arena, PLATFORM_MEMORY_MAX);
	enum peer_outcome outcome = judge(peer, exchange, result, &arena, &answer);
	if (outcome == PEER_TOKEN)
		trouble(peer, LOG_LEVEL_ERROR, "platform.ret", exchange->message->method, "refused: Ret 4002");
	if (outcome == PEER_DONE)
		outcome = take_token(peer, exchange, answer);
	arena_fini(&arena);
	peer_exchange_free(exchange);
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
	int result = peer_post(peer, exchange, request, &arena, login_done, &err);
	arena_fini(&arena);
	if (!result) {
		peer->login_busy = 1;
		return;
	}
	peer_exchange_free(exchange);
	trouble(peer, LOG_LEVEL_WARNING, "platform.error", login_message()->method, err.text);
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
	if (peer_keeper(peer) != peer) {
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
	int64_t rest_ms = backoff_left_ms(&peer->backoff, now);
	if (peer->login_not_before_ms < now + rest_ms)
		peer->login_not_before_ms = now + rest_ms;
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
		peer_exchange_free(exchange);
		return;
	}
	if (peer_went_again(peer, exchange, result, call_done))
		return;
	arena_init(&arena, PLATFORM_MEMORY_MAX);
	enum peer_outcome outcome = judge(peer, exchange, result, &arena, &answer);
	if (exchange->flaw != PEER_NO_FLAW) {
		exchange->done(exchange->user, outcome, answer);
		arena_fini(&arena);
		peer_exchange_free(exchange);
		return;
	}
	heed(peer, result);
	if (outcome == PEER_DONE)
		success(peer);
	struct peer *holder = peer_keeper(peer);
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
	peer_exchange_free(exchange);
}

static void rested(void *user)
{
	struct peer *peer = user;
	int64_t left_ms = backoff_left_ms(&peer->backoff, clock_mono_ms());

	peer->resting = left_ms && !loop_timer_set(peer->platform->loop, &peer->rest, left_ms * 1000);
	if (peer->resting)
		return;
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
	return peer_call_flawed(peer, PEER_NO_FLAW, message, request, arena, done, user, err);
}

int peer_call_flawed(struct peer *peer, enum peer_flaw flaw, const struct message *message, struct value *request,
		     struct arena *arena, peer_done done, void *user, struct error *err)
{
	static const char wrong_token[] = "a-token-that-was-never-issued";

	if (!peer_ready(peer))
		return error_set(err, FC_EBUSY, "upstream: %s: no token yet", message->method);
	struct peer_exchange *exchange = calloc(1, sizeof(*exchange));
	if (!exchange)
		return error_set(err, FC_EBUSY, "upstream: %s: no memory", message->method);
	exchange->peer = peer;
	exchange->message = message;
	exchange->token_number = peer_keeper(peer)->token_number;
	exchange->sent_ms = clock_mono_ms();
	exchange->done = done;
	exchange->user = user;
	exchange->plain = mapping_plain(peer->platform->mapping, message);
	exchange->flaw = flaw;
	if (needs_token(peer) && !exchange->plain && message != login_message())
		(void)snprintf(exchange->authorization, sizeof(exchange->authorization), "Bearer %s",
			       flaw == PEER_FLAW_TOKEN ? wrong_token : peer_keeper(peer)->token.text);
	int result = peer_post(peer, exchange, request, arena, call_done, err);
	if (result)
		peer_exchange_free(exchange);
	else
		count_call(peer);
	return result;
}

int peer_login(struct peer *peer)
{
	if (!needs_token(peer) || peer_keeper(peer) != peer)
		return FC_EINVAL;
	if (peer->login_busy)
		return FC_EBUSY;
	login(peer);
	return peer->login_busy ? FC_OK : FC_EIO;
}

int64_t peer_token_life_ms(const struct peer *peer)
{
	const struct platform *hub = peer->platform->hub;
	const struct peer *holder = hub != peer->platform && hub->client ? client_peer(hub->client) : peer;

	return has_token(peer) ? holder->token.expires_ms - clock_mono_ms() : -1;
}

static int can_call(const struct peer *peer)
{
	return !needs_token(peer) || has_token(peer);
}

int peer_ready(const struct peer *peer)
{
	return !peer->resting && can_call(peer);
}

int64_t peer_pause_ms(struct peer *peer, int64_t pause_ms)
{
	return backoff_spread_ms(&peer->backoff, pause_ms);
}

int64_t peer_through_ms(const struct peer *peer)
{
	return peer->through_ms;
}

int peer_linked(const struct peer *peer)
{
	return peer->last_ok && can_call(peer);
}

void peer_changed(struct peer *peer)
{
	wake(peer, 0);
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
	backoff_init(&peer->backoff, backoff_seed());
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
	envelope_sequence_begin(&peer->sequence, clock_wall_ms());
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
