/* What changed between two configurations, and what that asks of each object. Walks the schema. */
#include <string.h>

#include "config/config.h"
#include "config/schema.h"

const char *config_action_name(enum config_action action)
{
	switch (action) {
	case CONFIG_SAME:
		return "same";
	case CONFIG_APPLY:
		return "applied";
	case CONFIG_RESTART:
		return "restart";
	case CONFIG_ADD:
		return "add";
	case CONFIG_REMOVE:
		return "remove";
	}
	return "unknown";
}

/* A reference by the name it points to: indices move when sections do. */
static const char *reference_name(const struct config *c, const struct schema_option *o, int index)
{
	if (index < 0 || !c)
		return "";
	return schema_name(schema_object(schema_find(o->ref), c, index));
}

static int same_references(const struct config *ca, const char *a, const struct config *cb, const char *b,
			   const struct schema_option *o)
{
	int n = *(const int *)(const void *)(a + o->count_offset);
	const int *x = *(const int *const *)(const void *)(a + o->offset);
	const int *y = *(const int *const *)(const void *)(b + o->offset);

	if (n != *(const int *)(const void *)(b + o->count_offset))
		return 0;
	for (int i = 0; i < n; i++)
		if (strcmp(reference_name(ca, o, x[i]), reference_name(cb, o, y[i])) != 0)
			return 0;
	return 1;
}

static int same_texts(const char *a, const char *b, const struct schema_option *o)
{
	int n = *(const int *)(const void *)(a + o->count_offset);
	const char *const *x = *(const char *const *const *)(const void *)(a + o->offset);
	const char *const *y = *(const char *const *const *)(const void *)(b + o->offset);

	if (n != *(const int *)(const void *)(b + o->count_offset))
		return 0;
	for (int i = 0; i < n; i++)
		if (strcmp(x[i], y[i]) != 0)
			return 0;
	return 1;
}

static int same_option(const struct config *ca, const char *a, const struct config *cb, const char *b,
		       const struct schema_option *o)
{
	switch (o->kind) {
	case SCHEMA_INT:
	case SCHEMA_BOOL:
	case SCHEMA_WORD:
	case SCHEMA_DEGREES:
		return *(const int *)(const void *)(a + o->offset) == *(const int *)(const void *)(b + o->offset);
	case SCHEMA_REFERENCE:
		return !strcmp(reference_name(ca, o, *(const int *)(const void *)(a + o->offset)),
			       reference_name(cb, o, *(const int *)(const void *)(b + o->offset)));
	case SCHEMA_REFERENCES:
		return same_references(ca, a, cb, b, o);
	case SCHEMA_TEXTS:
		return same_texts(a, b, o);
	case SCHEMA_TEXT:
	case SCHEMA_ID:
	case SCHEMA_DIGITS:
	case SCHEMA_OPERATOR:
	case SCHEMA_SECRET:
	case SCHEMA_URL:
	case SCHEMA_PREFIX:
	case SCHEMA_DATE:
		return !strcmp(*(const char *const *)(const void *)(a + o->offset),
			       *(const char *const *)(const void *)(b + o->offset));
	}
	return 0;
}

static enum config_action compare_objects(const struct schema_section *s, const struct config *ca, const void *a,
					  const struct config *cb, const void *b)
{
	enum config_action action = CONFIG_SAME;

	for (const struct schema_option *o = s->options; o->name; o++) {
		if (same_option(ca, a, cb, b, o))
			continue;
		if (o->restart || s->change_restarts)
			return CONFIG_RESTART;
		action = CONFIG_APPLY;
	}
	return action;
}

static const void *find(const struct schema_section *s, const struct config *c, const char *name)
{
	for (int i = 0; c && i < schema_count(s, c); i++) {
		const void *object = schema_object(s, c, i);

		/* There is one gateway and one admin: its name does not matter. */
		if (!s->count || !strcmp(schema_name(object), name))
			return object;
	}
	return NULL;
}

int config_compare(const struct config *from, const struct config *to,
		   void (*each)(void *user, const struct config_change *change), void *user)
{
	int changes = 0;

	for (const struct schema_section *s = schema_sections; s->type; s++) {
		for (int i = 0; i < schema_count(s, to); i++) {
			const void *now = schema_object(s, to, i), *before = find(s, from, schema_name(now));
			struct config_change change = {s->type, schema_name(now), CONFIG_ADD};

			if (before)
				change.action = compare_objects(s, from, before, to, now);
			if (change.action == CONFIG_SAME)
				continue;
			changes++;
			if (each)
				each(user, &change);
		}
		for (int i = 0; from && i < schema_count(s, from); i++) {
			const void *before = schema_object(s, from, i);

			if (find(s, to, schema_name(before)))
				continue;
			changes++;
			if (each)
				each(user, &(struct config_change){s->type, schema_name(before), CONFIG_REMOVE});
		}
	}
	return changes;
}

int config_bus_equal(const struct config_bus *a, const struct config_bus *b)
{
	return compare_objects(schema_find("bus"), NULL, a, NULL, b) == CONFIG_SAME;
}

int config_charger_equal(const struct config *ca, const struct config_charger *a, const struct config *cb,
			 const struct config_charger *b)
{
	return compare_objects(schema_find("charger"), ca, a, cb, b) == CONFIG_SAME;
}

int config_platform_equal(const struct config *ca, const struct config_platform *a, const struct config *cb,
			  const struct config_platform *b)
{
	return compare_objects(schema_find("platform"), ca, a, cb, b) == CONFIG_SAME;
}

int config_listen_equal(const struct config_listen *a, const struct config_listen *b)
{
	return compare_objects(schema_find("listen"), NULL, a, NULL, b) == CONFIG_SAME;
}
