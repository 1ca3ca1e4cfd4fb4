/* What points say of each other: scaled by another, valid while another is so. */
#include <stdio.h>

#include "device/compile.h"

/* decimals_from = "dp", or { point = "dp", offset = -3 } */
static void compile_decimals(struct compiler *c, const struct value *t, const char *where, struct point *point)
{
	static const char *const known[] = {"point", "offset", NULL};
	const struct value *v = value_get(t, "decimals_from");
	char place[140];

	if (!v)
		return;
	(void)snprintf(place, sizeof(place), "%s.decimals_from", where);
	const struct value *name = v;
	if (v->type == VALUE_OBJECT) {
		compile_keys(c, v, place, known);
		point->decimals_offset = (int)compile_int(c, v, place, "offset", 0, -12, 12);
		name = value_get(v, "point");
	}
	point->decimals_from = compile_point_name(c, name, where, "decimals_from") + 1;
}

void compile_scales(struct compiler *c, const struct value *t, const char *where, struct point *point)
{
	const struct value *v = value_get(t, "scale_from");
	int n = 0;

	if (!v)
		return;
	if (v->type != VALUE_ARRAY) {
		point->scale_from[0] = compile_point_name(c, v, where, "scale_from") + 1;
		return;
	}
	value_each (name, v) {
		if (n == 2) {
			compile_wrong_key(c, where, "scale_from", "names one point, or two");
			return;
		}
		point->scale_from[n++] = compile_point_name(c, name, where, "scale_from") + 1;
	}
}

/* Who depends on a point that depends itself on others would need an order of working out. */
static void check_link(struct compiler *c, const struct point *point, int on, const char *where, const char *key)
{
	const struct point *other = on ? &c->p->points[on - 1] : NULL;

	if (!other)
		return;
	if (other == point || other->decimals_from || other->scale_from[0] || !compile_is_number(other->type))
		compile_wrong_key(c, where, key, "must name a number that is not scaled by others itself");
	if (point->shared && !other->shared && c->p->connectors > 1)
		compile_wrong_key(c, where, key, "a shared point can only depend on shared points");
}

static void compile_links(struct compiler *c, const struct value *t, const char *where, struct point *point)
{
	char place[140];

	compile_decimals(c, t, where, point);
	compile_scales(c, t, where, point);
	(void)snprintf(place, sizeof(place), "%s.valid_when", where);
	compile_matches(c, compile_table(c, t, where, "valid_when"), place, point->valid, 2);
}

static void check_links(struct compiler *c, const char *where, const struct point *point)
{
	if ((point->decimals_from || point->scale_from[0]) && !compile_is_number(point->type))
		compile_wrong_key(c, where, point->decimals_from ? "decimals_from" : "scale_from",
				  "only a number can be scaled");
	check_link(c, point, point->decimals_from, where, "decimals_from");
	check_link(c, point, point->scale_from[0], where, "scale_from");
	check_link(c, point, point->scale_from[1], where, "scale_from");
	for (int i = 0; i < 2; i++)
		if (point->valid[i] && &c->p->points[c->p->matches[point->valid[i] - 1].point] == point)
			compile_wrong_key(c, where, "valid_when", "a point can't depend on itself");
}

void compile_all_links(struct compiler *c, const struct value *points)
{
	char where[80];

	c->p->read_count = c->p->point_count;
	value_each (t, points) {
		int place = t->key ? profile_point(c->p, t->key) : -1;

		if (place < 0 || !value_is_object(t))
			continue;
		(void)snprintf(where, sizeof(where), "points.%.60s", t->key);
		compile_links(c, t, where, &c->p->points[place]);
	}
	for (int i = 0; i < c->p->point_count; i++) {
		(void)snprintf(where, sizeof(where), "points.%s", c->p->points[i].name);
		check_links(c, where, &c->p->points[i]);
	}
}
