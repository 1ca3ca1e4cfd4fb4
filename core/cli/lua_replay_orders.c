/* Recorded orders priced by a changed policy, each at the time at which it began. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "charge/reprice.h"
#include "cli/format.h"
#include "cli/lua_replay.h"
#include "cli/table.h"

enum { COLUMNS = 8, RIGHT = 0x78 };

struct replay_orders {
	struct replay *replay;
	struct table table;
	int64_t was_e4, is_e4;
	int even;                  /* without a trace */
	int unoccupied;            /* whose time at the place was not measured */
	struct order order;        /* the one at hand */
	struct repriced then, now; /* by the file to compare with, and by the changed one */
};

struct replay_orders *replay_orders_new(struct replay *replay)
{
	static const char *const heads[COLUMNS] = {"number", "began",    "platform",   "kWh",
						   "was",    "would be", "difference", ""};
	struct replay_orders *o = calloc(1, sizeof(*o));

	if (!o)
		return NULL;
	o->replay = replay;
	table_init(&o->table, COLUMNS, RIGHT);
	if (replay->cli->json)
		(void)fputs("{\"orders\":[", stdout);
	for (int i = 0; i < COLUMNS; i++)
		table_cell(&o->table, *heads[i] ? say(replay->cli, heads[i]) : " ");
	return o;
}

/* Its figures as the journal had them. */
static int read_order(struct replay_orders *o, const struct replay_line *line, struct error *err)
{
	const struct value *t = line->tree;
	struct raw record = raw_member((struct raw){line->text, line->len}, "charge");
	struct journal_order entry = {.mode = (int)cli_int(t, "mode"),
				      .closed = 1,
				      .start_wall = cli_int(t, "start_wall"),
				      .end_wall = cli_int(t, "end_wall"),
				      .wh = cli_int(t, "energy_wh"),
				      .money_e4 = cli_int(t, "money_e4"),
				      .reason = (int)cli_int(t, "reason")};

	(void)snprintf(entry.seq, sizeof(entry.seq), "%s", cli_text(t, "seq"));
	(void)snprintf(entry.connector_id, sizeof(entry.connector_id), "%s", cli_text(t, "connector"));
	(void)snprintf(entry.platform, sizeof(entry.platform), "%s", cli_text(t, "platform"));
	entry.record = record.text ? arena_copy(line->arena, record.text, record.len) : NULL;
	if (!entry.record || !*entry.seq)
		return error_set(err, FC_EINVAL, "%s", "is no whole order");
	return order_read(o->replay->reader, &entry, &o->order, err);
}

/* "+1.20", "-0.05", "0.00" */
static const char *format_change(int64_t money_e4, char out[FORMAT_SIZE])
{
	char text[FORMAT_SIZE];

	(void)snprintf(out, FORMAT_SIZE, "%s%s", money_e4 > 0 ? "+" : "", format_money(money_e4, text));
	return out;
}

static void show(struct replay_orders *o, const struct replay_line *line, const struct bill *was, const struct bill *is,
		 const char *remark)
{
	struct replay *r = o->replay;
	char text[FORMAT_SIZE], start[CLOCK_DATETIME_SIZE];

	if (r->cli->json) {
		printf("%s{\"line\":%d,\"seq\":", r->comma, line->number);
		replay_print_json(o->order.seq);
		(void)fputs(",\"connector\":", stdout);
		replay_print_json(o->order.connector_id);
		(void)fputs(",\"platform\":", stdout);
		replay_print_json(o->order.platform);
		printf(",\"energy_wh\":%lld,\"was_e4\":%lld", (long long)o->order.split.total_wh,
		       (long long)was->total_money_e4);
		if (is)
			printf(
			    ",\"is_e4\":%lld,\"difference_e4\":%lld,\"elec_e4\":%lld,\"service_e4\":%lld,\"lines\":%d,"
			    "\"traced\":%s",
			    (long long)is->total_money_e4, (long long)(is->total_money_e4 - was->total_money_e4),
			    (long long)is->elec_money_e4, (long long)is->service_money_e4, is->count,
			    *remark ? "false" : "true");
		else {
			(void)fputs(",\"failed\":", stdout);
			replay_print_json(remark);
		}
		(void)fputs("}", stdout);
		r->comma = ",\n";
		return;
	}
	clock_format_datetime(o->order.start_wall, start);
	table_cell(&o->table, o->order.seq);
	table_cell(&o->table, start);
	table_cell(&o->table, o->order.platform);
	table_cell(&o->table, format_kwh(o->order.split.total_wh, text));
	table_cell(&o->table, format_money(was->total_money_e4, text));
	table_cell(&o->table, is ? format_money(is->total_money_e4, text) : say(r->cli, "fails"));
	table_cell(&o->table, is ? format_change(is->total_money_e4 - was->total_money_e4, text) : NULL);
	table_cell(&o->table, *remark ? remark : " ");
}

static int is_wanted(const struct replay_orders *o, const struct value *t)
{
	const struct replay *r = o->replay;

	if (r->cli->platform && strcmp(r->cli->platform, cli_text(t, "platform")) != 0)
		return 0;
	return r->cli->all || !strcmp(o->order.tariff.policy, r->file.name);
}

int replay_order(struct replay_orders *o, const struct replay_line *line, struct error *err)
{
	struct replay *r = o->replay;
	struct bill was;
	const struct bill *is = &o->now.bill;
	const char *station = cli_text(line->tree, "station");
	struct error why = {0};
	int even = 0, result = read_order(o, line, err);

	if (result)
		return result;
	if (!is_wanted(o, line->tree) || !o->order.metered)
		return FC_OK;
	order_bill(&o->order, &was);
	r->compared++;
	result = r->against.path ? reprice(r->against.policy, &o->order, station, &o->then, &even, &why) : FC_OK;
	if (!result)
		result = reprice(r->file.policy, &o->order, station, &o->now, &even, &why);
	o->even += even;
	if (result) {
		r->failed++;
		show(o, line, &was, NULL, why.text);
		return FC_OK;
	}
	if (r->against.path)
		was = o->then.bill;
	o->unoccupied += o->now.tariff.occupancy_minute_e4 > 0 && !o->order.tariff.occupancy_minute_e4;
	o->was_e4 += was.total_money_e4;
	o->is_e4 += is->total_money_e4;
	if (!reprice_differs(&was, is))
		return FC_OK;
	r->differ++;
	show(o, line, &was, is, even ? say(r->cli, "no trace") : "");
	return FC_OK;
}

static void print_totals(const struct replay_orders *o)
{
	const struct replay *r = o->replay;
	char change[FORMAT_SIZE], was[FORMAT_SIZE], is[FORMAT_SIZE];

	if (r->differ || r->failed) {
		table_print(&o->table, stdout);
		(void)fputc('\n', stdout);
	}
	if (o->even)
		printf(
		    say(r->cli, "%d orders have no energy trace: their energy is taken as even within each period\n"),
		    o->even);
	if (o->unoccupied)
		printf(say(r->cli, "%d orders: how long the place stayed taken was not measured; no fee for it\n"),
		       o->unoccupied);
	if (r->failed)
		printf(say(r->cli, "%d orders can't be priced\n"), r->failed);
	if (!r->compared)
		return;
	printf(say(r->cli, "revenue %s (%s instead of %s yuan), %d orders differ, of %d\n"),
	       format_change(o->is_e4 - o->was_e4, change), format_money(o->is_e4, is), format_money(o->was_e4, was),
	       r->differ, r->compared);
}

void replay_orders_end(struct replay_orders *o)
{
	const struct replay *r = o->replay;

	if (r->cli->json)
		printf("],\"totals\":{\"orders\":%d,\"differ\":%d,\"failed\":%d,\"was_e4\":%lld,\"is_e4\":%lld,"
		       "\"difference_e4\":%lld,\"without_trace\":%d,\"occupancy_unknown\":%d,\"bad_lines\":%d}}\n",
		       r->compared, r->differ, r->failed, (long long)o->was_e4, (long long)o->is_e4,
		       (long long)(o->is_e4 - o->was_e4), o->even, o->unoccupied, r->bad_lines);
	else
		print_totals(o);
	table_fini(&o->table);
	free(o);
}
