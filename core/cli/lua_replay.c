/* lua replay: a changed mapping or policy over what was recorded (lua record): what would differ. */
#include "cli/lua_replay.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/log.h"
#include "cli/screen.h"

static const size_t line_memory = (size_t)64 << 20, line_max = (size_t)4 << 20, text_max = (size_t)1 << 20;

void replay_print(const char *text)
{
	struct buffer safe;

	buffer_init(&safe, text_max);
	screen_add(&safe, text);
	(void)fputs(safe.data ? safe.data : "", stdout);
	buffer_fini(&safe);
}

void replay_print_json(const char *text)
{
	struct buffer out;

	buffer_init(&out, text_max);
	(void)json_write(&out, &(struct value){.type = VALUE_STRING, .text = text, .len = strlen(text)});
	if (out.data)
		screen_json((struct raw){out.data, out.len}, stdout);
	buffer_fini(&out);
}

static void complain(struct replay *r, int number, const char *why)
{
	struct buffer safe;

	buffer_init(&safe, text_max);
	screen_add(&safe, why);
	fprintf(stderr, "forecourt: %s:%d: %s\n", r->cli->records, number, safe.data ? safe.data : "");
	buffer_fini(&safe);
	r->bad_lines++;
}

static void take_header(struct replay *r, const struct replay_line *line)
{
	if (cli_int(line->tree, "version") != 1) {
		complain(r, line->number, say(r->cli, "is of another version of this program"));
		return;
	}
	r->header = value_copy(&r->kept, line->tree);
}

typedef int (*line_fn)(void *user, const struct replay_line *line, struct error *err);

static void take_line(struct replay *r, const struct replay_line *line, const char *wanted, line_fn fn, void *user)
{
	const char *record = value_text(value_get(line->tree, "record"));
	struct error err = {0};

	if (!record)
		complain(r, line->number, say(r->cli, "is no record"));
	else if (!strcmp(record, "header"))
		take_header(r, line);
	else if (!strcmp(record, wanted) && fn(user, line, &err))
		complain(r, line->number, err.text);
	/* What a later version may add is no mistake. */
}

static void read_line(struct replay *r, char *text, size_t len, int number, const char *wanted, line_fn fn, void *user)
{
	struct replay_line line = {.text = text, .len = len, .number = number};
	struct arena arena;
	struct value *tree;
	char why[80];
	size_t at;

	arena_init(&arena, line_memory);
	line.arena = &arena;
	int result = len > line_max ? FC_ELIMIT : tree_read(text, len, TREE_AS_MADE, &arena, &tree, &at);
	if (result == FC_EINVAL) {
		(void)snprintf(why, sizeof(why), say(r->cli, "is no JSON at byte %zu"), at + 1);
		complain(r, number, why);
	} else if (result) {
		complain(r, number, say(r->cli, "is too long"));
	} else {
		line.tree = tree;
		take_line(r, &line, wanted, fn, user);
	}
	arena_fini(&arena);
}

static int read_records(struct replay *r, const char *wanted, line_fn fn, void *user)
{
	FILE *from = fopen(r->cli->records, "re");
	char *text = NULL;
	size_t size = 0;
	ssize_t len;
	int number = 0;

	if (!from)
		return cli_fail(r->cli, CLI_REFUSED, "records", r->cli->records, strerror(errno));
	while ((len = getline(&text, &size, from)) >= 0) {
		number++;
		while (len && strchr("\r\n", text[len - 1]) && text[len - 1])
			text[--len] = '\0';
		if (len)
			read_line(r, text, (size_t)len, number, wanted, fn, user);
	}
	int failed = ferror(from);
	free(text);
	(void)fclose(from);
	return failed ? cli_fail(r->cli, CLI_REFUSED, "records", r->cli->records, "can't be read") : CLI_DONE;
}

static int each_message(void *user, const struct replay_line *line, struct error *err)
{
	return replay_message(user, line, err);
}

static int each_order(void *user, const struct replay_line *line, struct error *err)
{
	return replay_order(user, line, err);
}

static int run_messages(struct replay *r)
{
	struct replay_messages *messages = replay_messages_new(r);

	if (!messages)
		return cli_fail(r->cli, CLI_REFUSED, "memory", NULL, "no memory");
	int result = read_records(r, "message", each_message, messages);
	replay_messages_end(messages);
	return result;
}

static int run_orders(struct replay *r)
{
	struct replay_orders *orders = replay_orders_new(r);

	if (!orders)
		return cli_fail(r->cli, CLI_REFUSED, "memory", NULL, "no memory");
	int result = read_records(r, "order", each_order, orders);
	replay_orders_end(orders);
	return result;
}

static int run(struct replay *r)
{
	int mapping = r->file.mapping != NULL;
	int result = mapping ? run_messages(r) : run_orders(r);

	if (result)
		return result;
	if (!r->compared) {
		fprintf(stderr, "forecourt: %s: %s\n", r->cli->records,
			say(r->cli, mapping
					? "holds no message of a platform with this mapping; another: --platform NAME"
					: "holds no order with this policy's prices; all orders: --all"));
		return CLI_REFUSED;
	}
	if (r->failed || r->bad_lines)
		return CLI_REFUSED;
	return r->differ ? CLI_DIFFERS : CLI_DONE;
}

static int open_files(struct replay *r)
{
	struct error err = {0};

	if (lua_file_open(&r->file, r->cli, r->cli->words[0], &err))
		return cli_fail(r->cli, CLI_REFUSED, "script", NULL, err.text);
	if (!r->file.mapping && !r->file.policy)
		return cli_fail(r->cli, CLI_USAGE, "usage", r->cli->words[0], "is neither a mapping nor a policy");
	if (!r->cli->against)
		return CLI_DONE;
	if (lua_file_open(&r->against, r->cli, r->cli->against, &err))
		return cli_fail(r->cli, CLI_REFUSED, "script", NULL, err.text);
	if (!r->file.mapping != !r->against.mapping || !r->file.policy != !r->against.policy)
		return cli_fail(r->cli, CLI_USAGE, "usage", r->cli->against, "is of another kind");
	return CLI_DONE;
}

int cli_lua_replay(struct cli *cli)
{
	struct replay *r = calloc(1, sizeof(*r));

	if (!cli->records) {
		free(r);
		return cli_fail(cli, CLI_USAGE, "usage", "--records", "is missing");
	}
	if (r)
		r->reader = json_reader_new(0);
	if (!r || !r->reader) {
		free(r);
		return cli_fail(cli, CLI_REFUSED, "memory", NULL, "no memory");
	}
	r->cli = cli;
	r->comma = "";
	arena_init(&r->kept, line_memory);
	/* What fails is said here, by message. */
	log_set_level(LOG_LEVEL_ERROR);
	int result = open_files(r);
	if (!result)
		result = run(r);
	lua_file_close(&r->file);
	lua_file_close(&r->against);
	json_reader_free(r->reader);
	arena_fini(&r->kept);
	free(r);
	return result;
}
