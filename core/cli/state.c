/* status, connectors: how things are. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "cli/cli.h"
#include "cli/format.h"
#include "cli/screen.h"
#include "cli/table.h"

static void heading(const struct cli *cli, struct table *t, const char *const *names)
{
	for (int i = 0; i < t->columns; i++)
		table_cell(t, say(cli, names[i]));
}

static void print(struct table *t, int blank_line)
{
	if (blank_line)
		(void)fputc('\n', stdout);
	table_print(t, stdout);
	table_fini(t);
}

/* Status ------------------------------------------------------------------------------------------------------------- */

static int flag(const struct value *object, const char *key)
{
	int b = 0;

	(void)value_to_bool(value_get(object, key), &b);
	return b;
}

/* "12: 3 charging, 9 idle" */
static void put_counts(const struct cli *cli, struct table *t, const struct value *counts)
{
	static const char *const words[] = {"charging", "occupied", "idle", "reserved", "fault", "offline"};
	char text[300], number[FORMAT_SIZE];
	int n = snprintf(text, sizeof(text), "%s", format_int(cli_int(counts, "all"), number));
	const char *comma = ": ";

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		int64_t count = cli_int(counts, words[i]);

		if (!count || n >= (int)sizeof(text))
			continue;
		n += snprintf(text + n, sizeof(text) - (size_t)n, "%s%s %s", comma, format_int(count, number),
			      say(cli, words[i]));
		comma = ", ";
	}
	table_pair(t, say(cli, "connectors"), text);
}

/* Where the page is, and what a browser must show of its certificate. */
static void put_page(const struct cli *cli, struct table *t, const struct value *page)
{
	value_each (address, value_get(page, "addresses"))
		table_pair(t, say(cli, "page"), value_text(address));
	if (*cli_text(page, "fingerprint"))
		table_pair(t, say(cli, flag(page, "self_signed") ? "own certificate" : "certificate"),
			   cli_text(page, "fingerprint"));
}

/* What somebody has to set up before it can do its work. */
static void put_setup(const struct cli *cli, struct table *t, const struct value *setup)
{
	char text[300] = "";
	size_t n = 0;

	value_each (what, setup) {
		if (flag(what, "needed") && n < sizeof(text))
			n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%s", n ? ", " : "", say(cli, what->key));
	}
	if (n)
		table_pair(t, say(cli, "not set up"), text);
}

static void put_head(const struct cli *cli, struct table *t, const struct value *s)
{
	const struct value *orders = value_get(s, "orders");
	char text[300], a[FORMAT_SIZE], b[FORMAT_SIZE], c[FORMAT_SIZE];

	table_pair(t, say(cli, "version"), cli_text(s, "version"));
	(void)snprintf(text, sizeof(text), "%s (%s)", cli_text(s, "since"), format_duration(cli_int(s, "uptime_s"), a));
	table_pair(t, say(cli, "running since"), text);
	table_pair(t, say(cli, "configuration"), cli_text(s, "config"));
	(void)snprintf(text, sizeof(text), "%s (%s)", cli_text(s, "time"),
		       say(cli, flag(s, "clock_trusted") ? "set" : "not set"));
	table_pair(t, say(cli, "clock"), text);
	put_page(cli, t, value_get(s, "page"));
	put_setup(cli, t, value_get(s, "setup"));
	if (value_get(s, "data_free_bytes")) {
		(void)snprintf(text, sizeof(text), "%s MB (%s)", format_megabytes(cli_int(s, "data_free_bytes"), a),
			       cli_text(s, "data_dir"));
		table_pair(t, say(cli, "free disk"), text);
	}
	if (cli_int(s, "scripts_refused") > 0) {
		(void)snprintf(text, sizeof(text), say(cli, "%s refused (forecourt lua reload says why)"),
			       format_int(cli_int(s, "scripts_refused"), a));
		table_pair(t, say(cli, "Lua files"), text);
	}
	put_counts(cli, t, value_get(s, "connectors"));
	(void)snprintf(text, sizeof(text), "%s %s, %s %s, %s %s", format_int(cli_int(orders, "open"), a),
		       say(cli, "open"), format_int(cli_int(orders, "waiting"), b), say(cli, "waiting"),
		       format_int(cli_int(orders, "disputed"), c), say(cli, "disputed"));
	table_pair(t, say(cli, "orders"), text);
}

static void print_platforms(const struct cli *cli, const struct value *list)
{
	static const char *const names[] = {"platform",       "linked",          "waiting",
					    "orders waiting", "disputed orders", "last error"};
	struct table t;
	char text[FORMAT_SIZE];

	if (!list || !list->first)
		return;
	table_init(&t, 6, 1u << 2 | 1u << 3 | 1u << 4);
	heading(cli, &t, names);
	value_each (p, list) {
		const struct value *orders = value_get(p, "orders");

		table_cell(&t, cli_text(p, "name"));
		table_cell(&t, say(cli, flag(p, "linked") ? "yes" : "no"));
		table_cell(&t, format_int(cli_int(p, "waiting"), text));
		table_cell(&t, format_int(cli_int(orders, "waiting"), text));
		table_cell(&t, format_int(cli_int(orders, "disputed"), text));
		table_cell(&t, cli_text(p, "last_error"));
	}
	print(&t, 1);
}

/* Of CAN buses more: how the controller is, and why. */
static void print_can(const struct cli *cli, const struct value *list)
{
	value_each (b, list) {
		if (!value_get(b, "can"))
			continue;
		printf("CAN ");
		screen_print(cli_text(b, "name"), 0, stdout);
		printf(": ");
		screen_print(say(cli, cli_text(b, "can")), 0, stdout);
		(void)fputs(*cli_text(b, "reason") ? ": " : "", stdout);
		screen_print(cli_text(b, "reason"), 0, stdout);
		printf(", %s %lld.%lld %%\n", say(cli, "bus load"), (long long)cli_int(b, "load_permille") / 10,
		       (long long)cli_int(b, "load_permille") % 10);
	}
}

/* Of a line's time: what was used, what its reads need. */
static const char *percent(int64_t value, char text[FORMAT_SIZE])
{
	(void)snprintf(text, FORMAT_SIZE, "%lld %%", (long long)value);
	return text;
}

static void print_buses(const struct cli *cli, const struct value *list)
{
	static const char *const names[] = {"bus", "linked", "units", "silent", "polls", "failed", "load", "needs"};
	struct table t;
	char text[FORMAT_SIZE];

	if (!list || !list->first)
		return;
	table_init(&t, 8, 1u << 2 | 1u << 3 | 1u << 4 | 1u << 5 | 1u << 6 | 1u << 7);
	heading(cli, &t, names);
	value_each (b, list) {
		table_cell(&t, cli_text(b, "name"));
		table_cell(&t, say(cli, flag(b, "connected") ? "yes" : "no"));
		table_cell(&t, format_int(cli_int(b, "units"), text));
		table_cell(&t, format_int(cli_int(b, "units_silent"), text));
		/* A CAN bus has frames and errors instead, and its load comes from what is heard. */
		int is_can = value_get(b, "can") != NULL;
		table_cell(&t, format_int(cli_int(b, is_can ? "frames" : "polls"), text));
		table_cell(&t, format_int(cli_int(b, is_can ? "errors" : "failed"), text));
		table_cell(&t, percent(is_can ? cli_int(b, "load_permille") / 10 : cli_int(b, "load"), text));
		table_cell(&t, is_can ? "-" : percent(cli_int(b, "planned"), text));
	}
	print(&t, 1);
	print_can(cli, list);
}

int cli_status(struct cli *cli)
{
	const struct value *s;
	int result = cli_ask(cli, "status", NULL, &s);
	struct table t;

	if (result || cli->json) {
		if (!result)
			cli_print_raw(cli);
		return result;
	}
	table_init(&t, 2, 0);
	put_head(cli, &t, s);
	print(&t, 0);
	if (value_get(s, "alarms") && value_get(s, "alarms")->first) {
		(void)fputc('\n', stdout);
		cli_print_alarms(cli, value_get(s, "alarms"));
	}
	print_platforms(cli, value_get(s, "platforms"));
	print_buses(cli, value_get(s, "buses"));
	return CLI_DONE;
}

/* Connectors --------------------------------------------------------------------------------------------------------- */

/* "" for what is not known. */
static const char *figure(const struct value *object, const char *key, const char *(*format)(int64_t, char *),
			  char out[FORMAT_SIZE])
{
	out[0] = '\0';
	return value_get(object, key) ? format(cli_int(object, key), out) : out;
}

/* Thousandths of a percent. */
static const char *format_soc(const struct value *c, char out[FORMAT_SIZE])
{
	int64_t e1;

	out[0] = '\0';
	if (!value_to_decimal(value_get(c, "soc"), 0, &e1))
		(void)format_int(e1, out);
	return out;
}

static void print_list(const struct cli *cli, const struct value *list)
{
	static const char *const names[] = {"connector", "name",      "status",  "since", "kW",
					    "SOC %",     "meter kWh", "session", "kWh",   "yuan"};
	struct table t;
	char text[FORMAT_SIZE];

	table_init(&t, 10, 1u << 4 | 1u << 5 | 1u << 6 | 1u << 8 | 1u << 9);
	heading(cli, &t, names);
	value_each (c, list) {
		const struct value *order = value_get(c, "order");

		table_cell(&t, cli_text(c, "connector"));
		table_cell(&t, cli_text(c, "name"));
		table_cell(&t, say(cli, cli_text(c, "status_name")));
		table_cell(&t, cli_text(c, "since"));
		table_cell(&t, figure(c, "power_w", format_kw, text));
		table_cell(&t, format_soc(c, text));
		table_cell(&t, figure(c, "meter_wh", format_kwh, text));
		table_cell(&t, say(cli, cli_text(c, "session")));
		table_cell(&t, figure(order, "energy_wh", format_kwh, text));
		table_cell(&t, figure(order, "money_e4", format_money, text));
	}
	print(&t, 0);
}

static void print_points(const struct cli *cli, const struct value *list)
{
	static const char *const names[] = {"point", "value", "unit", "quality", "place"};
	struct table t;

	if (!list || !list->first)
		return;
	table_init(&t, 5, 1u << 1);
	heading(cli, &t, names);
	value_each (p, list) {
		const struct value *v = value_get(p, "value");
		char number[FORMAT_SIZE] = "";
		int64_t milli;

		if (!value_text(v) && !value_to_decimal(v, 3, &milli))
			(void)format_point(milli, number);
		table_cell(&t, cli_text(p, "name"));
		table_cell(&t, value_text(v) ? value_text(v) : number);
		table_cell(&t, cli_text(p, "unit"));
		table_cell(&t, say(cli, cli_text(p, "quality")));
		table_cell(&t, cli_text(p, "register"));
	}
	print(&t, 1);
}

/* "16 A: not taken (reads back 32)" */
static void put_limit(const struct cli *cli, struct table *t, const struct value *limit)
{
	char text[200], number[FORMAT_SIZE] = "";
	int64_t milli;
	int n;

	if (!limit || value_to_decimal(value_get(limit, "value"), 3, &milli))
		return;
	(void)format_point(milli, number);
	n = snprintf(text, sizeof(text), "%s %s: %s", number, cli_text(limit, "unit"),
		     say(cli, cli_text(limit, "state")));
	if (n > 0 && n < (int)sizeof(text) && !value_to_decimal(value_get(limit, "reads_back"), 3, &milli))
		(void)snprintf(text + n, sizeof(text) - (size_t)n, " (%s %s)", say(cli, "reads back"),
			       format_point(milli, number));
	table_pair(t, say(cli, "setpoint"), text);
}

/* What operators did, and what the sticker says. */
static void put_acts(const struct cli *cli, struct table *t, const struct value *c)
{
	const struct value *limit = value_get(c, "operator_limit");
	char text[200], number[FORMAT_SIZE], time[CLOCK_DATETIME_SIZE];
	int64_t milli;

	if (limit && !value_to_decimal(value_get(limit, "value"), 3, &milli)) {
		(void)snprintf(text, sizeof(text), "%s %s: %s", format_point(milli, number), cli_text(limit, "unit"),
			       say(cli, cli_text(limit, "state")));
		table_pair(t, say(cli, "operator's limit"), text);
	}
	if (value_get(c, "reserved_until")) {
		clock_format_datetime(cli_int(c, "reserved_until"), time);
		(void)snprintf(text, sizeof(text), "%s %s", time, cli_text(c, "reserved_note"));
		table_pair(t, say(cli, "reserved until"), text);
	}
	if (value_get(c, "qr"))
		table_pair(t, say(cli, "QR code"), cli_text(c, "qr"));
}

static void print_one(const struct cli *cli, const struct value *c)
{
	const struct value *order = value_get(c, "order");
	struct table t;
	char text[FORMAT_SIZE];

	table_init(&t, 2, 0);
	table_pair(&t, say(cli, "connector"), cli_text(c, "connector"));
	table_pair(&t, say(cli, "name"), cli_text(c, "name"));
	table_pair(&t, say(cli, "station"), cli_text(c, "station_name"));
	table_pair(&t, say(cli, "charger"), cli_text(c, "charger"));
	table_pair(&t, say(cli, "status"), say(cli, cli_text(c, "status_name")));
	table_pair(&t, say(cli, "since"), cli_text(c, "since"));
	table_pair(&t, say(cli, "session"), say(cli, cli_text(c, "session")));
	put_limit(cli, &t, value_get(c, "limit"));
	put_acts(cli, &t, c);
	if (order) {
		table_pair(&t, say(cli, "order"), cli_text(order, "seq"));
		table_pair(&t, say(cli, "platform"), cli_text(order, "platform"));
		table_pair(&t, say(cli, "began"), cli_text(order, "start"));
		table_pair(&t, say(cli, "kWh"), figure(order, "energy_wh", format_kwh, text));
		table_pair(&t, say(cli, "yuan"), figure(order, "money_e4", format_money, text));
	}
	print(&t, 0);
	print_points(cli, value_get(c, "points"));
}

int cli_connectors(struct cli *cli)
{
	struct value *arguments = value_object(&cli->arena);
	const struct value *answer;

	if (cli->words[0])
		(void)value_add(&cli->arena, arguments, "connector", value_string(&cli->arena, cli->words[0]));
	int result = cli_ask(cli, "connectors", arguments, &answer);
	const struct value *list = value_get(answer, "connectors");
	if (result)
		return result;
	if (cli->json)
		cli_print_raw(cli);
	else if (cli->words[0] && list && list->first)
		print_one(cli, list->first);
	else
		print_list(cli, list);
	return CLI_DONE;
}
