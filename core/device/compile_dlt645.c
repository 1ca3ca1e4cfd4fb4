/* Profiles of DL/T 645-2007 meters (chargers.md 1b): points have an identifier instead of a register. */
#include <stdio.h>
#include <string.h>

#include "device/compile.h"

/* Points lie so many words apart in a profile's own addresses: each identifier is a read by itself. */
enum { APART = 8, BYTES_MAX = 8, WORDS_MAX = BYTES_MAX / 2 };

static const char *const of_modbus[] = {"modbus", "groups", "firmware", "commands", "setpoint", "keep_alive", NULL};

static void compile_bytes(struct compiler *c, const struct value *t, const char *where, struct point *point)
{
	static const struct {
		const char *name;
		enum point_type type;
		int bytes; /* 0: it must say */
	} types[] = {{"bcd", POINT_BCD, 0}, {"sbcd", POINT_SBCD, 0}, {"u16", POINT_U16, 2},
		     {"u32", POINT_U32, 4}, {"s32", POINT_S32, 4},   {"hex", POINT_HEX, 0}};
	const char *type = value_text(value_get(t, "type"));
	size_t k = 0, known = sizeof(types) / sizeof(types[0]);

	while (k < known && type && strcmp(type, types[k].name) != 0)
		k++;
	if (!type || k == known) {
		compile_wrong_key(c, where, "type", "must be one of bcd sbcd u16 u32 s32 hex");
		return;
	}
	point->type = types[k].type;
	int bytes = types[k].bytes;
	if (value_get(t, "bytes") || !bytes)
		bytes = (int)compile_int(c, t, where, "bytes", 0, 1, BYTES_MAX);
	if (!bytes)
		compile_wrong_key(c, where, "bytes", "is missing: how many bytes the value has, 1 to %d", BYTES_MAX);
	if (types[k].bytes && bytes != types[k].bytes)
		compile_wrong_key(c, where, "bytes", "a %s has %d", type, types[k].bytes);
	point->bytes = (uint8_t)bytes;
	point->words = (uint16_t)((bytes + 1) / 2);
}

static void compile_identifier(struct compiler *c, const struct value *t, const char *where, struct point *point)
{
	if (!value_get(t, "id"))
		compile_wrong_key(c, where, "id", "is missing: the data identifier, such as 0x00010000");
	point->identifier = (uint32_t)compile_int(c, t, where, "id", 0, 0, UINT32_MAX);
	for (int i = 0; i < c->p->point_count; i++)
		if (c->p->points[i].identifier == point->identifier && value_get(t, "id"))
			compile_wrong_key(c, where, "id", "is that of points.%s already", c->p->points[i].name);
}

static void compile_point(struct compiler *c, const struct value *t)
{
	static const char *const known[] = {"id",  "type",      "bytes",    "scale", "offset",     "unit",       "min",
					    "max", "period_ms", "optional", "hook",  "scale_from", "valid_when", NULL};
	struct profile *p = c->p;
	const char *unit = value_text(value_get(t, "unit"));
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
		compile_wrong(c, where, "must be a table with at least id, type and bytes");
		return;
	}
	compile_keys(c, t, where, known);
	(void)snprintf(point->name, sizeof(point->name), "%.31s", t->key);
	if (value_get(t, "unit") && (!unit || strlen(unit) >= sizeof(point->unit)))
		compile_wrong_key(c, where, "unit", "must be a text below %zu letters", sizeof(point->unit));
	(void)snprintf(point->unit, sizeof(point->unit), "%.15s", unit ? unit : "");
	point->words = 1;
	compile_bytes(c, t, where, point);
	compile_identifier(c, t, where, point);
	point->function = 3;
	point->shared = 1;
	point->address = (uint16_t)(p->point_count * APART);
	point->scale = compile_double(c, t, where, "scale", 1);
	point->offset = compile_double(c, t, where, "offset", 0);
	point->has_range = value_get(t, "min") || value_get(t, "max");
	point->min = compile_double(c, t, where, "min", -1e12);
	point->max = compile_double(c, t, where, "max", 1e12);
	point->period_ms = (uint32_t)compile_int(c, t, where, "period_ms", 0, 100, 3600000);
	point->optional = compile_bool(c, t, where, "optional");
	point->hook = compile_has_hook(c, where);
	if (!point->hook && value_get(t, "hook"))
		compile_wrong_key(c, where, "hook", "must be a function(raw, get, connector)");
	p->point_count++;
}

void compile_dlt645(struct compiler *c, const struct value *table, const struct value *points)
{
	static const char *const known[] = {"gap_ms", "min_period_ms", NULL};
	const struct value *t = compile_table(c, table, "", "dlt645");
	struct profile *p = c->p;

	compile_keys(c, t, "dlt645", known);
	p->dlt645 = 1;
	p->single = 1;
	p->max_words = WORDS_MAX;
	p->merge_gap = 0;
	p->gap_ms = (uint32_t)compile_int(c, t, "dlt645", "gap_ms", 0, 0, 10000);
	p->least_period_ms = (uint32_t)compile_int(c, t, "dlt645", "min_period_ms", 0, 100, 3600000);
	for (int i = 0; of_modbus[i]; i++)
		if (value_get(table, of_modbus[i]))
			compile_wrong(c, of_modbus[i],
				      "has no meaning in a profile of a DL/T 645 meter: it is only read");
	if (p->connectors != 1)
		compile_wrong(c, "connectors", "a meter has one");
	value_each (v, points) {
		if (v->key)
			compile_point(c, v);
		else
			compile_wrong(c, "points", "must be named, not a list");
	}
	compile_all_links(c, points);
}
