/* Listening profiles: what is heard between two others, by the names of its signals. */
#include <stdio.h>
#include <string.h>

#include "device/agent.h"
#include "device/compile.h"
#include "device/gbt27930.h"

enum { ONCE_MS = 24 * 3600 * 1000 };

/* Of a profile that asks somebody, or tells. */
static const char *const of_others[] = {"modbus", "groups", "firmware", "commands", "setpoint", "keep_alive", NULL};

/* The signal that has most of its letters in common from the start: what a typing mistake meant. */
static const char *nearest(const char *name)
{
	int count;
	const struct gbt_signal *signals = gbt_signals(&count);
	const char *best = "";
	size_t most = 0;

	for (int i = 0; i < count; i++) {
		size_t same = 0;

		while (name[same] && name[same] == signals[i].name[same])
			same++;
		if (same > most) {
			most = same;
			best = signals[i].name;
		}
	}
	return best;
}

static void compile_signal(struct compiler *c, const struct value *t, const char *where, struct point *point)
{
	const char *name = value_text(value_get(t, "signal")), *unit = value_text(value_get(t, "unit"));
	int place = name ? gbt_signal_find(name) : -1, count;
	const struct gbt_signal *signal = place < 0 ? NULL : &gbt_signals(&count)[place];

	if (!signal) {
		compile_wrong_key(c, where, "signal", "must name a signal of GB/T 27930%s%s",
				  name ? ", such as " : " (MESSAGE.signal)", name ? nearest(name) : "");
		return;
	}
	point->signal = place + 1;
	point->personal = signal->personal;
	point->type = signal->is_text ? POINT_TEXT : POINT_F64;
	/* Scaled, it may be in another unit; a hook makes of it what it likes. */
	if (unit && strcmp(unit, signal->unit) != 0 && !value_get(t, "scale") && !compile_has_hook(c, where))
		compile_wrong_key(c, where, "unit", "%s is in \"%s\"", name, signal->unit);
	if (signal->is_text &&
	    (value_get(t, "scale") || value_get(t, "offset") || value_get(t, "min") || value_get(t, "max")))
		compile_wrong_key(c, where, "signal", "%s is a text: it has no scale, offset, min and max", name);
	(void)snprintf(point->unit, sizeof(point->unit), "%.15s", unit ? unit : signal->unit);
}

static void compile_point(struct compiler *c, const struct value *t)
{
	static const char *const known[] = {"signal", "unit",      "scale",      "offset",     "min", "max",
					    "hook",   "period_ms", "scale_from", "valid_when", NULL};
	struct profile *p = c->p;
	char where[80];

	(void)snprintf(where, sizeof(where), "points.%.60s", t->key);
	if (p->point_count == DEVICE_POINTS_MAX) {
		compile_wrong(c, where, "is one too many: %d points are allowed", DEVICE_POINTS_MAX);
		return;
	}
	struct point *point = &p->points[p->point_count];
	if (strlen(t->key) >= sizeof(point->name))
		compile_wrong(c, where, "the name is longer than %zu letters", sizeof(point->name) - 1);
	if (!value_is_object(t)) {
		compile_wrong(c, where, "must be a table with at least signal");
		return;
	}
	compile_keys(c, t, where, known);
	(void)snprintf(point->name, sizeof(point->name), "%.31s", t->key);
	compile_signal(c, t, where, point);
	point->scale = compile_double(c, t, where, "scale", 1);
	point->offset = compile_double(c, t, where, "offset", 0);
	point->has_range = value_get(t, "min") || value_get(t, "max");
	point->min = compile_double(c, t, where, "min", -1e12);
	point->max = compile_double(c, t, where, "max", 1e12);
	/* What is said once stands for the session, which may be long. */
	int count, place = point->signal - 1;
	uint32_t said_ms = place >= 0 ? gbt_signals(&count)[place].period_ms : 0;
	point->period_ms = (uint32_t)compile_int(c, t, where, "period_ms", said_ms ? said_ms : ONCE_MS, 10, ONCE_MS);
	point->hook = compile_has_hook(c, where);
	if (!point->hook && value_get(t, "hook"))
		compile_wrong_key(c, where, "hook", "must be a function(raw, get, connector)");
	p->point_count++;
}

void compile_listen(struct compiler *c, const struct value *table, const struct value *points)
{
	const char *what = value_text(value_get(table, "listen"));

	if (!what || strcmp(what, agent_gbt27930.name) != 0)
		compile_wrong(c, "listen", "must be \"%s\"", agent_gbt27930.name);
	c->p->agent = &agent_gbt27930;
	for (int i = 0; of_others[i]; i++)
		if (value_get(table, of_others[i]))
			compile_wrong(c, of_others[i], "has no meaning in a profile that only listens");
	if (c->p->connectors != 1)
		compile_wrong(c, "connectors", "a listener hears one vehicle: one device, and one bus, a connector");
	value_each (t, points) {
		if (t->key)
			compile_point(c, t);
		else
			compile_wrong(c, "points", "must be named, not a list");
	}
	compile_all_links(c, points);
}
