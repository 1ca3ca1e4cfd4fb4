#include "device/report.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "device/agent.h"
#include "device/plan.h"
#include "device/report_can.h"

struct reporter {
	const struct profile *p;
	struct arena *a;
	struct value *report, *warnings;
	uint32_t poll_ms;
	double reads, words, busy; /* a second */
};

/* place may be "". */
static void __attribute__((format(printf, 3, 4))) warn(struct reporter *r, const char *place, const char *fmt, ...)
{
	struct value *w = value_object(r->a);
	char what[200];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(what, sizeof(what), fmt, args);
	va_end(args);
	(void)value_add(r->a, w, "place", value_string(r->a, place));
	(void)value_add(r->a, w, "what", value_string(r->a, what));
	(void)value_push(r->warnings, w);
}

/* What a line is taken for: that of most chargers, or of most DL/T 645 meters. */
static int line_baud(const struct profile *p)
{
	return p->dlt645 ? 2400 : 9600;
}

/* Seconds on the wire at 9600 8E1: eleven bits a byte, 3.5 characters of silence around each, and the device's pause. */
static double wire_time(const struct profile *p, unsigned function, unsigned count)
{
	/* DL/T 645: 20 bytes there, 20 and the value back, at the 2400 baud that such meters have. */
	if (p->dlt645)
		return (40 + 2 * count) * (11.0 / 2400) + 0.02 + p->gap_ms / 1000.0;
	static const double byte_s = 11.0 / 9600;
	double request = 8, answer = function <= 2 ? 5 + (count + 7) / 8 : function <= 4 ? 5 + 2 * count : 8;

	if (function >= 15)
		request = 9 + 2 * count;
	return (request + answer + 7) * byte_s + p->gap_ms / 1000.0;
}

static void add_text(struct reporter *r, struct value *o, const char *key, const char *text)
{
	(void)value_add(r->a, o, key, value_string(r->a, text));
}

static void add_int(struct reporter *r, struct value *o, const char *key, int64_t i)
{
	(void)value_add(r->a, o, key, value_int(r->a, i));
}

static void add_tenths(struct reporter *r, struct value *o, const char *key, double d)
{
	(void)value_add(r->a, o, key, value_decimal(r->a, (int64_t)(d * 10 + 0.5), 1));
}

static struct value *block_points(struct reporter *r, const struct plan *plan, const struct plan_block *block)
{
	struct value *list = value_array(r->a);

	for (uint32_t i = 0; i < block->items; i++) {
		const struct plan_item *item = &plan->items[block->first_item + i];
		const struct point *point = &r->p->points[item->point];
		char name[PROFILE_NAME + 16];

		(void)snprintf(name, sizeof(name), item->number ? "%s/%u" : "%s", point->name, item->number);
		/* A variant of the same point beside it says nothing more. */
		if (!point->target || !list->last || strcmp(value_text(list->last), name) != 0)
			(void)value_push(list, value_string(r->a, name));
	}
	return list;
}

static int add_plan(struct reporter *r)
{
	int numbers[PROFILE_CONNECTORS_MAX];
	struct value *blocks = value_array(r->a);
	struct plan plan;

	for (int i = 0; i < r->p->connectors; i++)
		numbers[i] = i + 1;
	if (plan_make(r->p, numbers, r->p->connectors, r->poll_ms, &plan))
		return FC_ENOMEM;
	for (uint32_t i = 0; i < plan.count; i++) {
		const struct plan_block *b = &plan.blocks[i];
		struct value *o = value_object(r->a);
		double seconds = b->period_ms / 1000.0, wire = wire_time(r->p, b->function, b->count);

		add_int(r, o, "unit", b->unit);
		add_int(r, o, "fc", b->function);
		add_int(r, o, r->p->dlt645 ? "identifier" : "address",
			r->p->dlt645 ? (int64_t)b->identifier : b->address);
		add_int(r, o, "words", b->count);
		add_int(r, o, "period_ms", b->period_ms);
		(void)value_add(r->a, o, "points", block_points(r, &plan, b));
		(void)value_push(blocks, o);
		r->reads += 1 / seconds;
		r->words += b->count / seconds;
		r->busy += wire / seconds;
		if (wire > seconds && strcmp(r->p->line.framing, "tcp") != 0)
			warn(r, "modbus", "reading %u words at %u takes %.0f ms at %d baud, and its period is %u ms",
			     b->count, b->address, wire * 1000, line_baud(r->p), b->period_ms);
	}
	plan_fini(&plan);
	(void)value_add(r->a, r->report, "blocks", blocks);
	return FC_OK;
}

static void add_ranges(struct reporter *r, const char *key, const struct register_range *ranges, int count)
{
	struct value *list = value_array(r->a);

	for (int i = 0; i < count; i++) {
		struct value *pair = value_array(r->a);

		(void)value_push(pair, value_int(r->a, ranges[i].first));
		(void)value_push(pair, value_int(r->a, ranges[i].last));
		(void)value_push(list, pair);
	}
	(void)value_add(r->a, r->report, key, list);
}

static void describe_write(const struct profile_write *w, char *text, size_t size)
{
	(void)snprintf(text, size, "fc %u, address %u:", w->function, w->address);
	for (int i = 0; i < w->count; i++)
		(void)snprintf(text + strlen(text), size - strlen(text), " %u", w->words[i]);
}

static void describe_step(const struct profile *p, const struct profile_step *step, char *text, size_t size)
{
	switch (step->kind) {
	case STEP_WRITE:
		describe_write(&step->write, text, size);
		return;
	case STEP_WAIT:
		(void)snprintf(text, size, "wait %u ms", step->ms);
		return;
	case STEP_CHECK:
		(void)snprintf(text, size, "check %s within %u ms", p->points[p->matches[step->match - 1].point].name,
			       step->ms);
		return;
	case STEP_LIMIT:
		(void)snprintf(text, size, "limit %.3g %s", (double)step->milli / 1000, p->setpoint.form.unit);
		return;
	case STEP_PAUSE:
		(void)snprintf(text, size, "limit %.3g %s (pause)", p->setpoint.pause, p->setpoint.form.unit);
		return;
	case STEP_SEND:
		report_can_order(p->can, &p->can->orders[step->order - 1], text, size);
		return;
	}
}

static void add_commands(struct reporter *r)
{
	struct value *list = value_array(r->a);
	char text[120];

	for (int i = 0; i < r->p->command_count; i++) {
		const struct profile_command *c = &r->p->commands[i];
		struct value *o = value_object(r->a), *steps = value_array(r->a);

		add_text(r, o, "name", c->name);
		for (int k = 0; k < c->steps; k++) {
			describe_step(r->p, &r->p->steps[c->first_step + k], text, sizeof(text));
			(void)value_push(steps, value_string(r->a, text));
		}
		(void)value_add(r->a, o, "steps", steps);
		(void)value_push(list, o);
	}
	(void)value_add(r->a, r->report, "commands", list);
}

static void add_share(const struct profile *p, int from, double share, char *text, size_t size)
{
	if (from)
		(void)snprintf(text + strlen(text), size - strlen(text), " or %.3g of %s", share,
			       p->points[from - 1].name);
}

static void add_upkeep(struct reporter *r)
{
	const struct profile *p = r->p;
	const struct profile_setpoint *s = &p->setpoint;
	struct value *list = value_array(r->a);
	char text[240];

	for (int i = 0; i < p->keep_alive_count; i++) {
		const struct profile_keep_alive *k = &p->keep_alives[i];
		int is_read = k->write.function <= 4;

		if (is_read)
			(void)snprintf(text, sizeof(text), "fc %u, address %u, %u words", k->write.function,
				       k->write.address, k->write.count);
		else
			describe_write(&k->write, text, sizeof(text));
		if (k->value_from)
			(void)snprintf(text, sizeof(text), "fc %u, address %u: what %s says", k->write.function,
				       k->write.address, p->points[k->value_from - 1].name);
		(void)snprintf(text + strlen(text), sizeof(text) - strlen(text), ", every %u ms", k->period_ms);
		add_share(p, k->period_from, k->period_share, text, sizeof(text));
		(void)value_push(list, value_string(r->a, text));
		int times = k->write.shared ? 1 : p->connectors;
		if (!is_read)
			r->busy += times * wire_time(p, k->write.function, k->write.count) * 1000 / k->period_ms;
	}
	(void)value_add(r->a, r->report, "keep_alives", list);
	if (!s->used)
		return;
	(void)snprintf(text, sizeof(text), "fc %u, address %u: %.6g to %.6g %s", s->write.function, s->write.address,
		       s->min, s->max, s->form.unit);
	if (s->has_pause)
		(void)snprintf(text + strlen(text), sizeof(text) - strlen(text), ", pause %.6g", s->pause);
	if (s->refresh_ms)
		(void)snprintf(text + strlen(text), sizeof(text) - strlen(text), ", again every %u ms", s->refresh_ms);
	add_share(p, s->refresh_from, s->refresh_share, text, sizeof(text));
	if (s->verify)
		(void)snprintf(text + strlen(text), sizeof(text) - strlen(text), ", read back at %s",
			       p->points[s->verify - 1].name);
	add_text(r, r->report, "setpoint", text);
	if (s->refresh_ms)
		r->busy += p->connectors * wire_time(p, s->write.function, s->write.count) * 1000 / s->refresh_ms;
}

static int maps(const struct status_rules *rules, const struct profile_match *match, int i)
{
	for (int k = 0; k < rules->state_count; k++) {
		const struct status_state *s = &rules->states[k];

		if (match->values[i].is_text ? s->is_text && !strcmp(s->text, match->values[i].text)
					     : !s->is_text && s->number * 1000 == match->values[i].milli)
			return 1;
	}
	return 0;
}

/* A value of the state that the file speaks of elsewhere, and the status map does not know. */
static void warn_of_states(struct reporter *r)
{
	const struct profile *p = r->p;
	const struct status_rules *rules = &p->status;

	for (int m = 0; m < p->match_count; m++) {
		const struct profile_match *match = &p->matches[m];

		for (int i = 0; match->point == rules->point && i < match->count; i++) {
			char value[32];

			if (maps(rules, match, i))
				continue;
			(void)snprintf(value, sizeof(value), "%.6g", (double)match->values[i].milli / 1000);
			warn(r, "status.map", "has no entry for %s, which a condition names",
			     match->values[i].is_text ? match->values[i].text : value);
		}
	}
}

static int has_command(const struct profile *p, const char *name)
{
	for (int i = 0; i < p->command_count; i++)
		if (!strcmp(p->commands[i].name, name))
			return 1;
	return 0;
}

static void warn_of_all(struct reporter *r)
{
	const struct profile *p = r->p;
	const struct profile_setpoint *s = &p->setpoint;

	if (!*p->source)
		warn(r, "source", "is missing: the manual, its edition and page");
	if (!p->example_count)
		warn(r, "examples", "there are none: nothing shows that the addresses and scales are right");
	/* Who only listens sees a vehicle, and no charger. */
	int listens = p->agent && p->agent->listens;
	if (p->status.point < 0 && !listens)
		warn(r, "status", "is missing: connectors stay off line (right for a meter only)");
	else if (p->status.point >= 0 && !p->status.state_count)
		warn(r, "status.map", "is empty: every state is status.default");
	if (p->status.point >= 0)
		warn_of_states(r);
	if (profile_point(p, "energy") < 0 && !listens)
		warn(r, "points", "there is no energy: what a charge took can't be metered");
	if (has_command(p, "start") != has_command(p, "stop"))
		warn(r, "commands", "start and stop want each other");
	if (s->used && s->refresh_ms && !s->has_safe)
		warn(r, "setpoint.safe", "is missing: what the charger falls back to when nobody refreshes");
	if (s->used && p->rest_ms && s->refresh_ms && s->refresh_ms < 2 * p->rest_ms)
		warn(r, "setpoint.refresh_ms", "leaves no time: modbus.rest_ms is the line's silence after each write");
	if (p->hooks.failures)
		warn(r, "examples", "hooks failed %llu times in them", (unsigned long long)p->hooks.failures);
}

static void add_line(struct reporter *r)
{
	const struct profile_line *l = &r->p->line;
	struct value *o = value_object(r->a);
	char parity[2] = {l->parity, '\0'};

	if (*l->framing)
		add_text(r, o, "framing", l->framing);
	if (l->baud) {
		add_int(r, o, "baud", l->baud);
		add_text(r, o, "parity", parity);
	}
	if (l->connections)
		add_int(r, o, "connections", l->connections);
	if (l->connect_timeout_ms)
		add_int(r, o, "connect_timeout_ms", l->connect_timeout_ms);
	if (l->response_timeout_ms)
		add_int(r, o, "response_timeout_ms", l->response_timeout_ms);
	if (l->byte_timeout_ms)
		add_int(r, o, "byte_timeout_ms", l->byte_timeout_ms);
	if (o->count)
		(void)value_add(r->a, r->report, "line", o);
}

struct value *profile_report(const struct profile *p, uint32_t poll_ms, struct arena *arena)
{
	static const char *const tested[] = {"examples", "simulator", "hardware"};
	struct reporter r = {.p = p, .a = arena, .poll_ms = poll_ms};
	int hooks = 0;

	r.report = value_object(arena);
	r.warnings = value_array(arena);
	if (!r.report || !r.warnings)
		return NULL;
	for (int i = 0; i < p->point_count; i++)
		hooks += p->points[i].hook;
	add_text(&r, r.report, "name", p->name);
	add_text(&r, r.report, "description", p->description);
	add_text(&r, r.report, "source", p->source);
	add_text(&r, r.report, "tested", tested[p->tested]);
	add_int(&r, r.report, "points", p->point_count);
	add_int(&r, r.report, "connectors", p->connectors);
	add_int(&r, r.report, "examples", p->example_count);
	add_int(&r, r.report, "hooks", hooks);
	add_int(&r, r.report, "poll_ms", poll_ms);
	if (p->can) {
		report_can(p, poll_ms, arena, r.report, r.warnings);
		add_commands(&r);
		warn_of_all(&r);
		(void)value_add(arena, r.report, "warnings", r.warnings);
		return r.report;
	}
	if (!p->agent && add_plan(&r))
		return NULL;
	add_commands(&r);
	add_upkeep(&r);
	add_tenths(&r, r.report, "reads_per_s", r.reads);
	add_tenths(&r, r.report, "words_per_s", r.words);
	add_tenths(&r, r.report, "load_9600", r.busy * 100);
	add_ranges(&r, "deny", p->deny, p->deny_count);
	add_ranges(&r, "deny_write", p->deny_write, p->deny_write_count);
	add_line(&r);
	warn_of_all(&r);
	if (r.busy > 0.8 && strcmp(p->line.framing, "tcp") != 0)
		warn(&r, "modbus", "fills %.0f %% of a line of %d baud: fewer points, or a longer period", r.busy * 100,
		     line_baud(p));
	(void)value_add(arena, r.report, "warnings", r.warnings);
	return r.report;
}
