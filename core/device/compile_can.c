/* The part `can` of a profile: messages, requests, keep-alives; and who asks for which point. */
#include "device/compile_can.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PLACE = 140, TIMEOUT_MS = 200, LINK_MS = 10000, SLOW_MS = 5000 };

static void compile_fields(struct compiler *c, const struct value *fields)
{
	struct can_plan *plan = c->p->can;

	value_each (v, fields) {
		struct can_field *field = &plan->fields[plan->field_count];
		int64_t first, last;

		if (!v->key || plan->field_count == CAN_FIELDS_MAX || strlen(v->key) >= sizeof(field->name) ||
		    v->count != 2 || value_to_int(v->first, &first) || value_to_int(v->last, &last) || first < 0 ||
		    last < first || last > 28) {
			compile_wrong_key(
			    c, "can.id", v->key ? v->key : "",
			    "must be one of at most %d names = { first, last } bit of the identifier, 0 to 28",
			    CAN_FIELDS_MAX);
			return;
		}
		(void)snprintf(field->name, sizeof(field->name), "%s", v->key);
		field->at = (struct can_bits){(uint8_t)first, (uint8_t)(last - first + 1)};
		plan->field_count++;
	}
}

int compile_can_message(struct compiler *c, const struct value *v, const char *where, const char *key)
{
	const struct can_plan *plan = c->p->can;
	const char *name = value_text(v);

	for (int i = 0; name && i < plan->message_count; i++)
		if (!strcmp(plan->messages[i].name, name))
			return i + 1;
	compile_wrong_key(c, where, key, "must name one of can.messages");
	return 0;
}

static void compile_mux(struct compiler *c, const struct value *t, const char *where, struct can_message *m)
{
	static const char *const known[] = {"byte", "start", "length", "order", "type", NULL};
	static const char *const names[] = {"u8", "u16", "u24", "u32", NULL};
	const struct value *mux = compile_table(c, t, where, "mux");
	char place[PLACE + 8];

	if (!mux)
		return;
	(void)snprintf(place, sizeof(place), "%s.mux", where);
	compile_keys(c, mux, place, known);
	int bits = 8 * (compile_choice(c, mux, place, "type", names, 0) + 1);
	compile_can_place(c, mux, place, bits, CAN_BYTES_MAX, &m->mux);
	if (m->mux.bits > 32)
		compile_wrong_key(c, place, "length", "must be 1 to 32");
}

static void compile_message(struct compiler *c, const struct value *t)
{
	static const char *const known[] = {"id",      "extended",  "data",  "length", "mux",
					    "packets", "period_ms", "reply", NULL};
	static const char *const packets[] = {"none", "counted", "j1939", NULL};
	struct can_plan *plan = c->p->can;
	char where[PLACE];

	(void)snprintf(where, sizeof(where), "can.messages.%.40s", t->key ? t->key : "");
	if (!t->key || !value_is_object(t) || strlen(t->key) >= PROFILE_NAME ||
	    plan->message_count == CAN_MESSAGES_MAX) {
		compile_wrong(c, where, "must be one of at most %d named tables", CAN_MESSAGES_MAX);
		return;
	}
	struct can_message *m = &plan->messages[plan->message_count++];
	(void)snprintf(m->name, sizeof(m->name), "%s", t->key);
	compile_keys(c, t, where, known);
	compile_can_match(c, t, where, &m->match);
	m->packets = (enum can_packets)compile_choice(c, t, where, "packets", packets, CAN_PACKETS_NONE);
	m->period_ms = (uint32_t)compile_int(c, t, where, "period_ms", 0, 10, 3600000);
	compile_mux(c, t, where, m);
	if (m->packets == CAN_PACKETS_COUNTED && m->match.least > 1)
		compile_wrong_key(c, where, "data", "of counted packets only the first byte can be looked for");
	if (m->packets == CAN_PACKETS_J1939 && (m->match.least || !m->match.extended))
		compile_wrong_key(c, where, "packets",
				  "j1939 is for extended identifiers, and without data and length");
	if (m->packets && m->mux.bits)
		compile_wrong_key(c, where, "mux", "is for single frames");
}

int compile_can(struct compiler *c, const struct value *t)
{
	static const char *const known[] = {"bitrate", "order", "extended", "master",   "timeout_ms", "slow_ms",
					    "gap_ms",  "id",    "messages", "requests", NULL};
	static const char *const orders[] = {"little", "big", NULL};
	struct can_plan *plan = calloc(1, sizeof(*plan));

	if (!plan)
		return FC_ENOMEM;
	c->p->can = plan;
	compile_keys(c, t, "can", known);
	plan->bitrate = (int)compile_int(c, t, "can", "bitrate", 0, 10000, 1000000);
	plan->big = (uint8_t)compile_choice(c, t, "can", "order", orders, 0);
	plan->extended = !value_get(t, "extended") || compile_bool(c, t, "can", "extended");
	plan->master = (int)compile_int(c, t, "can", "master", 0, 0, 255);
	plan->timeout_ms = (uint32_t)compile_int(c, t, "can", "timeout_ms", LINK_MS, 500, 600000);
	plan->slow_ms = (uint32_t)compile_int(c, t, "can", "slow_ms", SLOW_MS, 100, 600000);
	plan->gap_ms = (uint32_t)compile_int(c, t, "can", "gap_ms", 0, 0, 10000);
	compile_fields(c, compile_table(c, t, "can", "id"));
	const struct value *messages = compile_table(c, t, "can", "messages");
	if (!messages || !messages->count)
		compile_wrong(c, "can.messages", "is missing: a table of named messages");
	value_each (m, messages)
		compile_message(c, m);
	return FC_OK;
}

static uint32_t read_answers(struct compiler *c, const struct value *t, const char *where)
{
	const struct value *v = value_get(t, "answer");
	uint32_t set = 0;

	if (v && v->type != VALUE_ARRAY) {
		int message = compile_can_message(c, v, where, "answer");

		return message ? 1u << (message - 1) : 0;
	}
	value_each (item, v) {
		int message = compile_can_message(c, item, where, "answer");

		set |= message ? 1u << (message - 1) : 0;
	}
	return set;
}

static int sends(const struct can_plan *plan, int send, enum can_source source)
{
	const struct can_send *s = &plan->sends[send];

	for (int i = 0; i < s->inserts; i++)
		if (plan->inserts[s->first_insert + i].source == source)
			return 1;
	return 0;
}

static void read_each(struct compiler *c, const struct value *t, const char *where, struct can_request *r)
{
	struct can_plan *plan = c->p->can;
	const struct value *each = compile_table(c, t, where, "each");
	int64_t i;

	r->first_item = (uint16_t)plan->item_count;
	value_each (v, each) {
		if (plan->item_count == CAN_ITEMS_MAX || v->key || value_to_int(v, &i) || i < 0 || i > UINT32_MAX) {
			compile_wrong_key(c, where, "each", "must be a list of whole numbers; %d in a file",
					  CAN_ITEMS_MAX);
			return;
		}
		plan->items[plan->item_count++] = (uint32_t)i;
		r->items++;
	}
	if (sends(plan, r->send, CAN_FROM_EACH) != (r->items > 0))
		compile_wrong_key(c, where, "each", "goes with \"each\" in data: one is there without the other");
}

static void compile_request(struct compiler *c, const struct value *t)
{
	static const char *const known[] = {"id",        "extended",   "data", "fill",   "answer", "last",
					    "period_ms", "timeout_ms", "each", "unless", NULL};
	struct can_plan *plan = c->p->can;
	char where[PLACE], place[PLACE + 16];

	(void)snprintf(where, sizeof(where), "can.requests.%.40s", t->key ? t->key : "");
	if (!t->key || !value_is_object(t) || strlen(t->key) >= PROFILE_NAME ||
	    plan->request_count == CAN_REQUESTS_MAX) {
		compile_wrong(c, where, "must be one of at most %d named tables", CAN_REQUESTS_MAX);
		return;
	}
	struct can_request *r = &plan->requests[plan->request_count++];
	(void)snprintf(r->name, sizeof(r->name), "%s", t->key);
	compile_keys(c, t, where, known);
	r->send = (uint8_t)compile_can_frame(c, t, where);
	r->answers = read_answers(c, t, where);
	r->period_ms = (uint32_t)compile_int(c, t, where, "period_ms", 0, 20, 86400000);
	r->timeout_ms = (uint32_t)compile_int(c, t, where, "timeout_ms", TIMEOUT_MS, 5, 10000);
	if (!r->answers)
		compile_wrong_key(c, where, "answer", "is missing: what is only sent is a keep_alive");
	(void)snprintf(place, sizeof(place), "%s.last", where);
	if (value_get(t, "last")) {
		r->has_last = 1;
		compile_can_ok(c, value_get(t, "last"), place,
			       &(struct can_match){.extended = plan->sends[r->send].extended}, &r->last);
	}
	if (sends(plan, r->send, CAN_FROM_SETPOINT) || sends(plan, r->send, CAN_FROM_COPY))
		compile_wrong_key(c, where, "data", "a request has no setpoint, and nothing to copy from");
	read_each(c, t, where, r);
	(void)snprintf(place, sizeof(place), "%s.unless", where);
	compile_matches(c, compile_table(c, t, where, "unless"), place, &r->unless, 1);
}

/* Replies are read late: they may hold points. */
static void compile_reply(struct compiler *c, const struct value *t)
{
	static const char *const known[] = {"id", "extended", "data", "fill", NULL};
	struct can_plan *plan = c->p->can;
	const struct value *reply = t->key && value_is_object(t) ? value_get(t, "reply") : NULL;
	char where[PLACE];

	(void)snprintf(where, sizeof(where), "can.messages.%.40s.reply", t->key ? t->key : "");
	if (!reply)
		return;
	if (reply->type != VALUE_OBJECT) {
		compile_wrong(c, where, "must be a table with id and data");
		return;
	}
	compile_keys(c, reply, where, known);
	int send = compile_can_frame(c, reply, where);
	for (int i = 0; i < plan->message_count; i++)
		if (!strcmp(plan->messages[i].name, t->key))
			plan->messages[i].reply = (uint8_t)(send + 1);
	if (sends(plan, send, CAN_FROM_SETPOINT) || sends(plan, send, CAN_FROM_EACH))
		compile_wrong_key(c, where, "data", "a reply has no setpoint and no item");
}

/* How often what a message holds is renewed: by itself, or by the quickest request that it answers. 0: never. */
static uint32_t period_of(const struct can_plan *plan, int message, const uint32_t *mux, uint32_t poll_ms)
{
	uint32_t period = plan->messages[message].period_ms;

	for (int i = 0; i < plan->request_count; i++) {
		const struct can_request *r = &plan->requests[i];
		uint32_t its = r->period_ms ? r->period_ms : poll_ms;
		int asks = (r->answers >> message & 1) != 0;

		if (asks && mux && r->items) {
			asks = 0;
			for (int k = 0; k < r->items; k++)
				asks |= plan->items[r->first_item + k] == *mux;
		}
		if (asks && (!period || its < period))
			period = its;
	}
	return period;
}

/* A value that nobody asks for would be unknown for ever, and a value's age is counted by how often it comes. */
static void check_points(struct compiler *c)
{
	struct profile *p = c->p;
	const struct can_plan *plan = p->can;

	for (int i = 0; i < p->point_count; i++) {
		int message = plan->points[i].message - 1;
		uint32_t mux = plan->points[i].mux;
		char where[80];

		if (message < 0)
			continue;
		if ((p->points[i].scale_from[0] || p->points[i].decimals_from) &&
		    (p->points[i].offset < 0 || p->points[i].offset > 0)) {
			(void)snprintf(where, sizeof(where), "points.%s.offset", p->points[i].name);
			compile_wrong(c, where, "does not go together with scale_from and decimals_from here");
		}
		/* 0 stands for the device's own pace, here told from "never" by a pace that nobody has. */
		uint32_t period = period_of(plan, message, plan->points[i].has_mux ? &mux : NULL, UINT32_MAX);
		(void)snprintf(where, sizeof(where), "points.%s.message", p->points[i].name);
		if (!period && plan->points[i].has_mux)
			compile_wrong(c, where, "no request asks for %s with mux %u, and it has no period_ms",
				      plan->messages[message].name, mux);
		else if (!period)
			compile_wrong(c, where, "no request has %s as its answer, and it has no period_ms",
				      plan->messages[message].name);
		if (!p->points[i].period_ms && period != UINT32_MAX)
			p->points[i].period_ms = period;
	}
}

void compile_can_sends(struct compiler *c, const struct value *table)
{
	const struct value *can = compile_table(c, table, "", "can");

	value_each (m, compile_table(c, can, "can", "messages"))
		compile_reply(c, m);
	value_each (r, compile_table(c, can, "can", "requests"))
		compile_request(c, r);
	check_points(c);
}

void compile_can_keep_alive(struct compiler *c, const struct value *t, const char *where)
{
	static const char *const known[] = {"id", "extended", "data", "fill", "period_ms", "unless", NULL};
	struct can_plan *plan = c->p->can;
	char place[PLACE];

	if (plan->keep_alive_count == CAN_KEEP_ALIVES_MAX || t->type != VALUE_OBJECT) {
		compile_wrong(c, where, "must be a table, or a list of at most %d", CAN_KEEP_ALIVES_MAX);
		return;
	}
	struct can_keep_alive *k = &plan->keep_alives[plan->keep_alive_count++];
	compile_keys(c, t, where, known);
	k->send = (uint8_t)compile_can_frame(c, t, where);
	k->period_ms = (uint32_t)compile_int(c, t, where, "period_ms", 1000, 20, 3600000);
	if (!value_get(t, "period_ms"))
		compile_wrong_key(c, where, "period_ms", "is missing");
	if (sends(plan, k->send, CAN_FROM_EACH) || sends(plan, k->send, CAN_FROM_COPY) ||
	    sends(plan, k->send, CAN_FROM_SETPOINT))
		compile_wrong_key(c, where, "data", "a keep-alive has no setpoint, no item and nothing to copy from");
	(void)snprintf(place, sizeof(place), "%s.unless", where);
	compile_matches(c, compile_table(c, t, where, "unless"), place, &k->unless, 1);
}

static void read_order(struct compiler *c, const struct value *t, const char *where, struct can_order *order)
{
	const struct can_plan *plan = c->p->can;
	char place[PLACE + 16];

	order->send = value_get(t, "id") ? (uint8_t)(compile_can_frame(c, t, where) + 1) : 0;
	order->period_ms = (uint32_t)compile_int(c, t, where, "period_ms", 500, 20, 10000);
	order->within_ms = (uint32_t)compile_int(c, t, where, "within_ms", 5000, 20, PROFILE_SEQUENCE_MS);
	if (value_get(t, "answer"))
		order->answer = (uint8_t)compile_can_message(c, value_get(t, "answer"), where, "answer");
	order->has_ok = value_get(t, "ok") != NULL;
	if (order->has_ok && !value_get(t, "answer"))
		compile_wrong_key(c, where, "ok", "wants an answer");
	if (order->has_ok && order->answer) {
		(void)snprintf(place, sizeof(place), "%s.ok", where);
		compile_can_ok(c, value_get(t, "ok"), place, &plan->messages[order->answer - 1].match, &order->ok);
	}
	if (order->send && (sends(plan, order->send - 1, CAN_FROM_EACH) || sends(plan, order->send - 1, CAN_FROM_COPY)))
		compile_wrong_key(c, where, "data", "a command has no item, and nothing to copy from");
}

void compile_can_step(struct compiler *c, const struct value *t, const char *where, struct profile_step *step)
{
	static const char *const known[] = {"id", "extended",  "data",      "fill", "answer",
					    "ok", "period_ms", "within_ms", NULL};
	struct can_plan *plan = c->p->can;

	compile_keys(c, t, where, known);
	step->kind = STEP_SEND;
	if (!value_get(t, "id") && !value_get(t, "answer")) {
		compile_wrong(c, where,
			      "must be a frame (id, data), an answer to await, a wait_ms, a check or a limit");
		return;
	}
	if (plan->order_count == PROFILE_STEPS_MAX) /* there are no more steps either */
		return;
	struct can_order *order = &plan->orders[plan->order_count++];
	read_order(c, t, where, order);
	step->order = plan->order_count;
	step->ms = order->answer ? order->within_ms : 0;
	if (order->send && sends(plan, order->send - 1, CAN_FROM_SETPOINT))
		compile_wrong_key(c, where, "data", "the setpoint is sent by a step { limit = ... }");
}

void compile_can_setpoint(struct compiler *c, const struct value *t)
{
	static const char *const known[] = {"id",         "extended",  "data",      "fill",  "answer", "ok",
					    "unit",       "min",       "max",       "pause", "safe",   "initial",
					    "refresh_ms", "period_ms", "within_ms", NULL};
	struct can_order *order = &c->p->can->setpoint;

	compile_keys(c, t, "setpoint", known);
	read_order(c, t, "setpoint", order);
	if (!order->send)
		compile_wrong(c, "setpoint.id", "is missing");
	else if (!sends(c->p->can, order->send - 1, CAN_FROM_SETPOINT))
		compile_wrong(c, "setpoint.data", "wants { from = \"setpoint\", type = ... }");
}
