/* Requests that we fetch from a platform that can't call in (upstream/pull.h), on a whole station (world.h): the platform's answers to
 * query_pending_requests and to what we tell it, as the input has them. Steps of a byte:
 *
 *   0   an answer object as the following line has it      1   the line is a request's parameters, sealed as the platform would
 *   2   what we told last was taken, or refused, or lost (the next byte)      3   time passes
 *
 * A request in hand is answered once; never is more fetched than there is room for. */
#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/maker.h"
#include "upstream/message_pull.h"
#include "upstream/pull.h"
#include "world.h"

enum { STEPS_MAX = 24, MEMORY = 4 << 20, CALLS = 4 };

static struct envelope_keys keys;
static struct envelope_sequence sequence;
static struct pull *pull;
static int64_t now_ms;

static struct call_under_way {
	const struct message *message;
	peer_done done;
	void *user;
} calls[CALLS];

int __wrap_peer_ready(const struct peer *peer);
int64_t __wrap_peer_pause_ms(struct peer *peer, int64_t pause_ms);
int __wrap_peer_call(struct peer *peer, const struct message *message, struct value *request, struct arena *arena,
		     peer_done done, void *user, struct error *err);

int64_t __wrap_peer_pause_ms(struct peer *peer, int64_t pause_ms)
{
	(void)peer;
	return pause_ms;
}

int __wrap_peer_ready(const struct peer *peer)
{
	(void)peer;
	return 1;
}

int __wrap_peer_call(struct peer *peer, const struct message *message, struct value *request, struct arena *arena,
		     peer_done done, void *user, struct error *err)
{
	struct buffer text;
	int at = 0;

	(void)peer, (void)arena;
	if (message != &message_pull_fetch && message != &message_pull_answer)
		return error_set(err, FC_EBUSY, "not now");
	buffer_init(&text, PLATFORM_MESSAGE_MAX * 2);
	fuzz_check(json_write(&text, request) == FC_OK);
	if (fuzz_shows())
		fprintf(stderr, "  %s: %.400s\n", message->method, text.data);
	buffer_fini(&text);
	if (message == &message_pull_answer)
		fuzz_check(value_text(value_get(request, "RequestID")) && value_text(value_get(request, "Envelope")));
	while (calls[at].done)
		fuzz_check(++at < PULL_CALLS);
	calls[at] = (struct call_under_way){message, done, user};
	return FC_OK;
}

static void end_call(const struct message *message, enum peer_outcome outcome, const struct value *answer)
{
	for (int i = 0; i < CALLS; i++) {
		const struct call_under_way call = calls[i];

		if (!call.done || call.message != message)
			continue;
		calls[i] = (struct call_under_way){0};
		call.done(call.user, outcome, answer);
		return;
	}
}

static void wake(void *user)
{
	(void)user;
}

static void pump(void)
{
	int64_t sleep_ms = pull_pump(pull, now_ms);

	fuzz_check(sleep_ms > 0);
	fuzz_check(pull_waiting(pull) <= PULL_KEPT);
	now_ms += sleep_ms;
}

/* The text is what was decrypted. */
static void fetched(const struct codec *codec, const char *text, size_t len)
{
	struct value *answer = NULL;
	struct arena arena;
	struct error err = {0};

	arena_init(&arena, MEMORY);
	int result = codec_decode(codec, &message_pull_fetch, MESSAGE_ANSWER, text, len, &arena, &answer, &err);
	end_call(&message_pull_fetch, PEER_DONE, result ? NULL : answer);
	arena_fini(&arena);
}

/* As a platform would list it: number, interface, token and envelope. */
static void fetched_one(const struct codec *codec, unsigned method, const char *token, const char *parameters)
{
	struct arena arena;
	struct buffer body, text;
	char id[16];

	arena_init(&arena, MEMORY);
	buffer_init(&body, MEMORY);
	buffer_init(&text, MEMORY);
	struct maker m = {.arena = &arena};
	struct value *answer = value_object(&arena), *list = value_array(&arena), *request = value_object(&arena);
	(void)envelope_seal_request(&keys, "987654321", &sequence, clock_wall(), parameters, strlen(parameters), &body,
				    NULL);
	(void)snprintf(id, sizeof(id), "%u", method % 8);
	maker_text(&m, request, "RequestID", id);
	maker_text(&m, request, "Interface", message_at((int)(method % (unsigned)message_count()))->method);
	maker_text(&m, request, "Authorization", token);
	maker_text(&m, request, "Envelope", body.data ? body.data : "");
	maker_push(&m, list, request);
	maker_put(&m, answer, "PendingRequests", list);
	if (!m.failed && !json_write(&text, answer))
		fetched(codec, text.data, text.len);
	buffer_fini(&text);
	buffer_fini(&body);
	arena_fini(&arena);
}

/* Until a fetch is under way. */
static void until_fetch(void)
{
	for (int i = 0; i < 80; i++) {
		for (int c = 0; c < CALLS; c++)
			if (calls[c].message == &message_pull_fetch)
				return;
		pump();
	}
}

static void told(unsigned how)
{
	struct arena arena;
	struct maker m = {.arena = &arena};

	arena_init(&arena, MEMORY);
	struct value *answer = value_object(&arena);
	maker_int(&m, answer, "SuccStat", how & 1);
	end_call(&message_pull_answer,
		 (enum peer_outcome)(how >> 1 & 7) > PEER_REFUSED ? PEER_DONE : (enum peer_outcome)(how >> 1 & 7),
		 how & 16 ? NULL : answer);
	arena_fini(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = {data, size};
	struct world *w = world_get();
	struct platform *platform = w->platforms->platforms[0];
	const struct codec codec = platform_codec(platform);
	struct config_platform options = *platform->options;
	const struct config_platform *before = platform->options;
	char token[TOKEN_SIZE], bearer[TOKEN_SIZE + 16], *line;

	if (!keys.sig_secret_len)
		fuzz_check(envelope_keys_set(&keys, WORLD_SECRET, WORLD_SECRET, WORLD_SECRET, NULL) == FC_OK);
	options.pull_s = 5;
	platform->options = &options;
	platform->rate = (struct platform_rate){0};
	fuzz_check(token_issue(&platform->tokens, clock_mono_ms(), token, NULL) == FC_OK);
	(void)snprintf(bearer, sizeof(bearer), "Bearer %s", token);
	pull = pull_new(platform, NULL, wake, NULL);
	fuzz_check(pull);
	now_ms = clock_mono_ms() + 1;
	for (int i = 0; i < STEPS_MAX && in.left; i++) {
		unsigned op = fuzz_byte(&in), how;

		switch (op % 4) {
		case 0:
			line = fuzz_line(&in);
			until_fetch();
			fetched(&codec, line, strlen(line));
			free(line);
			break;
		case 1:
			how = fuzz_byte(&in);
			line = fuzz_line(&in);
			until_fetch();
			fetched_one(&codec, how, op & 4 ? "" : bearer, line);
			free(line);
			break;
		case 2:
			told(fuzz_byte(&in));
			break;
		default:
			break;
		}
		pump();
	}
	pull_free(pull);
	memset(calls, 0, sizeof(calls));
	platform->options = before;
	world_settle(w);
	return 0;
}
