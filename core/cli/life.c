/* orders show --life: all that happened about one order, the oldest first. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "cli/cli.h"
#include "cli/table.h"

enum { TEXT = 400 };

/* "city: notification_charge_order_info", "starting -> charging", "start" */
static void put_what(const struct cli *cli, struct table *t, const struct value *e)
{
	const char *from = cli_text(e, "from"), *to = cli_text(e, "to"), *method = cli_text(e, "method");
	char text[TEXT];

	if (*method)
		(void)snprintf(text, sizeof(text), "%s %s", strcmp(cli_text(e, "direction"), "in") == 0 ? "<-" : "->",
			       method);
	else if (*from)
		(void)snprintf(text, sizeof(text), "%s -> %s", say(cli, from), say(cli, to));
	else
		(void)snprintf(text, sizeof(text), "%s", say(cli, to));
	table_cell(t, text);
}

static void put_result(const struct cli *cli, struct table *t, const struct value *e)
{
	const char *answer = cli_text(e, "answer"), *why = cli_text(e, "text");
	char text[TEXT] = "";
	size_t n = 0;
	int number = 0;

	/* "disputed (2)" has a number in it. */
	if (sscanf(answer, "disputed (%d)", &number) == 1)
		n = (size_t)snprintf(text, sizeof(text), "%s (%d)", say(cli, "disputed"), number);
	else if (*answer)
		n = (size_t)snprintf(text, sizeof(text), "%s", say(cli, answer));
	if (*why && n < sizeof(text))
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%s", n ? ": " : "", say(cli, why));
	/* The reason of a refusal names it already. */
	if (cli_int(e, "ret") && !strstr(why, "Ret ") && n < sizeof(text))
		n += (size_t)snprintf(text + n, sizeof(text) - n, " (Ret %lld)", (long long)cli_int(e, "ret"));
	if (value_get(e, "count") && n < sizeof(text))
		(void)snprintf(text + n, sizeof(text) - n, " x%lld", (long long)cli_int(e, "count"));
	table_cell(t, text);
}

static void put_number(struct table *t, const struct value *e, const char *key)
{
	char text[32] = "";

	if (value_get(e, key))
		(void)snprintf(text, sizeof(text), "%lld", (long long)cli_int(e, key));
	table_cell(t, text);
}

int cli_order_life(struct cli *cli, const struct value *arguments)
{
	static const char *const names[] = {"time", "kind", "who", "what", "result", "attempts", "ms"};
	const struct value *answer;
	struct table t;
	int result = cli_ask(cli, "order_life", arguments, &answer);

	if (result)
		return result;
	if (cli->json) {
		cli_print_raw(cli);
		return CLI_DONE;
	}
	table_init(&t, 7, 1u << 5 | 1u << 6);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		table_cell(&t, say(cli, names[i]));
	value_each (e, value_get(answer, "events")) {
		const char *platform = cli_text(e, "platform");
		char at[CLOCK_DATETIME_SIZE];

		clock_format_datetime(cli_int(e, "at"), at);
		table_cell(&t, at);
		table_cell(&t, say(cli, cli_text(e, "kind")));
		table_cell(&t, *platform ? platform : cli_text(e, "who"));
		put_what(cli, &t, e);
		put_result(cli, &t, e);
		put_number(&t, e, "attempt");
		put_number(&t, e, "duration_ms");
	}
	printf("%s %s\n\n", say(cli, "life of the order"), cli->words[0]);
	table_print(&t, stdout);
	table_fini(&t);
	return CLI_DONE;
}
