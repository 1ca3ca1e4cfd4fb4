/* What happened: the curves of a connector, the events, the life of an order. */
#include <stdlib.h>
#include <string.h>

#include "control/command.h"
#include "store/events.h"

enum { POINTS = 300, EVENTS_PAGE = 50, LIFE_MAX = 500 };

/* Curves ---------------------------------------------------------------------------------------------------------------- */

static struct value *number_or_null(struct arena *a, int32_t value, int decimals)
{
	if (value == SAMPLE_UNKNOWN)
		return value_null(a);
	return decimals ? value_decimal(a, value, decimals) : value_int(a, value);
}

static void put_curve(struct maker *m, struct value *root, const struct sampler_curve *curve)
{
	struct value *power = value_array(m->arena), *voltage = value_array(m->arena), *current = value_array(m->arena),
		     *soc = value_array(m->arena);

	for (int i = 0; i < curve->count; i++) {
		const struct sample *s = &curve->points[i];

		maker_push(m, power, number_or_null(m->arena, s->power_w, 0));
		maker_push(m, voltage, number_or_null(m->arena, s->voltage_dv, 0));
		maker_push(m, current, number_or_null(m->arena, s->current_da, 0));
		maker_push(m, soc, number_or_null(m->arena, s->soc_e1, 1));
	}
	maker_int(m, root, "from", curve->from);
	maker_int(m, root, "step_s", curve->step_s);
	maker_int(m, root, "count", curve->count);
	maker_put(m, root, "power_w", power);
	maker_put(m, root, "voltage_dv", voltage);
	maker_put(m, root, "current_da", current);
	maker_put(m, root, "soc", soc);
}

int command_history(struct control *control, struct control_reply *reply, struct error *err)
{
	const struct control_sources *s = &control->sources;
	struct maker m = {.arena = &reply->arena};
	struct value *root = value_object(m.arena);
	struct sampler_curve *curve;

	if (!s->sampler || !station_connector_find(s->stations, control_text(reply, "connector")))
		return error_set(err, FC_ENOENT, "%s", charge_refusal_text(CHARGE_NO_CONNECTOR));
	curve = malloc(sizeof(*curve));
	if (!curve)
		return error_set(err, FC_ENOMEM, "no memory");
	int result = sampler_curve(s->sampler, control_text(reply, "connector"), control_int(reply, "from", 0),
				   control_int(reply, "to", 0), (int)control_int(reply, "points", POINTS), curve);
	if (!result)
		put_curve(&m, root, curve);
	free(curve);
	if (result == FC_EINVAL)
		return error_set(err, result, "to: must be behind from, and at most %d days", SAMPLER_RANGE_S / 86400);
	if (result)
		return error_set(err, result, "the history can't be read");
	reply->result = m.failed ? NULL : root;
	return FC_OK;
}

/* Events ---------------------------------------------------------------------------------------------------------------- */

struct listing {
	struct control *control;
	struct maker m;
	struct value *list;
};

static void put_head(struct listing *l, struct value *o, const struct event *e)
{
	maker_int(&l->m, o, "id", e->id);
	maker_int(&l->m, o, "at", e->at);
	maker_text(&l->m, o, "kind", event_kind_name(e->kind));
	maker_optional(&l->m, o, "connector", e->connector);
	maker_optional(&l->m, o, "seq", e->seq);
	maker_optional(&l->m, o, "from", e->from);
	maker_optional(&l->m, o, "to", e->to);
	maker_optional(&l->m, o, "text", e->text);
}

/* The members of the detail, one level: what can't be read is left out. */
static void put_detail(struct listing *l, struct value *o, const struct event *e)
{
	struct value *detail = NULL;

	if (!*e->detail || json_read(l->control->reader, e->detail, strlen(e->detail), l->m.arena, &detail, NULL))
		return;
	value_each (member, detail)
		if (member->key && !value_get(o, member->key))
			maker_put(&l->m, o, member->key, value_copy(l->m.arena, member));
}

static void put_event(void *user, const struct event *e)
{
	struct listing *l = user;
	struct value *o = value_object(l->m.arena);

	put_head(l, o, e);
	maker_optional(&l->m, o, "who", e->who);
	put_detail(l, o, e);
	maker_push(&l->m, l->list, o);
}

int command_events(struct control *control, struct control_reply *reply, struct error *err)
{
	struct listing l = {control, {.arena = &reply->arena}, value_array(&reply->arena)};
	struct value *root = value_object(l.m.arena);
	int64_t below = control_int(reply, "after", 0);
	const char *word = control_text(reply, "kind");
	enum event_kind kind;
	/* Messages are many, and belong to an order: who wants them says so. */
	struct event_query query = {.connector = control_text(reply, "connector"),
				    .seq = control_text(reply, "seq"),
				    .kinds = ~(1u << EVENT_MESSAGE),
				    .most = (int)control_int(reply, "limit", EVENTS_PAGE)};

	if (word && event_kind_of(word, &kind))
		return error_set(err, FC_EINVAL, "kind: there are no events of that kind");
	if (word)
		query.kinds = 1u << (unsigned)kind;
	int more = events_page(control->sources.store, &query, &below, put_event, &l);
	if (more < 0)
		return error_set(err, FC_EIO, "the events can't be read");
	maker_put(&l.m, root, "events", l.list);
	if (more && below)
		maker_int(&l.m, root, "next", below);
	reply->result = l.m.failed ? NULL : root;
	return FC_OK;
}

/* Life of an order ------------------------------------------------------------------------------------------------------ */

static void put_life(void *user, const struct event *e)
{
	struct listing *l = user;
	struct value *o = value_object(l->m.arena);

	put_head(l, o, e);
	maker_optional(&l->m, o, e->kind == EVENT_MESSAGE ? "platform" : "who", e->who);
	put_detail(l, o, e);
	maker_push(&l->m, l->list, o);
}

/* The store tells the newest first, because of what has no end. */
static struct value *turned(struct maker *m, const struct value *list)
{
	struct value *out = value_array(m->arena);
	const struct value **items = calloc(list->count + 1, sizeof(const struct value *));
	size_t n = 0;

	if (!items) {
		m->failed = 1;
		return out;
	}
	value_each (item, list)
		items[n++] = item;
	while (n)
		maker_push(m, out, value_copy(m->arena, items[--n]));
	free(items);
	return out;
}

static void ignore(void *user, const struct journal_order *order)
{
	(void)user;
	(void)order;
}

int command_order_life(struct control *control, struct control_reply *reply, struct error *err)
{
	struct listing l = {control, {.arena = &reply->arena}, value_array(&reply->arena)};
	struct value *root = value_object(l.m.arena);
	const struct event_query query = {.seq = control_text(reply, "seq"), .most = LIFE_MAX};
	int64_t below = 0;
	int result = journal_find(control->sources.store, query.seq, ignore, NULL);

	int more = events_page(control->sources.store, &query, &below, put_life, &l);
	if ((result && result != FC_ENOENT) || more < 0)
		return error_set(err, FC_EIO, "the journal can't be read");
	/* Of a start that was refused there are events, and no order. */
	if (result == FC_ENOENT && !l.list->count)
		return error_set(err, FC_ENOENT, "there is no such order");
	maker_text(&l.m, root, "seq", query.seq);
	maker_put(&l.m, root, "events", turned(&l.m, l.list));
	if (more)
		maker_flag(&l.m, root, "cut", 1);
	reply->result = l.m.failed ? NULL : root;
	return FC_OK;
}
