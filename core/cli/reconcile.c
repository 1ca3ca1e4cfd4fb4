/* reconcile: a day's orders compared with a platform; a table, CSV, or JSON. */
#include <stdio.h>

#include "base/csv.h"
#include "cli/cli.h"
#include "cli/format.h"
#include "cli/table.h"

/* The columns are a promise to whoever reads them: English in every language, only ever added to at the end. */
static const char *const columns[] = {"platform",         "date",     "seq",       "field", "reason", "our_energy_kwh",
				      "their_energy_kwh", "our_yuan", "their_yuan"};

static const char *kwh(const struct value *o, const char *key, char text[FORMAT_SIZE])
{
	return value_get(o, key) ? format_kwh(cli_int(o, key), text) : "";
}

static const char *yuan(const struct value *o, const char *key, char text[FORMAT_SIZE])
{
	return value_get(o, key) ? format_money(cli_int(o, key), text) : "";
}

static int print_csv(const struct value *report)
{
	struct csv csv = {.to = stdout};
	char text[FORMAT_SIZE];

	for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++)
		csv_text(&csv, columns[i]);
	csv_end(&csv);
	value_each (d, value_get(report, "differences")) {
		csv_text(&csv, cli_text(report, "platform"));
		csv_text(&csv, cli_text(report, "date"));
		csv_text(&csv, cli_text(d, "seq"));
		csv_text(&csv, cli_text(d, "reason_name"));
		csv_figure(&csv, format_int(cli_int(d, "reason"), text));
		csv_figure(&csv, kwh(d, "our_energy_wh", text));
		csv_figure(&csv, kwh(d, "their_energy_wh", text));
		csv_figure(&csv, yuan(d, "our_money_e4", text));
		csv_figure(&csv, yuan(d, "their_money_e4", text));
		csv_end(&csv);
	}
	return CLI_DONE;
}

static int print_table(const struct cli *cli, const struct value *report)
{
	static const char *const names[] = {"order", "difference", "kWh here", "kWh there", "yuan here", "yuan there"};
	const struct value *differences = value_get(report, "differences");
	size_t count = differences ? differences->count : 0;
	struct table table;
	char text[FORMAT_SIZE];

	table_init(&table, 2, 0);
	table_pair(&table, say(cli, "platform"), cli_text(report, "platform"));
	table_pair(&table, say(cli, "day"), cli_text(report, "date"));
	table_pair(&table, say(cli, "compared"), cli_text(report, "at"));
	table_pair(&table, say(cli, "orders"), format_int(cli_int(report, "orders"), text));
	table_pair(&table, say(cli, "kWh"), format_kwh(cli_int(report, "energy_wh"), text));
	table_pair(&table, say(cli, "yuan"), format_money(cli_int(report, "money_e4"), text));
	table_pair(&table, say(cli, "differences"), format_int((int64_t)count, text));
	table_print(&table, stdout);
	table_fini(&table);
	if (!count)
		return CLI_DONE;
	(void)fputc('\n', stdout);
	table_init(&table, 6, 1u << 2 | 1u << 3 | 1u << 4 | 1u << 5);
	for (int i = 0; i < table.columns; i++)
		table_cell(&table, say(cli, names[i]));
	value_each (d, differences) {
		table_cell(&table, cli_text(d, "seq"));
		table_cell(&table, say(cli, cli_text(d, "reason_name")));
		table_cell(&table, kwh(d, "our_energy_wh", text));
		table_cell(&table, kwh(d, "their_energy_wh", text));
		table_cell(&table, yuan(d, "our_money_e4", text));
		table_cell(&table, yuan(d, "their_money_e4", text));
	}
	table_print(&table, stdout);
	table_fini(&table);
	return CLI_DONE;
}

int cli_reconcile(struct cli *cli)
{
	struct value *arguments = value_object(&cli->arena);
	const struct value *report;

	(void)value_add(&cli->arena, arguments, "platform", value_string(&cli->arena, cli->words[0]));
	if (cli->words[1])
		(void)value_add(&cli->arena, arguments, "date", value_string(&cli->arena, cli->words[1]));
	int result = cli_ask(cli, cli->last ? "check" : "reconcile", arguments, &report);
	if (result)
		return result;
	if (cli->json) {
		cli_print_raw(cli);
		return CLI_DONE;
	}
	return cli->csv ? print_csv(report) : print_table(cli, report);
}
