/* bus stats: how the lines and their units do. */
#include <stdio.h>

#include "base/csv.h"
#include "cli/cli.h"
#include "cli/table.h"

enum { NAMES = 200 };

static int flag(const struct value *object, const char *key)
{
	int b = 0;

	(void)value_to_bool(value_get(object, key), &b);
	return b;
}

static void cell_int(struct table *t, int64_t i)
{
	char text[24];

	(void)snprintf(text, sizeof(text), "%lld", (long long)i);
	table_cell(t, text);
}

/* "12.3"; nothing where there is none. */
static void cell_tenth(struct table *t, int is_there, int64_t tenths)
{
	char text[24] = "";

	if (is_there)
		(void)snprintf(text, sizeof(text), "%lld.%lld", (long long)tenths / 10, (long long)tenths % 10);
	table_cell(t, text);
}

static void cell_ms(struct table *t, const struct value *unit, const char *key)
{
	cell_tenth(t, value_get(unit, key) != NULL, (cli_int(unit, key) + 50) / 100);
}

static void put_line(const struct cli *cli, struct table *t, const struct value *line)
{
	table_cell(t, cli_text(line, "line"));
	table_cell(t, cli_text(line, "endpoint"));
	table_cell(t, say(cli, flag(line, "connected") ? "yes" : "no"));
	cell_tenth(t, 1, cli_int(line, "load"));
	cell_tenth(t, 1, cli_int(line, "planned"));
	cell_int(t, cli_int(line, "polls"));
	cell_int(t, cli_int(line, "missed"));
	cell_int(t, cli_int(line, "late"));
	cell_int(t, cli_int(line, "disconnects"));
	cell_int(t, cli_int(line, "thrown_away_bytes"));
}

/* Of the chargers that have the unit. */
static const char *names_of(const struct value *unit, const char *between, char out[NAMES])
{
	size_t n = 0;

	out[0] = '\0';
	value_each (name, value_get(unit, "chargers"))
		if (n < NAMES && value_text(name))
			n += (size_t)snprintf(out + n, NAMES - n, "%s%s", n ? between : "", value_text(name));
	return out;
}

static void put_unit(const struct cli *cli, struct table *t, const char *line, const struct value *unit)
{
	char text[NAMES];

	table_cell(t, line);
	cell_int(t, cli_int(unit, "unit"));
	table_cell(t, names_of(unit, ", ", text));
	table_cell(t, flag(unit, "slow") ? say(cli, "silent") : "");
	cell_int(t, cli_int(unit, "answers"));
	cell_int(t, cli_int(unit, "timeouts"));
	cell_int(t, cli_int(unit, "bad"));
	cell_int(t, cli_int(unit, "exceptions"));
	cell_ms(t, unit, "latency_p50_us");
	cell_ms(t, unit, "latency_p90_us");
	cell_ms(t, unit, "latency_p99_us");
	cell_tenth(t, value_get(unit, "answer_age_us") != NULL, (cli_int(unit, "answer_age_us") + 50000) / 100000);
}

static void heads(const struct cli *cli, struct table *t, const char *const *names)
{
	for (int i = 0; i < t->columns; i++)
		table_cell(t, say(cli, names[i]));
}

static void print(const struct cli *cli, const struct value *answer)
{
	static const char *const lines[] = {"line",  "endpoint", "connected", "load %", "planned %",
					    "polls", "missed",   "late",      "broken", "bytes thrown away"};
	static const char *const units[] = {"line", "bus unit",   "charger", "state",  "answers", "no answer",
					    "bad",  "exceptions", "p50 ms",  "p90 ms", "p99 ms",  "heard s ago"};
	struct table t, u;

	table_init(&t, 10, 0x3F8);
	table_init(&u, 12, 0xFF2);
	heads(cli, &t, lines);
	heads(cli, &u, units);
	value_each (line, value_get(answer, "lines")) {
		put_line(cli, &t, line);
		value_each (unit, value_get(line, "units"))
			put_unit(cli, &u, cli_text(line, "line"), unit);
	}
	table_print(&t, stdout);
	(void)fputc('\n', stdout);
	table_print(&u, stdout);
	table_fini(&t);
	table_fini(&u);
}

/* The columns are a promise to whoever reads them; new ones come at the end. */
static void print_csv(const struct value *answer)
{
	static const char *const texts[] = {"line", "chargers", "slow"};
	static const char *const figures[] = {
	    "unit",           "requests",       "answers",      "timeouts",       "bad",
	    "exceptions",     "retries",        "pace",         "latency_p50_us", "latency_p90_us",
	    "latency_p99_us", "latency_max_us", "answer_age_us"};
	enum { TEXTS = sizeof(texts) / sizeof(texts[0]), FIGURES = sizeof(figures) / sizeof(figures[0]) };
	struct csv csv = {.to = stdout};
	char text[NAMES];

	for (int i = 0; i < TEXTS; i++)
		csv_text(&csv, texts[i]);
	for (int i = 0; i < FIGURES; i++)
		csv_text(&csv, figures[i]);
	csv_end(&csv);
	value_each (line, value_get(answer, "lines"))
		value_each (unit, value_get(line, "units")) {
			csv_text(&csv, cli_text(line, "line"));
			csv_text(&csv, names_of(unit, " ", text));
			csv_figure(&csv, flag(unit, "slow") ? "1" : "0");
			for (int i = 0; i < FIGURES; i++) {
				(void)snprintf(text, sizeof(text), "%lld", (long long)cli_int(unit, figures[i]));
				csv_figure(&csv, value_get(unit, figures[i]) ? text : "");
			}
			csv_end(&csv);
		}
}

int cli_bus_stats(struct cli *cli)
{
	struct value *arguments = value_object(&cli->arena);
	const struct value *answer;

	if (cli->word_count)
		(void)value_add(&cli->arena, arguments, "line", value_string(&cli->arena, cli->words[0]));
	int result = cli_ask(cli, "bus_stats", arguments, &answer);
	if (result)
		return result;
	if (cli->json)
		cli_print_raw(cli);
	else if (cli->csv)
		print_csv(answer);
	else
		print(cli, answer);
	return CLI_DONE;
}
