/* Commands, as the local socket takes them, on a whole station (world.h). The first byte is the caller's role; then lines:
 *
 *   connectors {"id":"C11"}     a command and its arguments
 *   {"command":...              a line as it comes in on the socket
 *   @1 100 2                    register 100 of charger 1 is 2 now, and the chargers have been asked
 *   !                           whoever asked the last one has gone
 *   ~                           what was asked so far is answered before the next
 *
 * $HASH in a line is the hash of the configuration's file, $LUA that of policies/four-period, $SEQ the number of C11's order: nobody
 * guesses those.
 *
 * Each is answered once; a refusal says why; an answer can be written, and holds no secret. */
#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/json_read.h"
#include "control/socket.h"
#include "script/sources.h"
#include "world.h"

enum { LINES_MAX = 16, TREE = 3 * CONTROL_LINE_MAX, TURNS = 300 };

static struct json_reader *reader;

struct asked {
	struct control_reply *reply;
	int answers, knows_secret;
};

static void on_done(void *user, const struct control_result *result)
{
	struct asked *a = user;
	struct buffer text;

	a->reply = NULL;
	fuzz_check(a->answers++ == 0);
	fuzz_check(result->key && result->error);
	if (fuzz_shows())
		fprintf(stderr, "  %s %s %s\n", error_name(result->code), result->key, result->error);
	if (result->code) {
		fuzz_check(result->error[0] && !result->result);
		return;
	}
	fuzz_check(value_is_object(result->result));
	buffer_init(&text, CONTROL_MEMORY * 8);
	fuzz_check(json_write(&text, result->result) == FC_OK);
	if (fuzz_shows())
		fprintf(stderr, "  %s\n", text.data);
	fuzz_check(a->knows_secret || !strstr(text.data, WORLD_SECRET));
	buffer_fini(&text);
}

static void ask(struct world *w, enum control_right right, const char *name, const struct value *arguments,
		struct asked *asked)
{
	const struct control_caller caller = {
	    .name = "fuzz", .place = "10.0.0.1", .right = right, .connected_us = clock_mono_us()};

	asked->reply = control_call(w->control, &caller, name, arguments, on_done, asked);
	fuzz_check((asked->reply != NULL) != asked->answers);
}

static void set_register(struct world *w, const char *line)
{
	unsigned unit = 0, address = 0, value = 0;

	if (sscanf(line, "@%u %u %u", &unit, &address, &value) == 3) /* NOLINT(cert-err34-c): any number will do */
		world_set(unit, address, value);
	world_poll(w);
}

/* A copy of line with the first word as text; line is freed. */
static char *filled(char *line, const char *word, const char *text)
{
	const char *at = strstr(line, word);
	size_t size = strlen(line) + strlen(text) + 1;
	char *copy = at ? malloc(size) : NULL;

	if (!copy)
		return line;
	(void)snprintf(copy, size, "%.*s%s%s", (int)(at - line), line, text, at + strlen(word));
	free(line);
	return copy;
}

static char *filled_hash(const struct world *w, char *line, const char *word, const char *name)
{
	char hash[SOURCE_HASH], path[400], text[16384];

	if (!strstr(line, word))
		return line;
	(void)snprintf(path, sizeof(path), "%s/%s", w->folder, name);
	FILE *file = fopen(path, "r");
	size_t len = file ? fread(text, 1, sizeof(text), file) : 0;
	if (file)
		(void)fclose(file);
	sources_digest(text, len, hash);
	return filled(line, word, hash);
}

static char *filled_line(const struct world *w, char *line)
{
	const struct order *order = NULL;
	enum session_state state;

	line = filled_hash(w, line, "$HASH", "forecourt");
	line = filled_hash(w, line, "$LUA", "lua/policies/four-period.lua");
	if (!charge_session(w->charges, "C11", &state, &order) && order)
		line = filled(line, "$SEQ", order->seq);
	return line;
}

static void run_line(struct world *w, enum control_right right, char *line, struct asked *asked)
{
	char *arguments = strchr(line, ' ');
	struct value *tree = NULL;
	struct error err = {0};
	struct arena arena;

	if (*line == '@') {
		set_register(w, line);
		return;
	}
	if (*line == '~') {
		world_turn(w, TURNS);
		return;
	}
	arena_init(&arena, TREE);
	if (*line == '{') {
		if (!json_read(reader, line, strlen(line), &arena, &tree, &err) &&
		    value_text(value_get(tree, "command")))
			ask(w, right, value_text(value_get(tree, "command")), value_get(tree, "arguments"), asked);
	} else {
		if (arguments)
			*arguments++ = '\0';
		if (!arguments || !json_read(reader, arguments, strlen(arguments), &arena, &tree, &err))
			ask(w, right, line, tree, asked);
	}
	arena_fini(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const enum control_right rights[] = {CONTROL_ADMINISTER, CONTROL_ADMINISTER, CONTROL_ADMINISTER,
						    CONTROL_VIEW,       CONTROL_OPERATE,    CONTROL_INTEGRATE};
	struct asked asked[LINES_MAX] = {0};
	struct fuzz_input in = {data, size};
	struct world *w = world_get();

	if (!reader)
		reader = json_reader_new(4 * CONTROL_LINE_MAX);
	enum control_right right = rights[fuzz_pick(&in, sizeof(rights) / sizeof(rights[0]))];
	int knows_secret = world_knows_secret(data, size);
	for (int i = 0; i < LINES_MAX && in.left; i++) {
		char *line = filled_line(w, fuzz_line(&in));

		asked[i].knows_secret = knows_secret;
		if (*line != '!') {
			run_line(w, right, line, &asked[i]);
		} else if (i && asked[i - 1].reply) {
			control_forget(asked[i - 1].reply);
			asked[i - 1].reply = NULL;
		}
		free(line);
	}
	world_turn(w, TURNS);
	for (int i = 0; i < LINES_MAX; i++)
		control_forget(asked[i].reply);
	world_settle(w);
	return 0;
}
