/* orders show, orders resend: one order. */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/format.h"
#include "cli/table.h"

/* As much of a version as lua versions shows, and lua show takes. */
enum { SHORT_VERSION = 12 };

static struct value *arguments_of(struct cli *cli)
{
	struct value *v = value_object(&cli->arena);

	(void)value_add(&cli->arena, v, "seq", value_string(&cli->arena, cli->words[0]));
	if (cli->words[1])
		(void)value_add(&cli->arena, v, "platform", value_string(&cli->arena, cli->words[1]));
	return v;
}

static void put_span(const struct cli *cli, struct table *t, const struct value *o)
{
	char a[FORMAT_SIZE], b[FORMAT_SIZE], text[100];

	if (!value_get(o, "start_register_wh"))
		return;
	(void)snprintf(text, sizeof(text), "%s - %s kWh", format_kwh(cli_int(o, "start_register_wh"), a),
		       format_kwh(cli_int(o, "end_register_wh"), b));
	table_pair(t, say(cli, "register"), text);
}

static void put_money(const struct cli *cli, struct table *t, const struct value *o)
{
	static const struct {
		const char *name, *key;
	} sums[] = {{"electricity", "elec_money_e4"}, {"service", "service_money_e4"}, {"total", "money_e4"}};
	char a[FORMAT_SIZE], text[100];

	(void)snprintf(text, sizeof(text), "%s kWh", format_kwh(cli_int(o, "energy_wh"), a));
	table_pair(t, say(cli, "energy"), text);
	for (size_t i = 0; i < sizeof(sums) / sizeof(sums[0]); i++) {
		if (!value_get(o, sums[i].key))
			continue;
		(void)snprintf(text, sizeof(text), "%s %s", format_money(cli_int(o, sums[i].key), a), say(cli, "yuan"));
		table_pair(t, say(cli, sums[i].name), text);
	}
}

/* What the car said, and who counted. */
static void put_car(const struct cli *cli, struct table *t, const struct value *o)
{
	const struct value *from = value_get(o, "soc_start"), *to = value_get(o, "soc_end");
	double a, b;
	char text[40];

	if (*cli_text(o, "cause"))
		table_pair(t, say(cli, "said car or charger"), say(cli, cli_text(o, "cause")));
	if (*cli_text(o, "vin"))
		table_pair(t, say(cli, "vehicle"), cli_text(o, "vin"));
	if (from && to && !value_to_double(from, &a) && !value_to_double(to, &b)) {
		(void)snprintf(text, sizeof(text), "%.6g %% - %.6g %%", a, b);
		table_pair(t, say(cli, "state of charge"), text);
	}
	if (*cli_text(o, "meter"))
		table_pair(t, say(cli, "metered by"), cli_text(o, "meter"));
}

static void print_head(const struct cli *cli, const struct value *o)
{
	const struct value *tariff = value_get(o, "tariff");
	char text[FORMAT_SIZE];
	struct table t;

	table_init(&t, 2, 0);
	table_pair(&t, say(cli, "order"), cli_text(o, "seq"));
	table_pair(&t, say(cli, "connector"), cli_text(o, "connector"));
	table_pair(&t, say(cli, "started by"), say(cli, cli_text(o, "mode_name")));
	table_pair(&t, say(cli, "platform"), cli_text(o, "platform"));
	if (*cli_text(o, "user"))
		table_pair(&t, say(cli, "user"), cli_text(o, "user"));
	if (*cli_text(o, "user_class"))
		table_pair(&t, say(cli, "user class"), cli_text(o, "user_class"));
	table_pair(&t, say(cli, "state"), say(cli, cli_text(o, "session")));
	table_pair(&t, say(cli, "began"), cli_text(o, "start"));
	table_pair(&t, say(cli, "ended"), cli_text(o, "end"));
	if (*cli_text(o, "reason_name"))
		table_pair(&t, say(cli, "reason"), say(cli, cli_text(o, "reason_name")));
	put_car(cli, &t, o);
	put_span(cli, &t, o);
	put_money(cli, &t, o);
	if (cli_int(o, "occupied_s"))
		table_pair(&t, say(cli, "idle time after the end"), format_duration(cli_int(o, "occupied_s"), text));
	value_each (repair, value_get(o, "repairs"))
		table_pair(&t, say(cli, "repaired"), say(cli, value_text(repair)));
	if (*cli_text(o, "damaged"))
		table_pair(&t, say(cli, "damaged"), cli_text(o, "damaged"));
	if (tariff)
		table_pair(&t, say(cli, "prices"), cli_text(tariff, "policy"));
	if (*cli_text(tariff, "version"))
		table_pair(&t, say(cli, "price version"), cli_text(tariff, "version"));
	if (*cli_text(o, "profile")) {
		table_pair(&t, say(cli, "profile"), cli_text(o, "profile"));
		table_pair(&t, say(cli, "profile version"), cli_text(o, "profile_version"));
	}
	table_print(&t, stdout);
	table_fini(&t);
}

static void begin(const struct cli *cli, struct table *t, int columns, unsigned right, const char *const *names)
{
	table_init(t, columns, right);
	for (int i = 0; i < columns; i++)
		table_cell(t, say(cli, names[i]));
}

static void end(struct table *t)
{
	(void)fputc('\n', stdout);
	table_print(t, stdout);
	table_fini(t);
}

static void print_lines(const struct cli *cli, const struct value *lines)
{
	static const char *const names[] = {"from",        "to",          "kWh",    "electricity/kWh",
					    "service/kWh", "electricity", "service"};
	char text[FORMAT_SIZE];
	struct table t;

	if (!lines || !lines->first)
		return;
	begin(cli, &t, 7, 1u << 2 | 1u << 3 | 1u << 4 | 1u << 5 | 1u << 6, names);
	value_each (l, lines) {
		table_cell(&t, cli_text(l, "start"));
		table_cell(&t, cli_text(l, "end"));
		table_cell(&t, format_kwh(cli_int(l, "energy_wh"), text));
		table_cell(&t, format_price(cli_int(l, "elec_e4"), text));
		table_cell(&t, format_price(cli_int(l, "service_e4"), text));
		table_cell(&t, format_money(cli_int(l, "elec_money_e4"), text));
		table_cell(&t, format_money(cli_int(l, "service_money_e4"), text));
	}
	end(&t);
}

/* Days with the prices of the day before are left out. */
static void print_days(const struct cli *cli, const struct value *days)
{
	static const char *const names[] = {"prices", "from", "electricity/kWh", "service/kWh"};
	const struct value *before = NULL;
	char text[FORMAT_SIZE];
	struct table t;

	if (!days || !days->first)
		return;
	begin(cli, &t, 4, 1u << 2 | 1u << 3, names);
	value_each (day, days) {
		const struct value *periods = value_get(day, "periods");
		const char *date = cli_text(day, "date");

		if (before && value_equal(before, periods))
			continue;
		before = periods;
		value_each (p, periods) {
			table_cell(&t, date);
			table_cell(&t, cli_text(p, "start"));
			table_cell(&t, format_price(cli_int(p, "elec_e4"), text));
			table_cell(&t, format_price(cli_int(p, "service_e4"), text));
		}
	}
	end(&t);
}

/* Those that are in force. */
static void print_extras(const struct cli *cli, const struct value *tariff)
{
	static const struct {
		const char *name, *key;
		const char *(*format)(int64_t, char *);
	} extras[] = {{"per minute", "minute_e4", format_price},
		      {"occupancy per minute", "occupancy_minute_e4", format_price},
		      {"minimum", "minimum_e4", format_money},
		      {"maximum", "maximum_e4", format_money},
		      {"free energy", "free_wh", format_kwh}};
	char text[FORMAT_SIZE];
	struct table t;

	table_init(&t, 2, 1u << 1);
	for (size_t i = 0; i < sizeof(extras) / sizeof(extras[0]); i++)
		if (cli_int(tariff, extras[i].key))
			table_pair(&t, say(cli, extras[i].name),
				   extras[i].format(cli_int(tariff, extras[i].key), text));
	if (t.count)
		end(&t);
	table_fini(&t);
}

static void print_told(const struct cli *cli, const struct value *told)
{
	static const char *const names[] = {"told to", "state", "attempts", "platform's answer", "mapping", "next try"};
	char text[FORMAT_SIZE], version[SHORT_VERSION + 1];
	struct table t;

	if (!told || !told->first)
		return;
	begin(cli, &t, 6, 1u << 2 | 1u << 3, names);
	value_each (entry, told) {
		table_cell(&t, cli_text(entry, "platform"));
		table_cell(&t, say(cli, cli_text(entry, "state")));
		table_cell(&t, format_int(cli_int(entry, "attempts"), text));
		table_cell(&t, value_get(entry, "answer") ? format_int(cli_int(entry, "answer"), text) : "");
		(void)snprintf(version, sizeof(version), "%.*s", SHORT_VERSION, cli_text(entry, "mapping_version"));
		table_cell(&t, version);
		table_cell(&t, cli_text(entry, "next"));
	}
	end(&t);
}

int cli_orders_show(struct cli *cli)
{
	const struct value *order;

	if (cli->life)
		return cli_order_life(cli, arguments_of(cli));
	int result = cli_ask(cli, "order", arguments_of(cli), &order);
	if (result)
		return result;
	const struct value *tariff = value_get(order, "tariff");
	if (cli->json) {
		cli_print_raw(cli);
		return CLI_DONE;
	}
	print_head(cli, order);
	print_lines(cli, value_get(order, "lines"));
	print_days(cli, value_get(tariff, "days"));
	print_extras(cli, tariff);
	print_told(cli, value_get(order, "told"));
	return CLI_DONE;
}

int cli_orders_resend(struct cli *cli)
{
	const struct value *answer;
	int result = cli_ask(cli, "resend", arguments_of(cli), &answer);
	struct table t;

	if (result)
		return result;
	if (cli->json) {
		cli_print_raw(cli);
		return CLI_DONE;
	}
	table_init(&t, 2, 0);
	value_each (entry, value_get(answer, "told"))
		table_pair(&t, cli_text(entry, "platform"), say(cli, cli_text(entry, "state")));
	table_print(&t, stdout);
	table_fini(&t);
	return CLI_DONE;
}
