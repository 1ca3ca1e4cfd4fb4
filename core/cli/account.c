/* account, token, session: who may use the page. A password is never typed here, where other users of the box could see it: the
 * daemon makes one, and it is told once. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "cli/cli.h"
#include "cli/format.h"
#include "cli/table.h"

static void put(struct cli *cli, struct value *arguments, const char *key, struct value *v)
{
	(void)value_add(&cli->arena, arguments, key, v);
}

static const char *when(const struct value *o, const char *key, char text[CLOCK_DATETIME_SIZE])
{
	if (!value_get(o, key))
		return "";
	clock_format_datetime(cli_int(o, key), text);
	return text;
}

static int is_on(const struct value *o, const char *key)
{
	int on = 0;

	return !value_to_bool(value_get(o, key), &on) && on;
}

static void put_head(const struct cli *cli, struct table *t, const char *const *names, int count)
{
	table_init(t, count, 0);
	for (int i = 0; i < count; i++)
		table_cell(t, say(cli, names[i]));
}

static int print(struct table *t)
{
	table_print(t, stdout);
	table_fini(t);
	return CLI_DONE;
}

/* What a command answers, as pairs or with --json as it is. */
static int told(struct cli *cli, const char *command, const struct value *arguments, const char *const *names,
		int count)
{
	const struct value *answer;
	char text[FORMAT_SIZE];
	struct table t;
	int result = cli_ask(cli, command, arguments, &answer);

	if (result)
		return result;
	if (cli->json) {
		cli_print_raw(cli);
		return CLI_DONE;
	}
	table_init(&t, 2, 0);
	for (int i = 0; i < count; i++) {
		const struct value *v = value_get(answer, names[i]);

		if (v)
			table_pair(&t, say(cli, names[i]),
				   value_text(v) ? value_text(v) : format_int(cli_int(answer, names[i]), text));
	}
	return print(&t);
}

/* Accounts ----------------------------------------------------------------------------------------------------------- */

int cli_account_list(struct cli *cli)
{
	static const char *const names[] = {"name", "role", "state", "last log-in", "from"};
	const struct value *answer;
	char at[CLOCK_DATETIME_SIZE];
	struct table t;
	int result = cli_ask(cli, "accounts", NULL, &answer);

	if (result || cli->json) {
		if (!result)
			cli_print_raw(cli);
		return result;
	}
	put_head(cli, &t, names, 5);
	value_each (a, value_get(answer, "accounts")) {
		const char *state = !strcmp(cli_text(a, "source"), "configuration") ? "of the configuration"
				    : is_on(a, "disabled")                          ? "disabled"
				    : is_on(a, "hidden")                            ? "hidden by the configuration's"
				    : is_on(a, "must_change")                       ? "must set a password"
										    : "good";

		table_cell(&t, cli_text(a, "name"));
		table_cell(&t, say(cli, cli_text(a, "role")));
		table_cell(&t, say(cli, state));
		table_cell(&t, when(a, "login_at", at));
		table_cell(&t, cli_text(a, "login_place"));
	}
	return print(&t);
}

int cli_account_set(struct cli *cli)
{
	static const char *const names[] = {"name", "role", "password"};
	struct value *arguments = value_object(&cli->arena);

	if (cli->disable && cli->enable)
		return cli_fail(cli, CLI_USAGE, "usage", NULL, "either --disable or --enable");
	put(cli, arguments, "name", value_string(&cli->arena, cli->words[0]));
	if (cli->role)
		put(cli, arguments, "role", value_string(&cli->arena, cli->role));
	if (cli->disable || cli->enable)
		put(cli, arguments, "disabled", value_bool(&cli->arena, cli->disable));
	if (cli->reset)
		put(cli, arguments, "reset", value_bool(&cli->arena, 1));
	return told(cli, "account_set", arguments, names, 3);
}

int cli_account_remove(struct cli *cli)
{
	static const char *const names[] = {"name"};
	struct value *arguments = value_object(&cli->arena);

	put(cli, arguments, "name", value_string(&cli->arena, cli->words[0]));
	return told(cli, "account_remove", arguments, names, 1);
}

/* Tokens ------------------------------------------------------------------------------------------------------------- */

int cli_token_list(struct cli *cli)
{
	static const char *const names[] = {"number", "name", "role", "made by", "ends", "last used"};
	const struct value *answer;
	char text[FORMAT_SIZE], at[CLOCK_DATETIME_SIZE];
	struct table t;
	int result = cli_ask(cli, "tokens", NULL, &answer);

	if (result || cli->json) {
		if (!result)
			cli_print_raw(cli);
		return result;
	}
	put_head(cli, &t, names, 6);
	value_each (k, value_get(answer, "tokens")) {
		table_cell(&t, format_int(cli_int(k, "id"), text));
		table_cell(&t, cli_text(k, "name"));
		table_cell(&t, say(cli, cli_text(k, "role")));
		table_cell(&t, cli_text(k, "by"));
		table_cell(&t, when(k, "expires_at", at));
		table_cell(&t, when(k, "used_at", at));
	}
	return print(&t);
}

int cli_token_add(struct cli *cli)
{
	enum { DAYS_MAX = 3650 };
	static const char *const names[] = {"id", "name", "role", "token"};
	struct value *arguments = value_object(&cli->arena);
	long days;

	put(cli, arguments, "name", value_string(&cli->arena, cli->words[0]));
	put(cli, arguments, "role", value_string(&cli->arena, cli->words[1]));
	if (cli->days && cli_number(cli->days, 1, DAYS_MAX, &days))
		return cli_fail(cli, CLI_USAGE, "usage", cli->days, "is no number from 1 to 3650");
	if (cli->days)
		put(cli, arguments, "days", value_int(&cli->arena, days));
	return told(cli, "token_add", arguments, names, 4);
}

/* One thing less: by its number. */
static int drop(struct cli *cli, const char *command)
{
	static const char *const names[] = {"id"};
	struct value *arguments = value_object(&cli->arena);
	long id;

	if (cli_number(cli->words[0], 1, INT32_MAX, &id))
		return cli_fail(cli, CLI_USAGE, "usage", cli->words[0], "is no number of a list");
	put(cli, arguments, "id", value_int(&cli->arena, id));
	return told(cli, command, arguments, names, 1);
}

int cli_token_remove(struct cli *cli)
{
	return drop(cli, "token_remove");
}

/* Sessions ----------------------------------------------------------------------------------------------------------- */

int cli_session_list(struct cli *cli)
{
	static const char *const names[] = {"number", "name", "from", "began", "unused for"};
	const struct value *answer;
	char text[FORMAT_SIZE], at[CLOCK_DATETIME_SIZE];
	struct table t;
	int result = cli_ask(cli, "sessions", NULL, &answer);

	if (result || cli->json) {
		if (!result)
			cli_print_raw(cli);
		return result;
	}
	put_head(cli, &t, names, 5);
	value_each (s, value_get(answer, "sessions")) {
		table_cell(&t, format_int(cli_int(s, "id"), text));
		table_cell(&t, cli_text(s, "name"));
		table_cell(&t, cli_text(s, "place"));
		table_cell(&t, when(s, "begun_at", at));
		table_cell(&t, format_duration(cli_int(s, "idle_s"), text));
	}
	return print(&t);
}

int cli_session_end(struct cli *cli)
{
	return drop(cli, "session_end");
}
