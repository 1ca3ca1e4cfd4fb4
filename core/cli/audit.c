/* audit: what was ordered, by whom, and how it ended. */
#include <stdio.h>
#include <stdlib.h>

#include "cli/cli.h"
#include "cli/screen.h"
#include "cli/table.h"

enum { PAGE = 100, LIST = 50 };

static void put_entry(const struct cli *cli, struct table *t, const struct value *e)
{
	char change[700] = "";

	if (*cli_text(e, "before") || *cli_text(e, "after"))
		(void)snprintf(change, sizeof(change), "%s -> %s", cli_text(e, "before"), cli_text(e, "after"));
	table_cell(t, cli_text(e, "at"));
	table_cell(t, cli_text(e, "who"));
	table_cell(t, cli_text(e, "command"));
	table_cell(t, cli_text(e, "arguments"));
	table_cell(t, change);
	table_cell(t, say(cli, cli_text(e, "result")));
}

/* With --json the objects go to json, else into the table. */
static int list_audit(struct cli *cli, struct table *t, FILE *json)
{
	int most = cli->limit ? atoi(cli->limit) : LIST, n = 0;
	int64_t after = 0;

	do {
		struct value *arguments = value_object(&cli->arena);
		const struct value *answer;
		size_t at = 0;

		(void)value_add(&cli->arena, arguments, "limit",
				value_int(&cli->arena, most - n < PAGE ? most - n : PAGE));
		if (after)
			(void)value_add(&cli->arena, arguments, "after", value_int(&cli->arena, after));
		int result = cli_ask(cli, "audit", arguments, &answer);
		if (result)
			return result;
		struct raw list = raw_member(cli_raw(cli), "audit");
		value_each (e, value_get(answer, "audit")) {
			struct raw text = raw_item(list, &at);

			if (json && n)
				(void)fputc(',', json);
			if (json)
				screen_json(text, json);
			else
				put_entry(cli, t, e);
			n++;
		}
		after = cli_int(answer, "next");
	} while (after && n < most);
	return CLI_DONE;
}

int cli_audit(struct cli *cli)
{
	static const char *const names[] = {"time", "who", "command", "arguments", "before -> after", "result"};
	struct table t;
	char *text = NULL;
	size_t len;
	FILE *json = cli->json ? open_memstream(&text, &len) : NULL;

	if (cli->json && !json)
		return cli_fail(cli, CLI_REFUSED, "no memory", NULL, "no memory");
	table_init(&t, 6, 0);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		table_cell(&t, say(cli, names[i]));
	int result = list_audit(cli, &t, json);
	if (json && fclose(json) && !result)
		result = cli_fail(cli, CLI_REFUSED, "no memory", NULL, "no memory");
	if (!result && json)
		printf("{\"audit\":[%s]}\n", text);
	else if (!result)
		table_print(&t, stdout);
	free(text);
	table_fini(&t);
	return result;
}
