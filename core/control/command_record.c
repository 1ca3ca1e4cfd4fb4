/* Command record: what a trial on a laptop needs: who the station is, the last messages, the last orders. Each is one line of JSON;
 * lines come in pages. Personal data is not in it: messages were masked when they were recorded, and orders go without their
 * user. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "control/command.h"
#include "store/journal_list.h"

enum { VERSION = 1, ORDERS = 200, PAGE_BYTES = 32 << 10, LINE_MAX_BYTES = 1 << 20, ORDER_PAGE = 10 };

struct page {
	struct control *control;
	struct maker m;
	struct value *lines;
	struct buffer line;
	size_t bytes;
	int64_t wanted; /* orders that are still to come */
};

/* A line that could not be made is left out: one damaged order must not be the end of all. */
static void push_line(struct page *p)
{
	if (!p->line.failed && p->line.len) {
		maker_push(&p->m, p->lines, value_string_len(p->m.arena, p->line.data, p->line.len));
		p->bytes += p->line.len;
	}
	buffer_fini(&p->line);
	buffer_init(&p->line, LINE_MAX_BYTES);
}

static void push_tree(struct page *p, const struct value *tree)
{
	(void)json_write(&p->line, tree);
	push_line(p);
}

/* Who we are ----------------------------------------------------------------------------------------------------------- */

static struct value *connectors(struct page *p)
{
	struct value *list = value_array(p->m.arena);
	const struct station_set *stations = p->control->sources.stations;

	for (int i = 0; i < station_connector_count(stations); i++) {
		const struct connector *c = station_connector_at(stations, i);
		struct value *o = value_object(p->m.arena);

		maker_text(&p->m, o, "id", c->config->connector_id);
		maker_text(&p->m, o, "station", c->station->station_id);
		maker_push(&p->m, list, o);
	}
	return list;
}

static struct value *platforms(struct page *p, const struct config *config)
{
	struct value *list = value_array(p->m.arena);

	for (int i = 0; config && i < config->platform_count; i++) {
		const struct config_platform *options = &config->platforms[i];
		struct value *o = value_object(p->m.arena);

		maker_text(&p->m, o, "name", options->name);
		maker_text(&p->m, o, "operator_id", options->operator_id);
		maker_text(&p->m, o, "mapping", options->mapping);
		maker_text(&p->m, o, "policy", options->policy);
		maker_push(&p->m, list, o);
	}
	return list;
}

static void push_header(struct page *p)
{
	const struct config *config = station_set_config(p->control->sources.stations);
	const struct recorder *recorder = platform_set_recorder(p->control->sources.platforms);
	struct value *o = value_object(p->m.arena);

	maker_text(&p->m, o, "record", "header");
	maker_int(&p->m, o, "version", VERSION);
	maker_text(&p->m, o, "program", p->control->sources.version);
	control_put_time(&p->m, o, "time", clock_wall());
	maker_text(&p->m, o, "operator_id", config ? config->gateway.operator_id : "");
	if (recorder) {
		struct recorder_counts counts = recorder_counts(recorder);

		maker_int(&p->m, o, "messages", counts.held);
		maker_int(&p->m, o, "messages_passed", (int64_t)counts.noted);
		maker_int(&p->m, o, "messages_too_large", (int64_t)counts.too_large);
	}
	maker_put(&p->m, o, "connectors", connectors(p));
	maker_put(&p->m, o, "platforms", platforms(p, config));
	push_tree(p, o);
}

/* Messages ------------------------------------------------------------------------------------------------------------- */

/* Nonzero when there are more behind *number. */
static int push_messages(struct page *p, uint64_t *number)
{
	const struct recorder *recorder = platform_set_recorder(p->control->sources.platforms);

	while (p->bytes < PAGE_BYTES) {
		if (recorder_line(recorder, number, &p->line))
			return 0;
		push_line(p);
	}
	return 1;
}

/* Orders --------------------------------------------------------------------------------------------------------------- */

static void put_record(void *user, const struct journal_order *entry)
{
	struct page *p = user;
	struct error err = {0};
	struct order *order = malloc(sizeof(*order));

	p->wanted--;
	if (!order || order_read(p->control->reader, entry, order, &err)) {
		p->line.failed = 1;
		free(order);
		return;
	}
	memset(order->user, 0, sizeof(order->user));
	memset(order->vin, 0, sizeof(order->vin));
	if (order_write(order, &p->line))
		p->line.failed = 1;
	free(order);
}

static void push_order(void *user, const struct journal_order *entry)
{
	struct page *p = user;
	struct value *o = value_object(p->m.arena);
	const struct connector *c = station_connector_find(p->control->sources.stations, entry->connector_id);

	maker_text(&p->m, o, "record", "order");
	maker_text(&p->m, o, "seq", entry->seq);
	maker_text(&p->m, o, "connector", entry->connector_id);
	maker_text(&p->m, o, "station", c ? c->station->station_id : "");
	maker_text(&p->m, o, "platform", entry->platform);
	maker_int(&p->m, o, "mode", entry->mode);
	control_put_time(&p->m, o, "start", entry->start_wall);
	control_put_time(&p->m, o, "end", entry->end_wall);
	maker_int(&p->m, o, "start_wall", entry->start_wall);
	maker_int(&p->m, o, "end_wall", entry->end_wall);
	maker_int(&p->m, o, "energy_wh", entry->wh);
	maker_int(&p->m, o, "money_e4", entry->money_e4);
	maker_int(&p->m, o, "reason", entry->reason);
	if (json_write(&p->line, o) || !p->line.len)
		return;
	/* The record is JSON itself: it goes where the object ends. */
	p->line.data[--p->line.len] = '\0';
	(void)buffer_text(&p->line, ",\"charge\":");
	put_record(p, entry);
	(void)buffer_text(&p->line, "}");
	push_line(p);
}

/* 1 when there may be more behind place, 0, or FC_EIO. */
static int push_orders(struct page *p, struct journal_place *place)
{
	struct journal_query query = {.last = INT64_MAX};
	int more = 1;

	while (more > 0 && p->wanted > 0 && p->bytes < PAGE_BYTES) {
		query.most = p->wanted < ORDER_PAGE ? (int)p->wanted : ORDER_PAGE;
		more = journal_page(p->control->sources.store, &query, place, push_order, p);
	}
	return more > 0 && p->wanted <= 0 ? 0 : more;
}

/* Pages ---------------------------------------------------------------------------------------------------------------- */

/* "m:NUMBER" or "o:WANTED:END:SEQ", made here and given back. */
static int read_after(const char *text, struct page *p, uint64_t *number, struct journal_place *place, int *orders)
{
	char *end;

	if (!text)
		return FC_OK;
	*orders = *text == 'o';
	if ((*text != 'm' && *text != 'o') || text[1] != ':')
		return FC_EINVAL;
	if (*text == 'm') {
		*number = strtoull(text + 2, &end, 10);
		return end == text + 2 || *end ? FC_EINVAL : FC_OK;
	}
	p->wanted = strtoll(text + 2, &end, 10);
	if (*end != ':')
		return FC_EINVAL;
	place->end_wall = strtoll(end + 1, &end, 10);
	if (*end != ':' || strlen(end + 1) >= sizeof(place->seq))
		return FC_EINVAL;
	(void)snprintf(place->seq, sizeof(place->seq), "%s", end + 1);
	return FC_OK;
}

int command_record(struct control *control, struct control_reply *reply, struct error *err)
{
	struct page p = {.control = control, .m = {.arena = &reply->arena}};
	const char *after = control_text(reply, "after");
	struct journal_place place = {0};
	uint64_t number = 0;
	char next[96] = "";
	int orders = 0, more = 1;

	p.wanted = control_int(reply, "orders", ORDERS);
	if (read_after(after, &p, &number, &place, &orders))
		return error_set(err, FC_EINVAL, "after: is not what an earlier page gave as next");
	buffer_init(&p.line, LINE_MAX_BYTES);
	struct value *root = value_object(p.m.arena);
	p.lines = value_array(p.m.arena);
	if (!after)
		push_header(&p);
	if (!orders) {
		orders = !push_messages(&p, &number);
		(void)snprintf(next, sizeof(next), "m:%" PRIu64, number);
	}
	if (orders) {
		more = push_orders(&p, &place);
		(void)snprintf(next, sizeof(next), "o:%" PRId64 ":%" PRId64 ":%s", p.wanted, place.end_wall, place.seq);
	}
	buffer_fini(&p.line);
	if (more < 0)
		return error_set(err, FC_EIO, "the journal can't be read");
	maker_put(&p.m, root, "lines", p.lines);
	if (more)
		maker_text(&p.m, root, "next", next);
	reply->result = p.m.failed ? NULL : root;
	return FC_OK;
}
