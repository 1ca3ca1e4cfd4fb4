/* Calls of platforms, as they reach the handler of a listen section, on a whole station (world.h). An input is some calls, each two bytes
 * and a line: how, which method, and the parameters (or whatever comes in their place).
 *
 *   how & 3      who: "city", "second" on the same path, "bare", or what the line's first words say: path, Authorization, the body
 *   how & 4      the body is the line as it is, else it is sealed as that platform would
 *   how & 8      a wrong token
 *   how & 16     the chargers go on: a car comes, its current flows, it goes; the line is not a call then
 *   how & 32     sealed, but a byte of it is another
 *
 * $SEQ in a line is an order's number that no input before had.
 *
 * An answer is one by the standard: signed, encrypted, of its schema with all that is required. */
#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "world.h"
#include "world_edge.h"

enum { CALLS_MAX = 8, MEMORY = 8 << 20 };
enum { WHO = 3, RAW = 4, WRONG_TOKEN = 8, CHARGERS = 16, BROKEN = 32 };

static struct envelope_keys keys;
static struct envelope_sequence sequence;
static struct json_reader *reader;

static const struct caller {
	const char *operator_id, *prefix;
} callers[] = {{"987654321", "/evcs/v20160701"}, {"987654322", "/evcs/v20160701"}, {"987654323", "/bare"}};
static char tokens[3][TOKEN_SIZE + 16];

struct call_of {
	const struct message *message;
	const struct caller *caller; /* NULL: nobody in particular */
	struct arena arena;
	struct http_response response;
	char *plain; /* of the answer */
	size_t plain_len;
};

/* A copy of line with the first $SEQ as this input's number; line is freed. */
static char *filled(char *line, unsigned long number)
{
	char *at = strstr(line, "$SEQ");
	size_t size = strlen(line) + 32;
	char *copy = at ? malloc(size) : NULL;

	if (!copy)
		return line;
	(void)snprintf(copy, size, "%.*s123456789%018lu%s", (int)(at - line), line, number, at + 4);
	free(line);
	return copy;
}

static void check_ret(int ret)
{
	fuzz_check(ret == RET_BUSY || ret == RET_OK || ret == RET_SIGNATURE || ret == RET_TOKEN ||
		   ret == RET_ENVELOPE || ret == RET_PARAMETER);
}

static void check_answer(struct call_of *c)
{
	struct codec codec = {.reader = reader, .context = {"123456789", "987654321", "city"}};
	struct envelope_response envelope;
	struct value *tree;
	struct error err = {0};

	int result = envelope_open_response(&keys, reader, CONFIG_SIG_OFF, c->response.body.data, c->response.body.len,
					    &c->arena, &envelope, &err);
	/* Without an envelope on the bare interfaces. */
	if (c->caller != &callers[0]) {
		c->plain = result ? NULL : envelope.plain;
		c->plain_len = result ? 0 : envelope.plain_len;
		return;
	}
	fuzz_check(result == FC_OK);
	if (fuzz_shows())
		fprintf(stderr, "  %s: %d %s %s\n", c->message->method, envelope.ret, envelope.msg,
			envelope.plain ? envelope.plain : "");
	check_ret(envelope.ret);
	/* Who can't be told gets an answer that nobody signed. */
	fuzz_check(envelope.sig_ok || envelope.ret == RET_ENVELOPE);
	if (envelope.ret)
		return;
	fuzz_check(envelope.plain);
	c->plain = envelope.plain;
	c->plain_len = envelope.plain_len;
	result = codec_decode(&codec, c->message, MESSAGE_ANSWER, envelope.plain, envelope.plain_len, &c->arena, &tree,
			      &err);
	if (!result)
		result = message_check(message_schema(c->message, MESSAGE_ANSWER), tree, 1, &c->arena, &err);
	if (result)
		fprintf(stderr, "%s: %s: %s\n", c->message->method, err.text, envelope.plain);
	fuzz_check(result == FC_OK);
}

static void send(struct world *w, struct call_of *c, const struct http_request *http)
{
	const struct server_routes routes = {.platforms = w->platforms->platforms,
					     .count = w->platforms->count,
					     .listen = "public",
					     .reader = w->platforms->reader};

	c->response = (struct http_response){.status = 200, .content_type = "application/json;charset=utf-8"};
	buffer_init(&c->response.body, PLATFORM_MESSAGE_MAX);
	server_answer(&routes, http, &c->response);
	edge_check(&c->response);
	fuzz_check(c->response.status == 200 || c->response.status == 404 || c->response.status == 405);
	if (c->response.status == 200 && c->caller)
		check_answer(c);
}

static void seal(const struct caller *caller, const char *json, size_t len, struct buffer *out)
{
	fuzz_check(envelope_seal_request(&keys, caller->operator_id, &sequence, clock_wall(), json, len, out, NULL) ==
		       FC_OK ||
		   sequence.seq == ENVELOPE_SEQ_MAX);
}

static void call(struct world *w, unsigned how, unsigned method, char *line)
{
	struct call_of c = {.message = message_at((int)(method % (unsigned)message_count()))};
	struct http_request http = {.method = how & 64 && how & 128 ? "GET" : "POST",
				    .query = "",
				    .authorization = "",
				    .content_type = "application/json",
				    .cookie = "",
				    .host = "",
				    .origin = "",
				    .fetch_site = "",
				    .csrf = "",
				    .if_none_match = "",
				    .peer = "127.0.0.1",
				    .peer_name = ""};
	struct buffer body;
	char path[128];

	arena_init(&c.arena, MEMORY);
	buffer_init(&body, MEMORY);
	if ((how & WHO) == WHO) {
		/* A path, an Authorization with a blank as _, and a body. */
		char *authorization = strchr(line, ' '), *rest = authorization ? strchr(authorization + 1, ' ') : NULL;

		http.path = line;
		if (authorization)
			*authorization++ = '\0';
		if (rest)
			*rest++ = '\0';
		for (char *at = authorization; at && *at; at++)
			*at = *at == '_' ? ' ' : *at;
		http.authorization = authorization ? authorization : "";
		(void)buffer_text(&body, rest ? rest : "");
	} else {
		c.caller = &callers[how & WHO];
		(void)snprintf(path, sizeof(path), "%s/%s", c.caller->prefix, c.message->method);
		http.path = path;
		http.authorization = how & WRONG_TOKEN ? "Bearer 0123456789" : tokens[how & WHO];
		if (how & RAW)
			(void)buffer_text(&body, line);
		else
			seal(c.caller, line, strlen(line), &body);
		if (how & BROKEN && body.len)
			body.data[method % body.len] ^= 1;
	}
	http.body = body.data ? body.data : "";
	http.body_len = body.len;
	send(w, &c, &http);
	buffer_fini(&c.response.body);
	buffer_fini(&body);
	arena_fini(&c.arena);
}

/* Every platform has a token: without it nothing else is seen. */
static void log_in(struct world *w)
{
	const struct message *query = message_find("query_token");
	char json[160], path[128];

	for (int i = 0; i < 3; i++) {
		struct call_of c = {.message = query, .caller = &callers[i]};
		struct value *answer;
		struct buffer body;

		arena_init(&c.arena, MEMORY);
		buffer_init(&body, MEMORY);
		(void)snprintf(json, sizeof(json), "{\"OperatorID\":\"%s\",\"OperatorSecret\":\"%s\"}",
			       callers[i].operator_id, WORLD_SECRET);
		(void)snprintf(path, sizeof(path), "%s/query_token", callers[i].prefix);
		seal(&callers[i], json, strlen(json), &body);
		const struct http_request http = {.method = "POST",
						  .path = path,
						  .query = "",
						  .authorization = "",
						  .content_type = "application/json",
						  .cookie = "",
						  .peer = "127.0.0.1",
						  .peer_name = "",
						  .body = body.data,
						  .body_len = body.len};
		send(w, &c, &http);
		fuzz_check(c.plain);
		fuzz_check(json_read(reader, c.plain, c.plain_len, &c.arena, &answer, NULL) == FC_OK);
		const char *token = value_text(value_get(answer, "AccessToken"));
		fuzz_check(token && *token);
		(void)snprintf(tokens[i], sizeof(tokens[i]), "Bearer %s", token);
		buffer_fini(&c.response.body);
		buffer_fini(&body);
		arena_fini(&c.arena);
	}
}

/* The tokens last, and so does what may be asked a second. */
static void tend(struct world *w)
{
	int is_known = 1;

	for (int i = 0; i < w->platforms->count; i++) {
		struct platform *p = w->platforms->platforms[i];

		p->rate = p->plain_rate = (struct platform_rate){0};
		is_known &= token_check(&p->tokens, tokens[i], clock_mono_ms()) == FC_OK;
	}
	if (!is_known)
		log_in(w);
}

/* A register of the first connectors: state, fault, the meter. */
static void go_on(struct world *w, unsigned how, unsigned value)
{
	static const unsigned addresses[] = {0, 1, 7, 100};

	world_set(how >> 6 & 1 ? 2 : 1, addresses[how & 3], (how & 3) == 2 ? value * 100 : value % 10);
	world_poll(w);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = {data, size};
	struct world *w = world_get();
	static unsigned long number;

	number++;
	if (!reader) {
		reader = json_reader_new(0);
		fuzz_check(envelope_keys_set(&keys, WORLD_SECRET, WORLD_SECRET, WORLD_SECRET, NULL) == FC_OK);
	}
	tend(w);
	for (int i = 0; i < CALLS_MAX && in.left; i++) {
		unsigned how = fuzz_byte(&in), method = fuzz_byte(&in);

		if (how & CHARGERS) {
			go_on(w, how, method);
			continue;
		}
		char *line = filled(fuzz_line(&in), number);
		call(w, how, method, line);
		free(line);
	}
	world_settle(w);
	return 0;
}
