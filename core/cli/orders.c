#include "cli/orders.h"

#include <stdio.h>
#include <stdlib.h>

#include "cli/format.h"
#include "cli/screen.h"
#include "cli/table.h"

enum { PAGE = 100, LIST = 50 };

/* Pages -------------------------------------------------------------------------------------------------------------- */

static void put_text(struct cli *cli, struct value *arguments, const char *key, const char *text)
{
	if (text && *text)
		(void)value_add(&cli->arena, arguments, key, value_string(&cli->arena, text));
}

static void put_flag(struct cli *cli, struct value *arguments, const char *key, int on)
{
	if (on)
		(void)value_add(&cli->arena, arguments, key, value_bool(&cli->arena, 1));
}

static struct value *page_of(struct cli *cli, const struct orders_query *query, const char *after, int most)
{
	struct value *v = value_object(&cli->arena);

	put_flag(cli, v, "open", query->open);
	put_flag(cli, v, "oldest_first", query->oldest_first);
	put_flag(cli, v, "details", query->details);
	put_text(cli, v, "from", cli->from);
	put_text(cli, v, "to", cli->to);
	put_text(cli, v, "after", after);
	/* "" is a platform too: none. */
	if (cli->platform)
		(void)value_add(&cli->arena, v, "platform", value_string(&cli->arena, cli->platform));
	(void)value_add(&cli->arena, v, "limit", value_int(&cli->arena, most < PAGE ? most : PAGE));
	return v;
}

int orders_each(struct cli *cli, const struct orders_query *query,
		void (*fn)(void *user, const struct value *order, struct raw text), void *user)
{
	char after[64] = "";
	int n = 0;

	while (!query->most || n < query->most) {
		const struct value *answer;
		int result =
		    cli_ask(cli, "orders", page_of(cli, query, after, query->most ? query->most - n : PAGE), &answer);
		if (result)
			return -result;
		struct raw list = raw_member(cli_raw(cli), "orders");
		size_t at = 0;
		value_each (order, value_get(answer, "orders")) {
			fn(user, order, raw_item(list, &at));
			n++;
		}
		(void)snprintf(after, sizeof(after), "%s", cli_text(answer, "next"));
		if (!*after)
			break;
	}
	return n;
}

/* List --------------------------------------------------------------------------------------------------------------- */

struct listing {
	const struct cli *cli;
	struct table table;
	FILE *json; /* with --json, in memory: a failure in the middle must not leave half an object behind */
	int count;
};

/* "confirmed", or "waiting, confirmed" where there are several platforms. */
static void put_told(struct listing *l, const struct value *told)
{
	char text[200] = "";
	size_t n = 0;

	value_each (entry, told)
		if (n < sizeof(text))
			n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%s", n ? ", " : "",
					      say(l->cli, cli_text(entry, "state")));
	table_cell(&l->table, text);
}

static void put_row(void *user, const struct value *order, struct raw unused)
{
	struct listing *l = user;
	const struct cli *cli = l->cli;
	char text[FORMAT_SIZE];

	(void)unused;
	table_cell(&l->table, cli_text(order, "seq"));
	table_cell(&l->table, cli_text(order, "connector"));
	table_cell(&l->table, cli_text(order, "platform"));
	table_cell(&l->table, cli_text(order, "start"));
	table_cell(&l->table, cli_text(order, "end"));
	table_cell(&l->table, format_kwh(cli_int(order, "energy_wh"), text));
	table_cell(&l->table, format_money(cli_int(order, "money_e4"), text));
	table_cell(&l->table, say(cli, *cli_text(order, "reason_name") ? cli_text(order, "reason_name")
								       : cli_text(order, "session")));
	put_told(l, value_get(order, "told"));
}

static void print_raw(void *user, const struct value *unused, struct raw text)
{
	struct listing *l = user;

	(void)unused;
	if (l->count++)
		(void)fputc(',', l->json);
	screen_json(text, l->json);
}

/* What is under way first, then from the newest back. */
static int walk(struct cli *cli, struct listing *l, void (*fn)(void *, const struct value *, struct raw))
{
	int most = cli->limit ? atoi(cli->limit) : LIST;
	int n = orders_each(cli, &(struct orders_query){.open = 1, .most = most}, fn, l);

	if (n < 0 || n >= most || cli->open)
		return n < 0 ? -n : CLI_DONE;
	n = orders_each(cli, &(struct orders_query){.most = most - n}, fn, l);
	return n < 0 ? -n : CLI_DONE;
}

static int list_json(struct cli *cli)
{
	struct listing l = {.cli = cli};
	char *text = NULL;
	size_t len;

	l.json = open_memstream(&text, &len);
	if (!l.json)
		return cli_fail(cli, CLI_REFUSED, "no memory", NULL, "no memory");
	int result = walk(cli, &l, print_raw);
	if (fclose(l.json) && !result)
		result = cli_fail(cli, CLI_REFUSED, "no memory", NULL, "no memory");
	if (!result)
		printf("{\"orders\":[%s]}\n", text);
	free(text);
	return result;
}

int cli_orders_list(struct cli *cli)
{
	static const char *const names[] = {"order", "connector", "platform", "began",  "ended",
					    "kWh",   "yuan",      "state",    "told to"};
	struct listing l = {.cli = cli};

	if (cli->json)
		return list_json(cli);
	table_init(&l.table, 9, 1u << 5 | 1u << 6);
	for (int i = 0; i < l.table.columns; i++)
		table_cell(&l.table, say(cli, names[i]));
	int result = walk(cli, &l, put_row);
	if (!result)
		table_print(&l.table, stdout);
	table_fini(&l.table);
	return result;
}
