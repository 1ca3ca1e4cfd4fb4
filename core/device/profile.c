/* Loading a profile, and what its parts say about a connector. */
#include "device/profile.h"

#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "bus/bus.h"
#include "device/can_plan.h"
#include "device/sample.h"

const char *quality_name(enum quality quality)
{
	switch (quality) {
	case QUALITY_UNKNOWN:
		return "unknown";
	case QUALITY_GOOD:
		return "good";
	case QUALITY_STALE:
		return "stale";
	}
	return "unknown";
}

const char *connector_status_name(enum connector_status status)
{
	switch (status) {
	case CONNECTOR_OFFLINE:
		return "offline";
	case CONNECTOR_IDLE:
		return "idle";
	case CONNECTOR_OCCUPIED:
		return "occupied";
	case CONNECTOR_CHARGING:
		return "charging";
	case CONNECTOR_RESERVED:
		return "reserved";
	case CONNECTOR_FAULT:
		return "fault";
	}
	return "unknown";
}

/* Of the bytes of a part. Padding can at worst make the same look different: then reads are planned anew, or a sequence ended,
 * needlessly. */
static uint64_t fingerprint(const struct profile *profile, size_t from, size_t to)
{
	return hash_more(HASH_BEGIN, (const unsigned char *)profile + from, to - from);
}

/* Takes the script over. name: by which it is asked for, whatever the file calls itself; NULL: as the file says. */
static struct profile *make(struct script *script, const char *name, const struct profile_listener *listener,
			    struct error *err)
{
	struct profile *profile = calloc(1, sizeof(*profile));

	if (!profile) {
		(void)error_set(err, FC_ENOMEM, "device: no memory");
		script_free(script);
		return NULL;
	}
	int result = profile_compile(script, profile, listener, err), hooks = 0;
	for (int i = 0; i < profile->point_count; i++)
		hooks += profile->points[i].hook;
	if (name)
		(void)snprintf(profile->name, sizeof(profile->name), "%s", name);
	profile->script = script;
	profile->fingerprint = fingerprint(profile, offsetof(struct profile, points), offsetof(struct profile, status));
	if (profile->can)
		profile->fingerprint ^= hash_more(HASH_BEGIN, profile->can, sizeof(*profile->can));
	profile->commands_print =
	    fingerprint(profile, offsetof(struct profile, matches), offsetof(struct profile, commands_print));
	(void)snprintf(profile->hash, sizeof(profile->hash), "%s", script_hash(script));
	if (!result)
		result = profile_run_examples(script, profile, err);
	profile->sources = script_take_sources(script);
	/* Only hooks need it from now on: a state is tens of kilobytes. */
	if (!hooks) {
		script_free(script);
		profile->script = NULL;
	}
	profile->hooks.said_us = 0;
	if (!result)
		return profile;
	profile_free(profile);
	return NULL;
}

struct profile *profile_load(const struct script_host *host, const char *name, struct error *err)
{
	struct script *script = script_load(host, "profiles", name, NULL, err);

	return script ? make(script, name, NULL, err) : NULL;
}

struct profile *profile_load_file(const struct script_host *host, const char *path,
				  const struct profile_listener *listener, struct error *err)
{
	struct script *script = script_load_file(host, path, NULL, err);

	return script ? make(script, NULL, listener, err) : NULL;
}

void profile_free(struct profile *profile)
{
	if (profile)
		script_free(profile->script);
	if (profile)
		sources_free(profile->sources);
	if (profile)
		free(profile->can);
	free(profile);
}

static void *load_any(const struct script_host *host, const char *name, const char *space, struct error *err)
{
	(void)space;
	return profile_load(host, name, err);
}

static void release_any(void *profile)
{
	profile_free(profile);
}

static const char *hash_any(const void *profile)
{
	return profile_hash(profile);
}

const struct shelf_kind profile_kind = {"profile", "profiles", load_any, release_any, hash_any};

/* Of a profile with a unit per connector: all of them must be possible on the line. */
static int check_units(const struct profile *profile, const struct config *config, const struct config_unit *u,
		       int number, struct error *err)
{
	enum bus_kind kind = config->buses[u->bus].kind == CONFIG_BUS_TCP ? BUS_TCP : BUS_RTU;

	for (int i = 0; i < profile->read_count && !profile->agent; i++) {
		const struct point *point = &profile->points[i];
		int last = u->unit + (number - 1) * profile->unit_stride;
		uint8_t unit = profile_unit(profile, point, number, (uint8_t)u->unit);

		if ((point->has_unit_id || last <= 255) && bus_unit_valid(kind, unit))
			continue;
		return error_set(
		    err, FC_EINVAL, "device: %s %s: profile %s: point %s of connector %d would be asked of unit %d",
		    u->type, u->name, profile->name, point->name, number, point->has_unit_id ? point->unit_id : last);
	}
	return FC_OK;
}

/* A connector that asks number of it. */
static int check_number(const struct profile *profile, const struct config *config, const struct config_unit *u,
			int number, struct error *err)
{
	if (number > profile->connectors)
		return error_set(err, FC_EINVAL, "device: %s %s: connector number %d: profile %s describes %d", u->type,
				 u->name, number, profile->name, profile->connectors);
	return check_units(profile, config, u, number, err);
}

int profile_fits_unit(const struct profile *profile, const struct config *config, int unit, struct error *err)
{
	const struct config_unit u = config_unit(config, unit);
	int is_can = config->buses[u.bus].kind == CONFIG_BUS_CAN, result = FC_OK;

	if (is_can != (profile->agent != NULL))
		return error_set(err, FC_EINVAL, "device: %s %s: profile %s is for a %s bus, and bus %s is %s", u.type,
				 u.name, profile->name, is_can ? "Modbus" : "CAN", config->buses[u.bus].name,
				 is_can ? "CAN" : "Modbus");
	int is_meter = config->buses[u.bus].framing == CONFIG_FRAMING_DLT645;
	if (!is_can && is_meter != profile->dlt645)
		return error_set(err, FC_EINVAL, "device: %s %s: profile %s speaks %s, and bus %s has framing %s",
				 u.type, u.name, profile->name, profile->dlt645 ? "DL/T 645" : "Modbus",
				 config->buses[u.bus].name, is_meter ? "dlt645" : "of Modbus");
	for (int i = 0; i < config->connector_count && !result; i++) {
		const struct config_connector *c = &config->connectors[i];
		const struct config_source *sources[] = {&c->meter_source, &c->bms_source};

		if (u.charger >= 0 && c->charger == u.charger)
			result = check_number(profile, config, &u, c->number, err);
		for (int k = 0; k < 2 && !result; k++)
			if (sources[k]->name && !strcmp(sources[k]->name, u.name))
				result = check_number(profile, config, &u, sources[k]->number, err);
	}
	/* All numbers of a device are asked, whoever refers to it. */
	for (int n = 1; u.charger < 0 && n <= profile->connectors && !result; n++)
		result = check_units(profile, config, &u, n, err);
	return result;
}

int profile_fits(const struct profile *profile, const struct config *config, struct error *err)
{
	int result = FC_OK;

	for (int i = 0; i < config_unit_count(config) && !result; i++)
		if (!strcmp(config_unit(config, i).profile, profile->name))
			result = profile_fits_unit(profile, config, i, err);
	return result;
}

const char *profile_name(const struct profile *profile)
{
	return profile->name;
}

const char *profile_hash(const struct profile *profile)
{
	return profile->hash;
}

int profile_point(const struct profile *profile, const char *name)
{
	for (int i = 0; i < profile->point_count; i++)
		if (!strcmp(profile->points[i].name, name))
			return i;
	return -1;
}

int profile_point_count(const struct profile *profile)
{
	return profile->point_count;
}

const char *profile_point_name(const struct profile *profile, int point)
{
	return profile->points[point].name;
}

const char *profile_point_unit(const struct profile *profile, int point)
{
	return profile->points[point].unit;
}

/* By the names that the roles have (core/charge asks for "card" and "vin"), and what people call such things. */
int profile_is_personal(const char *name)
{
	static const char *const parts[] = {"vin", "card", "user", "plate", "phone", "id_tag"};

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		if (strstr(name, parts[i]))
			return 1;
	return 0;
}

int profile_point_personal(const struct profile *profile, int point)
{
	const struct point *p = &profile->points[point];

	return p->personal || profile_is_personal(p->target ? profile->points[p->target - 1].name : p->name);
}

uint32_t profile_address(const struct profile *p, const struct point *point, int number)
{
	int n = number > 0 && !point->shared ? number : 1;

	if (point->elsewhere >> (n - 1) & 1)
		return point->at[n - 1];
	if (point->has_stride)
		return (uint32_t)(point->address + (n - 1) * point->stride);
	if (!point->shared && p->elsewhere >> (n - 1) & 1)
		return (uint32_t)point->address + p->offsets[n - 1];
	return (uint32_t)(point->address + (n - 1) * p->stride);
}

uint32_t profile_write_address(const struct profile *p, const struct profile_write *write, int number)
{
	const struct point point = {.address = write->address, .shared = write->shared};

	return profile_address(p, &point, number);
}

uint8_t profile_unit(const struct profile *p, const struct point *point, int number, uint8_t base)
{
	if (point && point->has_unit_id)
		return point->unit_id;
	return (uint8_t)(base + (number > 1 && !(point && point->shared) ? (number - 1) * p->unit_stride : 0));
}

uint32_t profile_period(const struct profile *p, const struct point *point, uint32_t poll_ms)
{
	uint32_t period = point->period_ms ? point->period_ms : poll_ms;

	return period > p->least_period_ms ? period : p->least_period_ms;
}

int profile_match_holds(const struct profile_match *match, const struct point_value *values)
{
	const struct point_value *v = &values[match->point];
	int found = 0;

	if (v->quality != QUALITY_GOOD)
		return 0;
	for (int i = 0; i < match->count && !found; i++)
		found = match->values[i].is_text ? v->is_text && !strcmp(v->text, match->values[i].text)
						 : !v->is_text && v->milli == match->values[i].milli;
	return found != match->negated;
}

int profile_version(const struct profile *p, const struct point_value *value, struct firmware_version *version)
{
	const struct point *point = &p->points[p->firmware_point - 1];
	uint32_t n = (uint32_t)(value->milli / 1000);

	*version = (struct firmware_version){0};
	if (value->quality != QUALITY_GOOD)
		return FC_EINVAL;
	if (value->is_text)
		return firmware_parse(value->text, version);
	if (value->milli < 0 || value->milli / 1000 > UINT32_MAX)
		return FC_EINVAL;
	switch (p->firmware_form) {
	case FIRMWARE_TEXT:
	case FIRMWARE_NUMBER:
		version->part[0] = n;
		break;
	case FIRMWARE_DECIMAL:
		*version = (struct firmware_version){{n / 10000, n / 100 % 100, n % 100}};
		break;
	case FIRMWARE_BYTES:
		for (int i = 0, bytes = point->words > 1 ? 4 : 2; i < bytes; i++)
			version->part[i] = n >> 8 * (bytes - 1 - i) & 0xFF;
		break;
	}
	return FC_OK;
}

int profile_range_holds(const struct firmware_range *range, const struct firmware_version *version)
{
	for (int i = 0; i < range->count; i++) {
		const uint32_t *a = version->part, *b = range->bound[i].part;
		int k = 0;

		while (k < PROFILE_PARTS - 1 && a[k] == b[k])
			k++;
		int order = a[k] < b[k] ? -1 : a[k] > b[k], holds = 0;
		switch (range->relation[i]) {
		case FIRMWARE_EQUAL:
			holds = !order;
			break;
		case FIRMWARE_NOT:
			holds = order != 0;
			break;
		case FIRMWARE_LESS:
			holds = order < 0;
			break;
		case FIRMWARE_MOST:
			holds = order <= 0;
			break;
		case FIRMWARE_MORE:
			holds = order > 0;
			break;
		case FIRMWARE_LEAST:
			holds = order >= 0;
			break;
		}
		if (!holds)
			return 0;
	}
	return 1;
}

static int range_holds(const struct profile *p, int range, const struct firmware_version *version)
{
	return !range || (version && profile_range_holds(&p->ranges[range - 1], version));
}

int profile_reads(const struct profile *p, int place, const struct firmware_version *version)
{
	const struct point *point = &p->points[place];
	int target = point->target ? point->target - 1 : place;

	if (!range_holds(p, point->range, version) ||
	    (point->group && !range_holds(p, p->groups[point->group - 1].range, version)))
		return 0;
	if (!p->points[target].variants)
		return 1;
	/* The first variant that fits counts; the point itself when none does. */
	for (int i = p->point_count; version && i < p->read_count; i++)
		if (p->points[i].target == target + 1 && range_holds(p, p->points[i].range, version))
			return i == place;
	return version && place == target;
}

int profile_encode(const struct profile_setpoint *setpoint, int64_t milli, const struct point_value *values,
		   struct profile_write *write)
{
	const struct point *form = &setpoint->form;
	double factor, value;
	int bytes = form->words * 2;
	uint64_t raw;

	*write = setpoint->write;
	/* Of a wrong scale a limit could be ten times what is meant. */
	if (sample_factor(form, values, &factor) || fabs(factor) < 1e-9)
		return FC_EINVAL;
	value = ((double)milli / 1000 - form->offset) / form->scale / factor;
	if (form->type == POINT_F32) {
		float f = (float)value;
		uint32_t bits;

		memcpy(&bits, &f, sizeof(bits));
		raw = bits;
	} else {
		int is_signed = form->type == POINT_S16 || form->type == POINT_S32;
		double most = ldexp(1, 8 * bytes - is_signed) - 1, least = is_signed ? -most - 1 : 0;

		value = value < least ? least : value > most ? most : value;
		raw = (uint64_t)llround(value);
	}
	for (int i = 0; i < bytes; i++) {
		/* Byte i of the registers is byte from of the value, 0 the highest. */
		int from = form->permuted    ? form->order[i]
			   : form->low_first ? (form->words - 1 - i / 2) * 2 + i % 2
					     : i;

		uint64_t byte = raw >> 8 * (bytes - 1 - from) & 0xFF;

		write->words[i / 2] = (uint16_t)((uint64_t)write->words[i / 2] << 8 | byte);
	}
	return FC_OK;
}
