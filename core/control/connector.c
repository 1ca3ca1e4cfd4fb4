/* All about one connector: its points with where each is, its QR code, what can be done with it. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "charge/words.h"
#include "control/command.h"
#include "station/point.h"

struct point_list {
	struct maker *m;
	struct value *list;
};

/* What is about a person is shown by its end, as a number too. */
static void put_masked(struct maker *m, struct value *p, const struct point_value *v)
{
	char masked[WORDS_MASKED], number[32];

	(void)snprintf(number, sizeof(number), "%lld", (long long)v->milli / 1000);
	(void)words_masked(v->is_text ? v->text : number, masked);
	maker_text(m, p, "value", masked);
	maker_text(m, p, "text", masked);
	maker_flag(m, p, "masked", 1);
}

static void put_value(void *user, const struct connector_value *v)
{
	const struct point_list *l = user;
	struct value *p = value_object(l->m->arena);
	char place[DEVICE_REGISTER];

	maker_text(l->m, p, "name", v->name);
	maker_text(l->m, p, "quality", quality_name(v->value.quality));
	if (v->value.quality != QUALITY_UNKNOWN) {
		if (v->personal)
			put_masked(l->m, p, &v->value);
		else if (v->value.is_text)
			maker_text(l->m, p, "value", v->value.text);
		else
			maker_put(l->m, p, "value", value_decimal(l->m->arena, v->value.milli, 3));
		if (v->value.is_text && !v->personal)
			maker_text(l->m, p, "text", v->value.text);
		maker_int(l->m, p, "age_ms", (clock_mono_us() - v->value.mono_us) / 1000);
	}
	maker_text(l->m, p, "unit", v->unit);
	if (v->device && !device_register(v->device, v->number, v->point, place))
		maker_text(l->m, p, "register", place);
	if (v->from != CONNECTOR_OF_CHARGER)
		maker_text(l->m, p, "from", connector_from_name(v->from));
	maker_push(l->m, l->list, p);
}

static void put_points(struct maker *m, struct value *o, const struct connector *c)
{
	struct point_list l = {m, value_array(m->arena)};

	connector_each_value(c, put_value, &l);
	maker_put(m, o, "points", l.list);
}

void control_qr(const struct config *config, const struct connector *c, char out[CONTROL_QR])
{
	const char *suffix = config->gateway.qr_suffix ? config->gateway.qr_suffix : "";
	int n =
	    snprintf(out, CONTROL_QR, "hlht://%s.%s%s", c->config->connector_id, config->gateway.operator_id, suffix);

	if (n < 0 || n >= CONTROL_QR)
		out[0] = '\0';
}

/* What the charger can be told at all; whether it may be now is said when it is asked for. */
static void put_can(struct maker *m, struct value *o, const struct connector *c)
{
	struct value *can = value_object(m->arena), *limit = value_object(m->arena);
	struct device_range range;

	maker_flag(m, can, "start", c->device && device_can(c->device, "start"));
	maker_flag(m, can, "stop", c->device && device_can(c->device, "stop"));
	maker_flag(m, can, "unlock", c->device && device_can(c->device, "unlock"));
	maker_flag(m, can, "reserve", 1);
	if (c->device && !device_limit_range(c->device, &range)) {
		maker_put(m, limit, "min", value_decimal(m->arena, range.min_milli, 3));
		maker_put(m, limit, "max", value_decimal(m->arena, range.max_milli, 3));
		maker_text(m, limit, "unit", range.unit);
		if (range.has_pause)
			maker_put(m, limit, "pause", value_decimal(m->arena, range.pause_milli, 3));
		maker_put(m, can, "limit", limit);
	}
	maker_put(m, o, "can", can);
}

void control_put_acts(struct maker *m, struct value *o, const struct connector *c)
{
	struct value *limit;
	int64_t milli;
	int is_waiting = 0;

	if (c->reservation.held) {
		maker_int(m, o, "reserved_until", c->reservation.until_wall);
		maker_optional(m, o, "reserved_note", c->reservation.note);
	}
	if (!c->limit.held)
		return;
	limit = value_object(m->arena);
	maker_put(m, limit, "value", value_decimal(m->arena, c->limit.milli, 3));
	maker_text(m, limit, "unit", c->limit.unit);
	if (!c->device || device_capped(c->device, c->config->number, &milli, &is_waiting))
		maker_text(m, limit, "state", "not in force");
	else
		maker_text(m, limit, "state", is_waiting ? "from the next start" : "in force");
	maker_put(m, o, "operator_limit", limit);
}

void control_put_detail(const struct control *control, struct maker *m, struct value *o, const struct connector *c)
{
	const struct config *config = station_set_config(control->sources.stations);
	char qr[CONTROL_QR];

	put_points(m, o, c);
	put_can(m, o, c);
	if (!config)
		return;
	control_qr(config, c, qr);
	maker_optional(m, o, "qr", qr);
}
