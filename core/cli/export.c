/* orders export: closed orders for other programs, oldest first: CSV, or with --json one object a line. */
#include <stdio.h>

#include "base/csv.h"
#include "cli/format.h"
#include "cli/orders.h"
#include "cli/screen.h"

/* The columns are a promise to whoever reads them: English in every language, only ever added to at the end. */
static const char *const columns[] = {
    "seq",       "connector",      "platform",   "started_by",      "start",           "end",     "energy_kwh",
    "elec_yuan", "service_yuan",   "total_yuan", "reason",          "reason_text",     "repairs", "told",
    "policy",    "policy_version", "profile",    "profile_version", "mapping_versions"};

/* Joined by a blank. */
static void put_list(struct csv *csv, const struct value *list, const char *key)
{
	char text[2400] = "";
	size_t n = 0;

	value_each (item, list)
		if (n < sizeof(text))
			n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%s", n ? "; " : "",
					      key ? cli_text(item, key) : value_text(item));
	csv_text(csv, text);
}

static void print_row(void *user, const struct value *o, struct raw unused)
{
	struct csv *csv = user;
	char text[FORMAT_SIZE];

	(void)unused;
	csv_text(csv, cli_text(o, "seq"));
	csv_text(csv, cli_text(o, "connector"));
	csv_text(csv, cli_text(o, "platform"));
	csv_text(csv, cli_text(o, "mode_name"));
	csv_text(csv, cli_text(o, "start"));
	csv_text(csv, cli_text(o, "end"));
	csv_figure(csv, format_kwh(cli_int(o, "energy_wh"), text));
	/* A damaged record has only the total. */
	csv_figure(csv, value_get(o, "elec_money_e4") ? format_money(cli_int(o, "elec_money_e4"), text) : "");
	csv_figure(csv, value_get(o, "service_money_e4") ? format_money(cli_int(o, "service_money_e4"), text) : "");
	csv_figure(csv, format_money(cli_int(o, "money_e4"), text));
	csv_figure(csv, format_int(cli_int(o, "reason"), text));
	csv_text(csv, cli_text(o, "reason_name"));
	put_list(csv, value_get(o, "repairs"), NULL);
	put_list(csv, value_get(o, "told"), "state");
	csv_text(csv, cli_text(value_get(o, "tariff"), "policy"));
	csv_text(csv, cli_text(value_get(o, "tariff"), "version"));
	csv_text(csv, cli_text(o, "profile"));
	csv_text(csv, cli_text(o, "profile_version"));
	put_list(csv, value_get(o, "told"), "mapping_version");
	csv_end(csv);
}

static void print_object(void *user, const struct value *unused, struct raw text)
{
	(void)user;
	(void)unused;
	screen_json(text, stdout);
	(void)fputc('\n', stdout);
}

int cli_orders_export(struct cli *cli)
{
	const struct orders_query query = {.oldest_first = 1, .details = 1};
	struct csv csv = {.to = stdout};
	const struct value *unused;
	/* First whether there is anyone to ask: a header alone would look like a day without orders. */
	int result = cli_ask(cli, "status", NULL, &unused);

	if (result)
		return result;
	for (size_t i = 0; !cli->json && i < sizeof(columns) / sizeof(columns[0]); i++)
		csv_text(&csv, columns[i]);
	if (!cli->json)
		csv_end(&csv);
	int n = orders_each(cli, &query, cli->json ? print_object : print_row, &csv);
	return n < 0 ? -n : CLI_DONE;
}
