/* lua versions, show, diff, rollback, reload: the Lua files of a running gateway. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/diff.h"
#include "base/json.h"
#include "cli/cli.h"
#include "cli/screen.h"
#include "cli/table.h"

enum { PAGE = 100, LIST = 50, SHORT = 12, ITEM_SIZE = 100 };
static const size_t text_max = (size_t)8 << 20;

/* "lua/operators/x.lua" as a shell completes it, for "operators/x". */
static const char *item_of(const char *word, char item[ITEM_SIZE])
{
	const char *name = strncmp(word, "lua/", 4) != 0 ? word : word + 4;
	size_t len = strlen(name);

	if (len > 4 && !strcmp(name + len - 4, ".lua"))
		len -= 4;
	(void)snprintf(item, ITEM_SIZE, "%.*s", (int)(len < ITEM_SIZE ? len : ITEM_SIZE - 1), name);
	return item;
}

static struct value *arguments_of(struct cli *cli, const char *version)
{
	struct value *v = value_object(&cli->arena);
	char item[ITEM_SIZE];

	if (cli->words[0])
		(void)value_add(&cli->arena, v, "item", value_string(&cli->arena, item_of(cli->words[0], item)));
	if (version)
		(void)value_add(&cli->arena, v, "version", value_string(&cli->arena, version));
	return v;
}

static const char *shortened(const char *version, char out[SHORT + 1])
{
	(void)snprintf(out, SHORT + 1, "%.*s", SHORT, version);
	return out;
}

/* Versions --------------------------------------------------------------------------------------------------------------- */

static void put_origin(const struct cli *cli, struct table *t, const char *origin)
{
	static const char *const known[] = {"rollback to", "saved by"};
	char text[120];

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		size_t n = strlen(known[i]);

		if (strncmp(origin, known[i], n) != 0)
			continue;
		(void)snprintf(text, sizeof(text), "%s%s", say(cli, known[i]), origin + n);
		table_cell(t, text);
		return;
	}
	table_cell(t, say(cli, origin));
}

static void put_version(const struct cli *cli, struct table *t, const struct value *v)
{
	char text[SHORT + 1];
	int in_force = 0;

	(void)value_to_bool(value_get(v, "in_force"), &in_force);
	table_cell(t, in_force ? "*" : " ");
	table_cell(t, cli_text(v, "at"));
	table_cell(t, cli_text(v, "item"));
	table_cell(t, shortened(cli_text(v, "version"), text));
	put_origin(cli, t, cli_text(v, "origin"));
}

/* With --json the objects go to json, else into the table. */
static int list_versions(struct cli *cli, struct table *t, FILE *json)
{
	int most = cli->limit ? atoi(cli->limit) : LIST, n = 0;
	int64_t after = 0;

	do {
		struct value *arguments = arguments_of(cli, NULL);
		const struct value *answer;
		size_t at = 0;

		(void)value_add(&cli->arena, arguments, "limit",
				value_int(&cli->arena, most - n < PAGE ? most - n : PAGE));
		if (after)
			(void)value_add(&cli->arena, arguments, "after", value_int(&cli->arena, after));
		int result = cli_ask(cli, "lua_versions", arguments, &answer);
		if (result)
			return result;
		struct raw list = raw_member(cli_raw(cli), "versions");
		value_each (v, value_get(answer, "versions")) {
			struct raw text = raw_item(list, &at);

			if (json && n++)
				(void)fputc(',', json);
			if (json)
				screen_json(text, json);
			else
				put_version(cli, t, v);
		}
		n = json ? n : t->count / t->columns - 1;
		after = cli_int(answer, "next");
	} while (after && n < most);
	return CLI_DONE;
}

static int list_json(struct cli *cli)
{
	char *text = NULL;
	size_t len;
	FILE *json = open_memstream(&text, &len);

	if (!json)
		return cli_fail(cli, CLI_REFUSED, "no memory", NULL, "no memory");
	int result = list_versions(cli, NULL, json);
	if (fclose(json) && !result)
		result = cli_fail(cli, CLI_REFUSED, "no memory", NULL, "no memory");
	if (!result)
		printf("{\"versions\":[%s]}\n", text);
	free(text);
	return result;
}

int cli_lua_versions(struct cli *cli)
{
	static const char *const names[] = {"time", "script", "version", "origin"};
	struct table t;

	if (cli->json)
		return list_json(cli);
	table_init(&t, 5, 0);
	table_cell(&t, " ");
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		table_cell(&t, say(cli, names[i]));
	int result = list_versions(cli, &t, NULL);
	if (!result)
		table_print(&t, stdout);
	table_fini(&t);
	return result;
}

/* Show and diff ---------------------------------------------------------------------------------------------------------- */

/* Line ends and tabs are what they are; all between them is made safe. text is spoilt. */
static void add_safe(struct buffer *out, char *text, size_t len)
{
	size_t begun = 0;

	for (size_t i = 0; i <= len; i++) {
		char c = text[i];

		if (c != '\n' && c != '\t' && c != '\0')
			continue;
		text[i] = '\0';
		screen_add(out, text + begun);
		begun = i + 1;
		if (c)
			(void)buffer_add(out, &c, 1);
		else if (i < len)
			(void)buffer_text(out, "\\x00");
	}
}

/* Into a file or a pipe as it is; on a terminal it must not act. */
static void print_text(const char *text, size_t len)
{
	char *copy = isatty(STDOUT_FILENO) ? malloc(len + 1) : NULL;
	struct buffer safe;

	if (!copy) {
		(void)fwrite(text, 1, len, stdout);
		return;
	}
	memcpy(copy, text, len);
	copy[len] = '\0';
	buffer_init(&safe, 4 * text_max);
	add_safe(&safe, copy, len);
	(void)fwrite(safe.data ? safe.data : "", 1, safe.len, stdout);
	buffer_fini(&safe);
	free(copy);
}

int cli_lua_show(struct cli *cli)
{
	const struct value *answer;
	int result = cli_ask(cli, "lua_show", arguments_of(cli, cli->words[1]), &answer);
	const struct value *text = value_get(answer, "text");

	if (result)
		return result;
	if (cli->json)
		cli_print_raw(cli);
	else if (value_text(text))
		print_text(value_text(text), text->len);
	return CLI_DONE;
}

/* A version as it was told: an ask ends what the one before gave. */
struct side {
	char version[80], at[32];
	char *text;
	size_t len;
};

static int fetch(struct cli *cli, const char *version, int before, struct side *side)
{
	struct value *arguments = arguments_of(cli, version);
	const struct value *answer;

	if (before)
		(void)value_add(&cli->arena, arguments, "before", value_bool(&cli->arena, 1));
	int result = cli_ask(cli, "lua_show", arguments, &answer);
	const struct value *text = value_get(answer, "text");
	if (result)
		return result;
	if (value_text(text))
		side->text = malloc(text->len + 1);
	if (!side->text)
		return cli_fail(cli, CLI_REFUSED, "no memory", NULL, "no memory");
	memcpy(side->text, value_text(text), text->len);
	side->len = text->len;
	(void)snprintf(side->version, sizeof(side->version), "%s", cli_text(answer, "version"));
	(void)snprintf(side->at, sizeof(side->at), "%s", cli_text(answer, "at"));
	return CLI_DONE;
}

static void print_side(const char *sign, const char *item, const struct side *side, struct buffer *out)
{
	(void)buffer_printf(out, "%s %s %.*s\t%s\n", sign, item, SHORT, side->version, side->at);
}

static int print_diff_json(struct cli *cli, const char *item, const struct side *sides, const struct buffer *text)
{
	struct value *v = value_object(&cli->arena);
	struct buffer line;

	buffer_init(&line, 2 * text_max);
	(void)value_add(&cli->arena, v, "item", value_string(&cli->arena, item));
	(void)value_add(&cli->arena, v, "from", value_string(&cli->arena, sides[0].version));
	(void)value_add(&cli->arena, v, "to", value_string(&cli->arena, sides[1].version));
	(void)value_add(&cli->arena, v, "diff", value_string_len(&cli->arena, text->data ? text->data : "", text->len));
	int failed = json_write(&line, v);
	if (!failed) {
		screen_json((struct raw){line.data, line.len}, stdout);
		(void)fputc('\n', stdout);
	}
	buffer_fini(&line);
	return failed ? cli_fail(cli, CLI_REFUSED, "no memory", NULL, "no memory") : CLI_DONE;
}

static int print_diff(struct cli *cli, const struct side *sides)
{
	char item[ITEM_SIZE];
	struct buffer text, hunks;

	(void)item_of(cli->words[0], item);
	buffer_init(&hunks, text_max);
	buffer_init(&text, text_max);
	int result = diff_unified(sides[0].text, sides[0].len, sides[1].text, sides[1].len, &hunks);
	if (!result && hunks.len) {
		print_side("---", item, &sides[0], &text);
		print_side("+++", item, &sides[1], &text);
		result = buffer_add(&text, hunks.data, hunks.len);
	}
	if (result)
		result = cli_fail(cli, CLI_REFUSED, "no memory", NULL, "no memory");
	else if (cli->json)
		result = print_diff_json(cli, item, sides, &text);
	else if (text.len)
		print_text(text.data, text.len);
	buffer_fini(&hunks);
	buffer_fini(&text);
	return result;
}

int cli_lua_diff(struct cli *cli)
{
	struct side sides[2] = {{"", "", NULL, 0}, {"", "", NULL, 0}};
	/* No version: the one before to that in force; one: from there to that in force. */
	int result = fetch(cli, cli->words[1], !cli->words[1], &sides[0]);

	if (!result)
		result = fetch(cli, cli->words[2], 0, &sides[1]);
	if (!result)
		result = print_diff(cli, sides);
	free(sides[0].text);
	free(sides[1].text);
	return result;
}

/* Rollback and reload ---------------------------------------------------------------------------------------------------- */

static void print_rollback(const struct cli *cli, const struct value *answer)
{
	const struct value *modules = value_get(answer, "modules_changed");
	char text[SHORT + 1], what[200];
	struct table t;
	int in_force = 0;

	(void)value_to_bool(value_get(answer, "in_force"), &in_force);
	table_init(&t, 3, 0);
	table_cell(&t, cli_text(answer, "item"));
	table_cell(&t, shortened(cli_text(answer, "version"), text));
	table_cell(&t, say(cli, in_force ? "in force" : "written; nothing uses it"));
	table_print(&t, stdout);
	table_fini(&t);
	table_init(&t, 2, 0);
	value_each (path, value_get(answer, "written"))
		table_pair(&t, say(cli, "written"), value_text(path));
	value_each (m, modules) {
		(void)snprintf(what, sizeof(what), "%s: forecourt lua rollback %s %s",
			       say(cli, "has changed since that version; to roll it back too"), cli_text(m, "item"),
			       shortened(cli_text(m, "then"), text));
		table_pair(&t, cli_text(m, "item"), what);
	}
	table_print(&t, stdout);
	table_fini(&t);
}

int cli_lua_rollback(struct cli *cli)
{
	struct value *arguments = arguments_of(cli, cli->words[1]);
	const struct value *answer;

	if (cli->modules)
		(void)value_add(&cli->arena, arguments, "modules", value_bool(&cli->arena, 1));
	int result = cli_ask(cli, "lua_rollback", arguments, &answer);
	if (result)
		return result;
	if (cli->json)
		cli_print_raw(cli);
	else
		print_rollback(cli, answer);
	return CLI_DONE;
}

int cli_lua_reload(struct cli *cli)
{
	const struct value *answer;
	int result = cli_ask(cli, "lua_reload", NULL, &answer), refused = 0;
	char text[SHORT + 1];
	struct table t;

	if (result)
		return result;
	table_init(&t, 4, 0);
	value_each (script, value_get(answer, "scripts")) {
		refused |= !strcmp(cli_text(script, "state"), "refused");
		table_cell(&t, cli_text(script, "item"));
		table_cell(&t, shortened(cli_text(script, "version"), text));
		table_cell(&t, say(cli, cli_text(script, "state")));
		table_cell(&t, cli_text(script, "reason"));
	}
	if (cli->json)
		cli_print_raw(cli);
	else
		table_print(&t, stdout);
	table_fini(&t);
	return refused ? CLI_REFUSED : CLI_DONE;
}
