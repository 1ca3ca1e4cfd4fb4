/* Loading a profile, and the examples it must keep to. */
#include "device/profile.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "device/decode.h"

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

/* FNV-1a over the bytes. Padding can at worst make the same look different: then a line is reopened needlessly. */
static uint64_t fingerprint(const struct profile *profile)
{
	const unsigned char *bytes = (const unsigned char *)profile;
	uint64_t hash = 14695981039346656037u;

	for (size_t i = 0; i < sizeof(*profile); i++)
		hash = (hash ^ bytes[i]) * 1099511628211u;
	return hash;
}

struct profile *profile_load(const struct script_host *host, const char *name, struct error *err)
{
	struct profile *profile = calloc(1, sizeof(*profile));
	struct script *script = profile ? script_load(host, "profiles", name, NULL, err) : NULL;
	if (!script) {
		if (!profile)
			(void)error_set(err, FC_ENOMEM, "device: no memory");
		free(profile);
		return NULL;
	}
	const char *path = script_path(script);
	int result = profile_compile(script_table(script), path, profile, err);
	if (!result)
		result = profile_run_examples(script_table(script), path, profile, err);
	/* The name by which it is asked for counts, whatever the file calls itself. */
	(void)snprintf(profile->name, sizeof(profile->name), "%s", name);
	(void)snprintf(profile->hash, sizeof(profile->hash), "%s", script_hash(script));
	profile->fingerprint = fingerprint(profile);
	profile->sources = script_take_sources(script);
	script_free(script);
	if (result) {
		profile_free(profile);
		return NULL;
	}
	return profile;
}

void profile_free(struct profile *profile)
{
	if (profile)
		sources_free(profile->sources);
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

int profile_fits(const struct profile *profile, const struct config *config, struct error *err)
{
	for (int i = 0; i < config->connector_count; i++) {
		const struct config_connector *c = &config->connectors[i];
		const struct config_charger *charger = &config->chargers[c->charger];

		if (!strcmp(charger->profile, profile->name) && c->number > profile->connectors)
			return error_set(err, FC_EINVAL,
					 "device: charger %s: connector number %d: profile %s describes %d",
					 charger->name, c->number, profile->name, profile->connectors);
	}
	return FC_OK;
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

/* The register image of an example: {[0] = 2, [5] = 22000} arrives as members with number keys, or as a list from 1. */
static int image_word(const struct value *registers, uint32_t address, uint16_t *word)
{
	char key[12];
	uint32_t place = 0;
	int64_t i;

	(void)snprintf(key, sizeof(key), "%u", address);
	const struct value *v = value_get(registers, key);
	value_each (item, registers)
		if (!item->key && ++place == address)
			v = item;
	if (value_to_int(v, &i) || i < 0 || i > 65535)
		return FC_ENOENT;
	*word = (uint16_t)i;
	return FC_OK;
}

/* Decodes every point whose registers are all in the image. */
static void decode_image(const struct profile *p, const struct value *registers, int function, int number,
			 struct point_value *values)
{
	for (int i = 0; i < p->point_count; i++) {
		const struct point *point = &p->points[i];
		uint32_t address = (uint32_t)(point->address + (point->shared ? 0 : (number - 1) * p->stride));
		uint16_t words[BUS_WORDS_MAX];
		int known = !function || point->function == function;

		for (uint32_t w = 0; known && w < point->words; w++)
			known = !image_word(registers, address + w, &words[w]);
		if (known && !decode_point(point, words, &values[i]))
			values[i].quality = QUALITY_GOOD;
	}
}

static int example_failed(const char *path, int number, const char *key, const char *expected, const char *got,
			  struct error *err)
{
	return error_set(err, FC_EINVAL, "%s: examples[%d].expect.%s: expected %s, got %s", path, number, key, expected,
			 got);
}

static int check_point(const struct profile *p, const struct point_value *values, const struct value *expect,
		       const char *path, int number, struct error *err)
{
	int point = profile_point(p, expect->key);
	char got[80] = "nothing", expected[80];
	double d = 0;

	if (point < 0)
		return example_failed(path, number, expect->key, "a point of this profile", "no such point", err);
	const struct point_value *v = &values[point];
	int known = v->quality == QUALITY_GOOD;
	if (known && v->is_text)
		(void)snprintf(got, sizeof(got), "\"%s\"", v->text);
	else if (known)
		(void)snprintf(got, sizeof(got), "%.3f", (double)v->milli / 1000);
	if (value_text(expect)) {
		(void)snprintf(expected, sizeof(expected), "\"%.60s\"", value_text(expect));
		return known && v->is_text && !strcmp(v->text, value_text(expect))
			   ? FC_OK
			   : example_failed(path, number, expect->key, expected, got, err);
	}
	/* false: the value must be unknown. */
	if (expect->type == VALUE_BOOL && !expect->i)
		return known ? example_failed(path, number, expect->key, "unknown", got, err) : FC_OK;
	if (value_to_double(expect, &d))
		return example_failed(path, number, expect->key, "a number, a text or false", "something else", err);
	(void)snprintf(expected, sizeof(expected), "%.3f", d);
	return known && !v->is_text && !strcmp(expected, got)
		   ? FC_OK
		   : example_failed(path, number, expect->key, expected, got, err);
}

static int run_example(const struct profile *p, const struct value *example, const char *path, int number,
		       struct error *err)
{
	struct point_value values[DEVICE_POINTS_MAX] = {0};
	const struct value *registers = value_get(example, "registers"), *expect = value_get(example, "expect");
	int64_t connector = 1, function = 0, status;

	value_each (member, example) {
		const char *key = member->key ? member->key : "";

		if (strcmp(key, "registers") != 0 && strcmp(key, "expect") != 0 && strcmp(key, "connector") != 0 &&
		    strcmp(key, "fc") != 0)
			return error_set(err, FC_EINVAL, "%s: examples[%d].%s: there is no such key", path, number,
					 key);
	}
	if (!registers || !expect)
		return error_set(err, FC_EINVAL, "%s: examples[%d]: wants registers and expect", path, number);
	if (value_get(example, "connector") &&
	    (value_to_int(value_get(example, "connector"), &connector) || connector < 1 || connector > p->connectors))
		return error_set(err, FC_EINVAL, "%s: examples[%d].connector: must be 1 to %d", path, number,
				 p->connectors);
	if (value_get(example, "fc") && value_to_int(value_get(example, "fc"), &function))
		return error_set(err, FC_EINVAL, "%s: examples[%d].fc: must be a number", path, number);
	decode_image(p, registers, (int)function, (int)connector, values);
	value_each (e, expect) {
		if (!e->key)
			continue;
		if (strcmp(e->key, "status") != 0) {
			int result = check_point(p, values, e, path, number, err);

			if (result)
				return result;
			continue;
		}
		enum connector_status got = decode_status(&p->status, values);
		if (value_to_int(e, &status) || status != (int64_t)got)
			return error_set(err, FC_EINVAL, "%s: examples[%d].expect.status: expected %lld, got %d", path,
					 number, value_to_int(e, &status) ? -1LL : (long long)status, (int)got);
	}
	return FC_OK;
}

int profile_run_examples(const struct value *table, const char *path, const struct profile *profile, struct error *err)
{
	int number = 0;

	value_each (example, value_get(table, "examples")) {
		int result = run_example(profile, example, path, ++number, err);

		if (result)
			return result;
	}
	return FC_OK;
}
