#include "device/report_can.h"

#include <stdio.h>
#include <string.h>

struct can_report {
	const struct profile *p;
	const struct can_plan *plan;
	struct arena *a;
	double frames, bits; /* a second */
};

static void describe_frame(const struct can_plan *plan, int send, char *text, size_t size)
{
	const struct can_send *s = &plan->sends[send];
	char holds[40] = "";

	if (s->unit.bits)
		(void)snprintf(holds, sizeof(holds), " + unit << %u", s->unit.first);
	if (s->number.bits)
		(void)snprintf(holds + strlen(holds), sizeof(holds) - strlen(holds), " + connector << %u",
			       s->number.first);
	(void)snprintf(text, size, s->extended ? "0x%08X%s [%u]" : "0x%03X%s [%u]", s->id, holds, s->len);
}

void report_can_order(const struct can_plan *plan, const struct can_order *order, char *text, size_t size)
{
	size_t n = 0;

	text[0] = '\0';
	if (order->send) {
		describe_frame(plan, order->send - 1, text, size);
		n = strlen(text);
	}
	if (order->answer)
		(void)snprintf(text + n, size - n, "%sanswer %s within %u ms", n ? ", " : "",
			       plan->messages[order->answer - 1].name, order->within_ms);
}

static void add_text(struct can_report *r, struct value *o, const char *key, const char *text)
{
	(void)value_add(r->a, o, key, value_string(r->a, text));
}

static int copies(const struct can_report *r, int send)
{
	return r->plan->sends[send].per_number ? r->p->connectors : 1;
}

static void count(struct can_report *r, double a_second, int extended, int len)
{
	r->frames += a_second;
	r->bits += a_second * can_bits_at_most(extended, len);
}

static int carries(const struct can_plan *plan, const struct can_request *r, int point)
{
	int message = plan->points[point].message - 1;

	if (message < 0 || !(r->answers >> message & 1))
		return 0;
	if (!r->items || !plan->points[point].has_mux)
		return 1;
	for (int i = 0; i < r->items; i++)
		if (plan->items[r->first_item + i] == plan->points[point].mux)
			return 1;
	return 0;
}

static struct value *add_request(struct can_report *r, const struct can_request *request, uint32_t poll_ms)
{
	struct value *o = value_object(r->a), *answers = value_array(r->a), *points = value_array(r->a);
	uint32_t period = request->period_ms ? request->period_ms : poll_ms;
	double a_second = 1000.0 / period * copies(r, request->send) * (request->items ? request->items : 1);
	const struct can_send *send = &r->plan->sends[request->send];
	char text[80];

	describe_frame(r->plan, request->send, text, sizeof(text));
	add_text(r, o, "name", request->name);
	add_text(r, o, "frame", text);
	(void)value_add(r->a, o, "items", value_int(r->a, request->items));
	(void)value_add(r->a, o, "period_ms", value_int(r->a, period));
	for (int m = 0; m < r->plan->message_count; m++)
		if (request->answers >> m & 1)
			(void)value_push(answers, value_string(r->a, r->plan->messages[m].name));
	for (int i = 0; i < r->p->point_count; i++)
		if (carries(r->plan, request, i))
			(void)value_push(points, value_string(r->a, r->p->points[i].name));
	(void)value_add(r->a, o, "answers", answers);
	(void)value_add(r->a, o, "points", points);
	count(r, a_second, send->extended, send->len);
	/* Each is answered by a frame; a batch by one for each value that we know of at least. */
	int answered = request->has_last && points->count ? (int)points->count : 1;
	count(r, a_second * answered, send->extended, CAN_BYTES_MAX);
	return o;
}

/* Packets of what comes by itself: as many as its points reach. */
static int packets_of(const struct can_report *r, int message)
{
	int last = 0;

	if (r->plan->messages[message].packets == CAN_PACKETS_NONE)
		return 1;
	for (int i = 0; i < r->p->point_count; i++)
		if (r->plan->points[i].message == message + 1 && can_last_byte(&r->plan->points[i].place) > last)
			last = can_last_byte(&r->plan->points[i].place);
	return r->plan->messages[message].packets == CAN_PACKETS_COUNTED ? (last + 11) / 6 : (last + 7) / 7 + 2;
}

static struct value *add_message(struct can_report *r, int message)
{
	const struct can_message *m = &r->plan->messages[message];
	const struct can_match *match = &m->match;
	int many = match->number.bits || match->number_at || (match->unit.bits && r->p->unit_stride);
	double a_second = 1000.0 / m->period_ms * (many ? r->p->connectors : 1);
	struct value *o = value_object(r->a);

	add_text(r, o, "name", m->name);
	(void)value_add(r->a, o, "period_ms", value_int(r->a, m->period_ms));
	count(r, a_second * packets_of(r, message), match->extended, CAN_BYTES_MAX);
	if (m->reply)
		count(r, a_second, r->plan->sends[m->reply - 1].extended, r->plan->sends[m->reply - 1].len);
	return o;
}

static void add_keep_alives(struct can_report *r, struct value *report)
{
	struct value *list = value_array(r->a);
	char text[120];

	for (int i = 0; i < r->plan->keep_alive_count; i++) {
		const struct can_keep_alive *k = &r->plan->keep_alives[i];
		const struct can_send *send = &r->plan->sends[k->send];

		describe_frame(r->plan, k->send, text, sizeof(text));
		(void)snprintf(text + strlen(text), sizeof(text) - strlen(text), ", every %u ms", k->period_ms);
		(void)value_push(list, value_string(r->a, text));
		count(r, 1000.0 / k->period_ms * copies(r, k->send), send->extended, send->len);
	}
	(void)value_add(r->a, report, "keep_alives", list);
}

static void add_setpoint(struct can_report *r, struct value *report)
{
	const struct profile_setpoint *s = &r->p->setpoint;
	const struct can_order *order = &r->plan->setpoint;
	char text[240];

	if (!s->used)
		return;
	report_can_order(r->plan, order, text, sizeof(text));
	(void)snprintf(text + strlen(text), sizeof(text) - strlen(text), ": %.6g to %.6g %s", s->min, s->max,
		       s->form.unit);
	if (s->has_pause)
		(void)snprintf(text + strlen(text), sizeof(text) - strlen(text), ", pause %.6g", s->pause);
	if (s->refresh_ms)
		(void)snprintf(text + strlen(text), sizeof(text) - strlen(text), ", again every %u ms", s->refresh_ms);
	add_text(r, report, "setpoint", text);
	if (s->refresh_ms && order->send)
		count(r, 1000.0 / s->refresh_ms * r->p->connectors * (order->answer ? 2 : 1),
		      r->plan->sends[order->send - 1].extended, CAN_BYTES_MAX);
}

static void warn(struct can_report *r, struct value *warnings, const char *place, const char *what)
{
	struct value *w = value_object(r->a);

	add_text(r, w, "place", place);
	add_text(r, w, "what", what);
	(void)value_push(warnings, w);
}

/* A message that nothing is done with. */
static void look_for_idle(struct can_report *r, struct value *warnings)
{
	uint32_t used = 0;

	for (int i = 0; i < r->p->point_count; i++)
		used |= r->plan->points[i].message ? 1u << (r->plan->points[i].message - 1) : 0;
	for (int i = 0; i < r->plan->request_count; i++)
		used |= r->plan->requests[i].answers;
	for (int i = 0; i < r->plan->order_count; i++)
		used |= r->plan->orders[i].answer ? 1u << (r->plan->orders[i].answer - 1) : 0;
	used |= r->plan->setpoint.answer ? 1u << (r->plan->setpoint.answer - 1) : 0;
	for (int m = 0; m < r->plan->message_count; m++) {
		char place[80];

		if (used >> m & 1 || r->plan->messages[m].reply)
			continue;
		(void)snprintf(place, sizeof(place), "can.messages.%s", r->plan->messages[m].name);
		warn(r, warnings, place, "is heard, and nothing is done with it");
	}
}

void report_can(const struct profile *p, uint32_t poll_ms, struct arena *arena, struct value *report,
		struct value *warnings)
{
	struct can_report r = {.p = p, .plan = p->can, .a = arena};
	struct value *requests = value_array(arena), *messages = value_array(arena);

	for (int i = 0; i < r.plan->request_count; i++)
		(void)value_push(requests, add_request(&r, &r.plan->requests[i], poll_ms));
	for (int m = 0; m < r.plan->message_count; m++)
		if (r.plan->messages[m].period_ms)
			(void)value_push(messages, add_message(&r, m));
	(void)value_add(arena, report, "requests", requests);
	(void)value_add(arena, report, "messages", messages);
	add_keep_alives(&r, report);
	add_setpoint(&r, report);
	(void)value_add(arena, report, "bitrate", value_int(arena, r.plan->bitrate));
	(void)value_add(arena, report, "frames_per_s", value_decimal(arena, (int64_t)(r.frames * 10 + 0.5), 1));
	if (!r.plan->bitrate) {
		warn(&r, warnings, "can.bitrate", "is missing: how full the bus gets can't be said");
	} else {
		double load = r.bits * 100 / r.plan->bitrate;

		(void)value_add(arena, report, "load", value_decimal(arena, (int64_t)(load * 10 + 0.5), 1));
		if (load > 30)
			warn(&r, warnings, "can",
			     "fills much of the bus for one device: longer periods, or fewer items");
	}
	look_for_idle(&r, warnings);
}
