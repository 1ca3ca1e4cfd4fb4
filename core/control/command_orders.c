/* Commands that look at orders, and tell them again. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "charge/words.h"
#include "control/command.h"
#include "store/events.h"
#include "store/journal_list.h"
#include "store/retain.h"

/* Fewer with details: each costs the reading of a record, and may have 32 lines and as many prices for each of three days. */
enum { PAGE = 50, PAGE_DETAILED = 10 };

struct listing {
	struct control *control;
	struct maker m;
	struct value *list;
	int details;
	int failed;
	int count;
};

/* What of it was told to whom ------------------------------------------------------------------------------------------ */

static const char *outbox_word(enum outbox_state state)
{
	switch (state) {
	case OUTBOX_WAITING:
		return "waiting";
	case OUTBOX_CONFIRMED:
		return "confirmed";
	case OUTBOX_DISPUTED:
		return "disputed";
	case OUTBOX_DROPPED:
		return "dropped";
	}
	return "unknown";
}

static void put_entry(void *user, const struct outbox_entry *entry)
{
	struct listing *l = user;
	struct value *o = value_object(l->m.arena);

	maker_text(&l->m, o, "platform", entry->platform);
	maker_text(&l->m, o, "state", outbox_word(entry->state));
	maker_int(&l->m, o, "attempts", entry->attempts);
	if (entry->state == OUTBOX_WAITING)
		control_put_time(&l->m, o, "next", entry->next_wall);
	else
		maker_int(&l->m, o, "answer", entry->answer);
	if (*entry->mapping)
		maker_text(&l->m, o, "mapping_version", entry->mapping);
	maker_push(&l->m, l->list, o);
}

static void put_outbox(struct listing *l, struct value *o, const char *seq)
{
	struct listing entries = {.m = {.arena = l->m.arena}, .list = value_array(l->m.arena)};

	if (outbox_of(l->control->sources.store, seq, put_entry, &entries) < 0)
		l->failed = 1;
	l->m.failed |= entries.m.failed;
	maker_put(&l->m, o, "told", entries.list);
}

/* Orders --------------------------------------------------------------------------------------------------------------- */

static struct value *put_head(struct listing *l, const struct journal_order *e)
{
	struct value *o = value_object(l->m.arena);

	maker_text(&l->m, o, "seq", e->seq);
	maker_text(&l->m, o, "connector", e->connector_id);
	maker_text(&l->m, o, "platform", e->platform);
	maker_int(&l->m, o, "mode", e->mode);
	maker_text(&l->m, o, "mode_name", words_mode((enum order_mode)e->mode));
	control_put_time(&l->m, o, "start", e->start_wall);
	control_put_time(&l->m, o, "end", e->end_wall);
	maker_int(&l->m, o, "energy_wh", e->wh);
	maker_int(&l->m, o, "money_e4", e->money_e4);
	if (e->closed) {
		maker_int(&l->m, o, "reason", e->reason);
		maker_text(&l->m, o, "reason_name", words_reason(e->reason));
	}
	return o;
}

/* As the charge room has it: of a running one that is more than the journal's last note. */
static void put_order(void *user, const struct order *order, enum session_state state,
		      const struct connector *connector)
{
	struct listing *l = user;
	struct journal_order entry = order_entry(order, "");
	struct value *o = put_head(l, &entry);

	(void)connector;
	maker_text(&l->m, o, "session", entry.closed ? "closed" : session_state_name(state));
	if (l->details)
		control_put_order(&l->m, o, order);
	put_outbox(l, o, order->seq);
	maker_push(&l->m, l->list, o);
	l->count++;
}

/* What can't be read as an order is still listed, with what the journal itself knows of it. */
static void put_unread(struct listing *l, const struct journal_order *entry, const char *why)
{
	struct value *o = put_head(l, entry);

	maker_text(&l->m, o, "session", entry->closed ? "closed" : "unknown");
	if (why)
		maker_text(&l->m, o, "damaged", why);
	put_outbox(l, o, entry->seq);
	maker_push(&l->m, l->list, o);
	l->count++;
}

static void put_listed(void *user, const struct journal_order *entry)
{
	struct listing *l = user;
	struct error err = {0};
	struct order *order;
	int before = l->count;

	if (!entry->closed) {
		(void)charge_find(l->control->sources.charges, entry->seq, put_order, l);
		if (l->count == before)
			put_unread(l, entry, "its record can't be read");
		return;
	}
	if (!l->details) {
		put_unread(l, entry, NULL);
		return;
	}
	order = malloc(sizeof(*order));
	if (!order) {
		l->m.failed = 1;
		return;
	}
	if (order_read(l->control->reader, entry, order, &err))
		put_unread(l, entry, err.text);
	else
		put_order(l, order, SESSION_ENDED, NULL);
	free(order);
}

/* "END:SEQ", made here and given back. */
static int read_place(const char *text, struct journal_place *place)
{
	char *end;

	if (!text)
		return FC_OK;
	place->end_wall = strtoll(text, &end, 10);
	if (end == text || *end != ':' || !end[1] || strlen(end + 1) >= sizeof(place->seq))
		return FC_EINVAL;
	(void)snprintf(place->seq, sizeof(place->seq), "%s", end + 1);
	return FC_OK;
}

/* "open", "waiting", "confirmed", "disputed": the words in which an order's entries are told. */
static int read_state(const struct control_reply *reply, struct journal_query *query)
{
	static const struct {
		const char *word;
		enum journal_told told;
	} words[] = {{"waiting", JOURNAL_WAITING}, {"confirmed", JOURNAL_CONFIRMED}, {"disputed", JOURNAL_DISPUTED}};
	const char *state = control_text(reply, "state");

	query->open = control_flag(reply, "open") || (state && !strcmp(state, "open"));
	if (!state || !strcmp(state, "open"))
		return FC_OK;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (!strcmp(words[i].word, state)) {
			query->told = words[i].told;
			return FC_OK;
		}
	return FC_EINVAL;
}

int control_list_orders(struct control *control, const struct control_reply *reply, const struct control_list *list,
			struct arena *arena, struct value **out, struct error *err)
{
	struct listing l = {
	    .control = control, .m = {.arena = arena}, .list = value_array(arena), .details = list->details};
	struct journal_query query = {.platform = control_text(reply, "platform"),
				      .connector = control_text(reply, "connector"),
				      .search = control_text(reply, "search"),
				      .oldest_first = list->oldest_first,
				      .most = list->most};

	if (l.details && query.most > PAGE_DETAILED)
		query.most = PAGE_DETAILED;
	control_days(reply, &query.first, &query.last);
	if (read_state(reply, &query))
		return error_set(err, FC_EINVAL, "state: open, waiting, confirmed or disputed");
	int more = journal_page(control->sources.store, &query, list->place, put_listed, &l);
	if (more < 0 || l.failed)
		return error_set(err, FC_EIO, "the journal can't be read");
	*out = l.m.failed ? NULL : l.list;
	return more;
}

int control_read_place(const struct control_reply *reply, struct journal_place *place, struct error *err)
{
	return read_place(control_text(reply, "after"), place)
		   ? error_set(err, FC_EINVAL, "after: is not what an earlier page gave as next")
		   : FC_OK;
}

void control_put_next(struct maker *m, struct value *root, const struct journal_place *place)
{
	char next[64];

	(void)snprintf(next, sizeof(next), "%" PRId64 ":%s", place->end_wall, place->seq);
	maker_text(m, root, "next", next);
}

/* How far back there are any, and why not further. */
static void put_kept(struct maker *m, struct value *root, const struct retain_state *kept)
{
	struct value *o = value_object(m->arena);

	if (kept->oldest_wall)
		control_put_time(m, o, "oldest", kept->oldest_wall);
	maker_int(m, o, "days", kept->limits.days);
	maker_int(m, o, "used", kept->used);
	maker_int(m, o, "share", kept->most);
	maker_put(m, root, "kept", o);
}

int command_orders(struct control *control, struct control_reply *reply, struct error *err)
{
	struct journal_place place = {0};
	const int details = control_flag(reply, "details");
	const struct control_list list = {details, control_flag(reply, "oldest_first"),
					  (int)control_int(reply, "limit", details ? PAGE_DETAILED : PAGE), &place};
	struct maker m = {.arena = &reply->arena};
	struct value *root = value_object(m.arena), *orders = NULL;

	if (control_read_place(reply, &place, err))
		return FC_EINVAL;
	int more = control_list_orders(control, reply, &list, m.arena, &orders, err);
	if (more < 0)
		return more;
	maker_put(&m, root, "orders", orders);
	if (more)
		control_put_next(&m, root, &place);
	put_kept(&m, root, retain_look(control->sources.store));
	reply->result = m.failed ? NULL : root;
	return FC_OK;
}

int command_order(struct control *control, struct control_reply *reply, struct error *err)
{
	struct listing l = {
	    .control = control, .m = {.arena = &reply->arena}, .list = value_array(&reply->arena), .details = 1};
	int result = journal_find(control->sources.store, control_text(reply, "seq"), put_listed, &l);

	if (result)
		return error_set(err, result,
				 result == FC_ENOENT ? "there is no such order" : "the journal can't be read");
	if (l.failed)
		return error_set(err, FC_EIO, "the journal can't be read");
	reply->result = l.m.failed ? NULL : l.list->first;
	return FC_OK;
}

/* Resend --------------------------------------------------------------------------------------------------------------- */

struct recipients {
	const char *wanted; /* NULL = all */
	int count, is_open;
	char connector[JOURNAL_NAME];
	char names[16][JOURNAL_NAME];
};

static void note_recipient(void *user, const struct outbox_entry *entry)
{
	struct recipients *r = user;

	if (r->count < (int)(sizeof(r->names) / sizeof(r->names[0])) &&
	    (!r->wanted || !strcmp(r->wanted, entry->platform)))
		(void)snprintf(r->names[r->count++], JOURNAL_NAME, "%s", entry->platform);
}

static void note_open(void *user, const struct journal_order *entry)
{
	struct recipients *r = user;

	r->is_open = !entry->closed;
	(void)snprintf(r->connector, sizeof(r->connector), "%s", entry->connector_id);
}

static int find_recipients(struct store *store, const char *seq, struct recipients *r, struct error *err)
{
	int result = journal_find(store, seq, note_open, r);

	if (result == FC_ENOENT)
		return error_set(err, result, "there is no such order");
	if (result || outbox_of(store, seq, note_recipient, r) < 0)
		return error_set(err, FC_EIO, "the journal can't be read");
	if (r->count)
		return FC_OK;
	if (r->is_open)
		return error_set(err, FC_EBUSY, "the charge is still under way");
	return error_set(err, FC_ENOENT,
			 r->wanted ? "the order was never to be sent to that platform"
				   : "the order was never to be sent to anyone");
}

int command_resend(struct control *control, struct control_reply *reply, struct error *err)
{
	const char *seq = control_text(reply, "seq");
	struct recipients r = {.wanted = control_text(reply, "platform")};
	struct maker m = {.arena = &reply->arena};
	struct value *root = value_object(m.arena), *list = value_array(m.arena);
	int result = find_recipients(control->sources.store, seq, &r, err);

	for (int i = 0; i < r.count && !result; i++) {
		struct value *o = value_object(m.arena);

		/* With the outbox's own change, or neither. */
		(void)events_add(control->sources.store,
				 &(struct event){.kind = EVENT_RESEND,
						 .connector = r.connector,
						 .seq = seq,
						 .to = r.names[i],
						 .who = reply->who},
				 NULL);
		result = outbox_again(control->sources.store, r.names[i], seq, err);
		if (result) {
			events_forget(control->sources.store, events_newest(control->sources.store));
			break;
		}
		int reached = !platform_set_order_again(control->sources.platforms, r.names[i]);
		maker_text(&m, o, "platform", r.names[i]);
		maker_text(&m, o, "state", reached ? "sending" : "waiting");
		maker_push(&m, list, o);
	}
	if (result)
		return result;
	maker_text(&m, root, "seq", seq);
	maker_put(&m, root, "told", list);
	reply->result = m.failed ? NULL : root;
	return FC_OK;
}
