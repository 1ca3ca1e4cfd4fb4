#include "station/point.h"

#include <string.h>

enum { SOURCES = 3 };

const char *connector_from_name(enum connector_from from)
{
	static const char *const names[SOURCES] = {"charger", "meter", "bms"};

	return names[from];
}

static struct connector_source source_of(const struct connector *c, enum connector_from from)
{
	switch (from) {
	case CONNECTOR_OF_CHARGER:
		return (struct connector_source){c->device, c->config->number};
	case CONNECTOR_OF_METER:
		return c->meter;
	case CONNECTOR_OF_BMS:
		return c->bms;
	}
	return (struct connector_source){NULL, 0};
}

static int has_meter(const struct connector *c)
{
	return c->config->meter_source.name && *c->config->meter_source.name;
}

/* FC_ENOENT: that source has no such point. */
static int ask(const struct connector *c, enum connector_from from, const char *name, struct connector_value *out)
{
	const struct connector_source source = source_of(c, from);
	int point = source.device ? profile_point(device_profile(source.device), name) : -1;

	if (point < 0 || device_point(source.device, source.number, point, &out->value))
		return FC_ENOENT;
	out->name = profile_point_name(device_profile(source.device), point);
	out->unit = profile_point_unit(device_profile(source.device), point);
	out->personal = profile_point_personal(device_profile(source.device), point);
	out->from = from;
	out->device = source.device;
	out->number = source.number;
	out->point = point;
	return FC_OK;
}

/* A register that stays empty (a VIN that the charger never learns) hides nobody who knows. */
static int says(const struct point_value *v)
{
	return v->quality == QUALITY_GOOD && !(v->is_text && !*v->text);
}

int connector_value(const struct connector *c, const char *name, struct connector_value *out)
{
	int is_energy = !strcmp(name, "energy"), found = 0;

	if (is_energy && has_meter(c))
		return ask(c, CONNECTOR_OF_METER, name, out);
	for (int i = 0; i < SOURCES; i++) {
		struct connector_value v;

		if (ask(c, (enum connector_from)i, name, &v) || (found && !says(&v.value)))
			continue;
		*out = v;
		found = 1;
		if (says(&v.value))
			break;
	}
	return found ? FC_OK : FC_ENOENT;
}

int connector_point(const struct connector *connector, const char *name, struct point_value *out)
{
	struct connector_value v;

	if (connector_value(connector, name, &v))
		return FC_ENOENT;
	*out = v.value;
	return FC_OK;
}

/* One of those before it has that name, too. */
static int was_named(const struct connector *c, enum connector_from from, const char *name)
{
	for (int i = 0; i < (int)from; i++) {
		const struct connector_source s = source_of(c, (enum connector_from)i);

		if (s.device && profile_point(device_profile(s.device), name) >= 0)
			return 1;
	}
	return 0;
}

void connector_each_value(const struct connector *c, void (*fn)(void *user, const struct connector_value *value),
			  void *user)
{
	for (int i = 0; i < SOURCES; i++) {
		const struct connector_source s = source_of(c, (enum connector_from)i);
		const struct profile *profile = s.device ? device_profile(s.device) : NULL;

		for (int k = 0; profile && k < profile_point_count(profile); k++) {
			const char *name = profile_point_name(profile, k);
			struct connector_value v;

			if (!was_named(c, (enum connector_from)i, name) && !connector_value(c, name, &v))
				fn(user, &v);
		}
	}
}
