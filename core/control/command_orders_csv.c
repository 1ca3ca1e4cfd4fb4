/* Orders as a file for a spreadsheet: the columns of `forecourt orders export`, in UTF-8 with the mark that Excel wants. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/csv.h"
#include "base/decimal.h"
#include "control/command.h"

/* A record is read for each: 100 are some ms, and the loop goes on between two pages. */
enum { PART = 10, PARTS = 10 };
static const char mark[] = "\xEF\xBB\xBF";
static const size_t memory = (size_t)2 << 20;

static const char *const columns[] = {
    "seq",       "connector",      "platform",   "started_by",      "start",           "end",     "energy_kwh",
    "elec_yuan", "service_yuan",   "total_yuan", "reason",          "reason_text",     "repairs", "told",
    "policy",    "policy_version", "profile",    "profile_version", "mapping_versions"};

static void put_text(struct csv *csv, const struct value *o, const char *key)
{
	const char *text = value_text(value_get(o, key));

	csv_text(csv, text ? text : "");
}

/* Ten-thousandths of a yuan as yuan to the fen, thousandths of a kWh as kWh; empty where it is not known. */
static void put_figure(struct csv *csv, const struct value *o, const char *key, int from, int to)
{
	int64_t scaled;
	char text[40] = "";

	if (!value_to_int(value_get(o, key), &scaled))
		(void)decimal_format(decimal_rescale(scaled, from, to), to, text, sizeof(text));
	csv_figure(csv, text);
}

/* Joined: of texts, or of a member of objects. */
static void put_list(struct csv *csv, const struct value *list, const char *key)
{
	char text[400] = "";
	size_t n = 0;

	value_each (item, list) {
		const char *one = value_text(key ? value_get(item, key) : item);

		if (n < sizeof(text))
			n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%s", n ? "; " : "", one ? one : "");
	}
	csv_text(csv, text);
}

static void put_row(struct csv *csv, const struct value *o)
{
	const struct value *tariff = value_get(o, "tariff"), *told = value_get(o, "told");

	put_text(csv, o, "seq");
	put_text(csv, o, "connector");
	put_text(csv, o, "platform");
	put_text(csv, o, "mode_name");
	put_text(csv, o, "start");
	put_text(csv, o, "end");
	put_figure(csv, o, "energy_wh", 3, 3);
	put_figure(csv, o, "elec_money_e4", 4, 2);
	put_figure(csv, o, "service_money_e4", 4, 2);
	put_figure(csv, o, "money_e4", 4, 2);
	put_figure(csv, o, "reason", 0, 0);
	put_text(csv, o, "reason_name");
	put_list(csv, value_get(o, "repairs"), NULL);
	put_list(csv, told, "state");
	put_text(csv, tariff, "policy");
	put_text(csv, tariff, "version");
	put_text(csv, o, "profile");
	put_text(csv, o, "profile_version");
	put_list(csv, told, "mapping_version");
	csv_end(csv);
}

static int write_orders(struct control *control, const struct control_reply *reply, struct journal_place *place,
			struct csv *csv, struct error *err)
{
	const struct control_list list = {1, 1, PART, place};
	int more = 1;

	for (int i = 0; i < PARTS && more > 0; i++) {
		struct value *orders = NULL;
		struct arena arena;

		arena_init(&arena, memory);
		more = control_list_orders(control, reply, &list, &arena, &orders, err);
		if (more >= 0 && !orders)
			more = error_set(err, FC_ENOMEM, "no memory");
		value_each (o, orders)
			put_row(csv, o);
		arena_fini(&arena);
	}
	return more;
}

/* "forecourt-orders-2026-11-21.csv": of the days asked for, or of today. */
static void put_name(const struct control_reply *reply, struct maker *m, struct value *root)
{
	const char *from = control_text(reply, "from"), *to = control_text(reply, "to");
	char name[80], today[CLOCK_DATE_SIZE];

	clock_format_date(clock_wall(), today);
	(void)snprintf(name, sizeof(name), "forecourt-orders-%s%s%s.csv", from ? from : today, to ? "_" : "",
		       to ? to : "");
	maker_text(m, root, "file", name);
	maker_text(m, root, "type", "text/csv; charset=utf-8");
}

int command_orders_csv(struct control *control, struct control_reply *reply, struct error *err)
{
	struct maker m = {.arena = &reply->arena};
	struct value *root = value_object(m.arena);
	struct journal_place place = {0};
	char *text = NULL;
	size_t len = 0;

	if (control_read_place(reply, &place, err))
		return FC_EINVAL;
	struct csv csv = {.to = open_memstream(&text, &len)};
	if (!csv.to)
		return error_set(err, FC_ENOMEM, "no memory");
	/* What goes behind an earlier page has no head. */
	if (!*place.seq) {
		(void)fputs(mark, csv.to);
		for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++)
			csv_text(&csv, columns[i]);
		csv_end(&csv);
	}
	int more = write_orders(control, reply, &place, &csv, err);
	if (fclose(csv.to) && more >= 0)
		more = error_set(err, FC_ENOMEM, "no memory");
	if (more >= 0) {
		put_name(reply, &m, root);
		maker_put(&m, root, "text", value_string_len(m.arena, text ? text : "", len));
		if (more)
			control_put_next(&m, root, &place);
		reply->result = m.failed ? NULL : root;
	}
	free(text);
	return more < 0 ? more : FC_OK;
}
