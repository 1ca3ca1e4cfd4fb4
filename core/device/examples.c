/* The examples that a profile must keep to: registers in, values and status out. */
#include <stdio.h>
#include <string.h>

#include "device/decode.h"
#include "device/examples.h"
#include "device/frames.h"
#include "device/sample.h"

/* What an example says of where its registers were read. */
struct image {
	int number;
	int function, unit; /* 0 and -1: of any */
	uint8_t base;
};

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

/* Of a DL/T 645 meter: {[0x00010000] = 0x00123456}, the bytes of the value as one number. */
static int image_value(const struct value *data, const struct point *point, uint16_t *words)
{
	char key[12];
	uint8_t bytes[2 * BUS_WORDS_MAX] = {0};
	size_t size = 2u * point->words;
	int64_t i;

	(void)snprintf(key, sizeof(key), "%u", point->identifier);
	const struct value *v = value_get(data, key);
	if (!v || v->type == VALUE_STRING || value_to_int(v, &i))
		return FC_ENOENT;
	for (size_t k = 0; k < size && k < sizeof(i); k++)
		bytes[size - 1 - k] = (uint8_t)((uint64_t)i >> 8 * k);
	for (size_t k = 0; k < point->words; k++)
		words[k] = (uint16_t)(bytes[2 * k] << 8 | bytes[2 * k + 1]);
	return FC_OK;
}

/* Of all points that are read with that firmware, those whose registers are all in the image. */
static void decode_stage(struct profile *p, const struct value *registers, const struct image *image, int stage,
			 const struct firmware_version *version, struct point_value *values)
{
	for (int i = 0; i < p->read_count; i++) {
		const struct point *point = &p->points[i];
		uint32_t address = profile_address(p, point, image->number);
		uint16_t words[BUS_WORDS_MAX];
		int known = sample_stage(p, i) == stage && profile_reads(p, i, version) &&
			    (!image->function || point->function == image->function) &&
			    (image->unit < 0 || profile_unit(p, point, image->number, image->base) == image->unit);

		if (p->dlt645)
			known = known && !image_value(registers, point, words);
		for (uint32_t w = 0; !p->dlt645 && known && w < point->words; w++)
			known = !image_word(registers, address + w, &words[w]);
		if (known)
			sample_point(p, i, words, image->number, values,
				     &values[point->target ? point->target - 1 : i]);
	}
}

/* Twice: what is read may depend on the firmware, which is read first. */
static void decode_image(struct profile *p, const struct value *registers, const struct image *image,
			 struct point_value *values)
{
	struct firmware_version version;
	const struct firmware_version *known = NULL;

	for (int turn = 0; turn < (p->firmware_point ? 2 : 1); turn++) {
		for (int stage = 0; stage < SAMPLE_STAGES; stage++)
			decode_stage(p, registers, image, stage, known, values);
		if (p->firmware_point && !profile_version(p, &values[p->firmware_point - 1], &version))
			known = &version;
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

static int of_registers(struct profile *p, const struct value *example, const char *path, int number,
			struct point_value *values, struct error *err)
{
	const struct value *registers = value_get(example, p->dlt645 ? "data" : "registers");
	int64_t connector = 1, function = 0, unit = -1;

	if (value_get(example, "connector") &&
	    (value_to_int(value_get(example, "connector"), &connector) || connector < 1 || connector > p->connectors))
		return error_set(err, FC_EINVAL, "%s: examples[%d].connector: must be 1 to %d", path, number,
				 p->connectors);
	if (value_get(example, "fc") && value_to_int(value_get(example, "fc"), &function))
		return error_set(err, FC_EINVAL, "%s: examples[%d].fc: must be a number", path, number);
	if (value_get(example, "unit_id") &&
	    (value_to_int(value_get(example, "unit_id"), &unit) || unit < 0 || unit > 255))
		return error_set(err, FC_EINVAL, "%s: examples[%d].unit_id: must be 0 to 255", path, number);
	/* The charger's own unit is not known here: 1, as most have. */
	decode_image(p, registers,
		     &(struct image){.number = (int)connector, .function = (int)function, .unit = (int)unit, .base = 1},
		     values);
	return FC_OK;
}

int examples_expect(const struct profile *p, const struct point_value *values, const struct value *expect,
		    const char *path, int number, struct error *err)
{
	int64_t status;

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

static int run_example(struct profile *p, const struct value *example, const char *path, int number, struct error *err)
{
	struct point_value values[DEVICE_POINTS_MAX] = {0};
	const struct value *expect = value_get(example, "expect");
	static const char *const known_registers[] = {"registers", "expect", "connector", "fc", "unit_id", NULL};
	static const char *const known_frames[] = {"frames", "expect", "connector", "unit", NULL};
	static const char *const known_data[] = {"data", "expect", NULL};
	const char *input = p->agent ? "frames" : p->dlt645 ? "data" : "registers";
	const char *const *known = p->agent ? known_frames : p->dlt645 ? known_data : known_registers;

	value_each (member, example) {
		if (!value_key_known(member, known))
			return error_set(err, FC_EINVAL, "%s: examples[%d].%s: there is no such key", path, number,
					 member->key ? member->key : "");
	}
	if (!value_get(example, input) || !expect)
		return error_set(err, FC_EINVAL, "%s: examples[%d]: wants %s and expect", path, number, input);
	int done = p->agent ? frames_run(p, example, path, number, values, err)
			    : of_registers(p, example, path, number, values, err);
	if (done)
		return done;
	return examples_expect(p, values, expect, path, number, err);
}

int profile_run_examples(struct script *script, struct profile *profile, struct error *err)
{
	int (*run)(struct profile * p, const struct value *example, const char *path, int number, struct error *err) =
	    profile->can ? examples_run_can : run_example;
	int number = 0, result = FC_OK;

	script_begin_examples(script);
	value_each (example, value_get(script_table(script), "examples")) {
		result = script_examples_left(script, ++number, err);
		if (!result)
			result = run(profile, example, script_path(script), number, err);
		/* A hook that had no time left gave no value. */
		if (result) {
			int none_left = script_examples_left(script, number, err);

			result = none_left ? none_left : result;
			break;
		}
	}
	script_end_examples(script);
	return result;
}
