/* unlock, limit, reserve, unreserve. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/decimal.h"
#include "cli/cli.h"
#include "cli/format.h"
#include "cli/screen.h"

static struct value *begin(struct cli *cli)
{
	struct value *arguments = value_object(&cli->arena);

	(void)value_add(&cli->arena, arguments, "connector", value_string(&cli->arena, cli->words[0]));
	return arguments;
}

static void print(const struct cli *cli, const struct value *answer, const char *what)
{
	struct buffer line;

	buffer_init(&line, 1024);
	screen_add(&line, cli_text(answer, "connector"));
	(void)buffer_text(&line, "  ");
	screen_add(&line, what);
	printf("%s\n", line.data ? line.data : "");
	buffer_fini(&line);
	(void)cli;
}

/* NULL: it has been told all. */
static const struct value *ask(struct cli *cli, const char *command, const struct value *arguments, int *result)
{
	const struct value *answer;

	*result = cli_ask(cli, command, arguments, &answer);
	if (*result)
		return NULL;
	if (!cli->json)
		return answer;
	cli_print_raw(cli);
	return NULL;
}

int cli_unlock(struct cli *cli)
{
	int result;
	const struct value *answer = ask(cli, "unlock", begin(cli), &result);

	if (answer)
		print(cli, answer, say(cli, "unlocked"));
	return result;
}

int cli_limit(struct cli *cli)
{
	struct value *arguments = begin(cli);
	char text[200], number[FORMAT_SIZE];
	int64_t milli = 0;
	int result;

	if (!strcmp(cli->words[1], "release"))
		(void)value_add(&cli->arena, arguments, "release", value_bool(&cli->arena, 1));
	else if (decimal_parse(cli->words[1], 3, &milli))
		return cli_fail(cli, CLI_USAGE, "usage", cli->words[1], "is no number");
	else
		(void)value_add(&cli->arena, arguments, "value", value_decimal(&cli->arena, milli, 3));
	const struct value *answer = ask(cli, "limit", arguments, &result);
	if (!answer)
		return result;
	const struct value *limit = value_get(answer, "operator_limit");
	if (!limit || value_to_decimal(value_get(limit, "value"), 3, &milli)) {
		print(cli, answer, say(cli, "released"));
		return result;
	}
	(void)snprintf(text, sizeof(text), "%s %s: %s", format_point(milli, number), cli_text(limit, "unit"),
		       say(cli, cli_text(limit, "state")));
	print(cli, answer, text);
	return result;
}

int cli_reserve(struct cli *cli)
{
	struct value *arguments = begin(cli);
	char text[120], time[CLOCK_DATETIME_SIZE];
	long minutes;
	int result;

	if (cli_number(cli->words[1], 1, 1440, &minutes))
		return cli_fail(cli, CLI_USAGE, "usage", cli->words[1], "is no number of minutes from 1 to 1440");
	(void)value_add(&cli->arena, arguments, "minutes", value_int(&cli->arena, minutes));
	if (cli->words[2])
		(void)value_add(&cli->arena, arguments, "note", value_string(&cli->arena, cli->words[2]));
	const struct value *answer = ask(cli, "reserve", arguments, &result);
	if (!answer)
		return result;
	clock_format_datetime(cli_int(answer, "reserved_until"), time);
	(void)snprintf(text, sizeof(text), "%s %s", say(cli, "reserved until"), time);
	print(cli, answer, text);
	return result;
}

int cli_unreserve(struct cli *cli)
{
	int result;
	const struct value *answer = ask(cli, "unreserve", begin(cli), &result);

	if (answer)
		print(cli, answer, say(cli, cli_text(answer, "status_name")));
	return result;
}
