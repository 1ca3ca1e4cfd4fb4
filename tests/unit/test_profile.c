/* device/: profiles compiled with every mistake named, registers decoded byte for byte, reads merged into blocks, the
 * status rules, and the profiles that we ship. */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "device/decode.h"
#include "device/plan.h"
#include "device/profile.h"
#include "folder.h"

struct folder {
	char path[64];
};

static int make_folder(void **state)
{
	struct folder *f = calloc(1, sizeof(*f));
	char sub[96];

	assert_non_null(f);
	folder_make(f->path, sizeof(f->path), "profile");
	(void)snprintf(sub, sizeof(sub), "%s/profiles", f->path);
	assert_int_equal(mkdir(sub, 0700), 0);
	*state = f;
	return 0;
}

static int remove_folder(void **state)
{
	folder_remove(((struct folder *)*state)->path);
	free(*state);
	return 0;
}

/* Loads "return { forecourt = 1, kind = 'profile', BODY }". */
static struct profile *load(void **state, const char *body, struct error *err)
{
	const struct folder *f = *state;
	char path[128];

	*err = (struct error){0};
	(void)snprintf(path, sizeof(path), "%s/profiles/t.lua", f->path);
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	assert_true(fprintf(file, "return { forecourt = 1, kind = 'profile', %s }\n", body) > 0);
	assert_int_equal(fclose(file), 0);
	return profile_load(&(struct script_host){.lua_dir = f->path}, "t", err);
}

static struct profile *load_good(void **state, const char *body)
{
	struct error err;
	struct profile *p = load(state, body, &err);

	if (!p)
		fail_msg("%s", err.text);
	return p;
}

/* Mistakes ---------------------------------------------------------------------------------------------------------- */

#define STATE "state = { address = 0, type = 'u16' }"

static void each_mistake_is_named(void **state)
{
	static const struct {
		const char *body, *place, *why;
	} cases[] = {
	    {"", "points:", "missing"},
	    {"points = 'x'", "points:", "must be a table"},
	    {"points = { 5 }", "points:", "named"},
	    {"points = { power = 5 }", "points.power:", "must be a table"},
	    {"points = { power = { type = 'u16' } }", "points.power:", "address"},
	    {"points = { power = { address = 0 } }", "points.power.type:", "u16 s16 u32"},
	    {"points = { power = { address = 0, type = 'u24' } }", "points.power.type:", "u16 s16 u32"},
	    {"points = { power = { address = 65536, type = 'u16' } }", "points.power.address:", "0 to 65535"},
	    {"points = { power = { address = 65535, type = 'u32' } }", "points.power.address:", "65535"},
	    {"points = { power = { address = '7', type = 'u16' } }", "points.power.address:", "whole number"},
	    {"points = { power = { address = 1.5, type = 'u16' } }", "points.power.address:", "whole number"},
	    {"points = { power = { address = 0, type = 'u32', order = 'big' } }", "points.power.order:", "hi-lo"},
	    {"points = { power = { address = 0, type = 'u16', fc = 5 } }", "points.power.fc:", "1 to 4"},
	    {"points = { power = { address = 0, type = 'u16', fc = 1 } }", "points.power.fc:", "bool"},
	    {"points = { power = { address = 0, type = 'bool', fc = 3 } }", "points.power.fc:", "bits"},
	    {"points = { power = { address = 0, type = 'u16', scale = 'x' } }", "points.power.scale:", "number"},
	    {"points = { power = { address = 0, type = 'u16', scal = 2 } }", "points.power.scal:", "no such key"},
	    {"points = { power = { address = 0, type = 'u16', invalid = 65535 } }", "points.power.invalid:", "table"},
	    {"points = { power = { address = 0, type = 'u16', invalid = { 65536 } } }", "points.power.invalid:", "fit"},
	    {"points = { power = { address = 0, type = 's16', invalid = { -32769 } } }",
	     "points.power.invalid:", "fit"},
	    {"points = { power = { address = 0, type = 'f32', mask = 1 } }", "points.power.mask:", "whole numbers"},
	    {"points = { power = { address = 0, type = 'text', words = 2, shift = 8 } }", "points.power.shift:", "u16"},
	    {"points = { power = { address = 0, type = 'text' } }", "points.power.words:", "1 to 31"},
	    {"points = { power = { address = 0, type = 'u16', period_ms = 99 } }", "points.power.period_ms:", "100 to"},
	    {"points = { power = { address = 0, type = 'u16', shared = 1 } }", "points.power.shared:", "true or false"},
	    {"modbus = 5, points = { " STATE " }", "modbus:", "must be a table"},
	    {"modbus = { max_words = 126 }, points = { " STATE " }", "modbus.max_words:", "1 to 125"},
	    {"modbus = { deny = { 60, 79 } }, points = { " STATE " }", "modbus.deny:", "pairs"},
	    {"modbus = { deny = { {0, 1} } }, points = { " STATE " }", "points.state.address:", "modbus.deny (0 to 1)"},
	    {"modbus = { max_words = 1 }, points = { power = { address = 0, type = 'u32' } }",
	     "points.power.address:", "max_words"},
	    {"connectors = 2, points = { " STATE " }", "connectors:", "must be a table"},
	    {"connectors = { count = 17 }, points = { " STATE " }", "connectors.count:", "1 to 16"},
	    {"connectors = { count = 4, stride = 30000 }, points = { " STATE " }", "points.state.address:", "65535"},
	    {"points = { " STATE " }, status = { point = 'stat' }", "status.point:", "name a point"},
	    {"points = { " STATE " }, status = { point = 'state', map = { [0] = 5 } }", "status.map:", "0 1 2 3 4 255"},
	    {"points = { " STATE " }, status = { point = 'state', map = { A = 1 } }",
	     "status.map:", "\"A\" is no number"},
	    {"points = { " STATE " }, status = { point = 'state', map = 1 }", "status.map:", "must be a table"},
	    {"points = { " STATE " }, status = { point = 'state', default = 7 }", "status.default:", "0 1 2 3 4 255"},
	    {"points = { " STATE " }, status = { point = 'state', faults = { { point = 'state' } } }",
	     "status.faults:", "equals, not or mask"},
	    {"points = { " STATE " }, exampels = {}", "exampels:", "no such key"},
	    {"points = { " STATE " }, examples = 1", "examples:", "must be a table"},
	    {"points = { " STATE " }, commands = 1", "commands:", "must be a table"},
	    {"points = { " STATE " }, commands = { start = 1 }", "commands.start:", "must be one of at most 8"},
	    {"points = { " STATE " }, commands = { start = { value = 1 } }", "commands.start:", "wants an address"},
	    {"points = { " STATE " }, commands = { start = { address = 1 } }", "commands.start.values:", "wants value"},
	    {"points = { " STATE " }, commands = { start = { address = 1, fc = 7, value = 1 } }",
	     "commands.start:", "fc must be 5, 6, 15 or 16"},
	    {"points = { " STATE " }, commands = { start = { address = 1, value = 70000 } }",
	     "commands.start.value:", "from 0 to 65535"},
	    {"points = { " STATE " }, commands = { start = { address = 1, values = { 1, 2 } } }",
	     "commands.start.values:", "wants value"},
	    {"points = { " STATE " }, commands = { start = { address = 1, fc = 16, values = { 1, 2 }, value = 3 } }",
	     "commands.start.values:", "wants value"},
	};
	struct error err;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct profile *p = load(state, cases[i].body, &err);

		if (p)
			fail_msg("accepted: %s", cases[i].body);
		assert_int_equal(err.code, FC_EINVAL);
		if (!strstr(err.text, "profiles/t.lua: ") || !strstr(err.text, cases[i].place) ||
		    !strstr(err.text, cases[i].why))
			fail_msg("%s\n  gives: %s\n  wants: %s ... %s", cases[i].body, err.text, cases[i].place,
				 cases[i].why);
	}
}

#define HEARD "listen = 'gbt27930', points = { soc = { signal = 'BCS.soc' } }"

static void mistakes_of_listening_profiles(void **state)
{
	static const struct {
		const char *body, *place, *why;
	} cases[] = {
	    {"listen = 'j1939', points = { soc = { signal = 'BCS.soc' } }", "listen:", "\"gbt27930\""},
	    {"listen = 'gbt27930', points = { soc = { signal = 'BCS.soz' } }",
	     "points.soc.signal:", "a signal of GB/T 27930, such as BCS.soc"},
	    {"listen = 'gbt27930', points = { soc = { unit = '%' } }", "points.soc.signal:", "must name a signal"},
	    {"listen = 'gbt27930', points = { soc = 5 }", "points.soc:", "at least signal"},
	    {"listen = 'gbt27930', points = { { signal = 'BCS.soc' } }", "points:", "named"},
	    {"listen = 'gbt27930', points = { soc = { signal = 'BCS.soc', unit = 'V' } }",
	     "points.soc.unit:", "BCS.soc is in \"%\""},
	    {"listen = 'gbt27930', points = { soc = { signal = 'BCS.soc', address = 1 } }",
	     "points.soc.address:", "no such key"},
	    {"listen = 'gbt27930', points = { vin = { signal = 'BRM.vin', scale = 2 } }",
	     "points.vin.signal:", "is a text"},
	    {"listen = 'gbt27930', points = { soc = { signal = 'BCS.soc', hook = 1 } }",
	     "points.soc.hook:", "function"},
	    {HEARD ", modbus = { max_words = 2 }", "modbus:", "only listens"},
	    {HEARD ", commands = { start = { address = 1, value = 1 } }", "commands:", "only listens"},
	    {HEARD ", connectors = { count = 2 }", "connectors:", "one vehicle"},
	    {HEARD ", examples = { { registers = { 1 }, expect = {} } }", "examples[1].registers:", "no such key"},
	    {HEARD ", examples = { { frames = { '1826F456' }, expect = {} } }",
	     "examples[1].frames[1]:", "such as \"1826F456#010100\""},
	    {HEARD ", examples = { { frames = { '1826F456#0' }, expect = {} } }", "examples[1].frames[1]:", "such as"},
	    {HEARD ", examples = { { frames = { '3FFFFFFF#00' }, expect = {} } }", "examples[1].frames[1]:", "such as"},
	    {HEARD ", examples = { { frames = { '1826F456#000102030405060708' }, expect = {} } }",
	     "examples[1].frames[1]:", "such as"},
	    {HEARD ", examples = { { frames = 'x', expect = {} } }", "examples[1].frames:", "list of texts"},
	    {HEARD ", examples = { { frames = { '181056F4#A00FB80B02' }, expect = { soc = 1 } } }",
	     "examples[1].expect.soc:", "expected 1.000, got nothing"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct error err;
		struct profile *p = load(state, cases[i].body, &err);

		assert_null(p);
		if (!strstr(err.text, cases[i].place) || !strstr(err.text, cases[i].why))
			fail_msg("%s: %s", cases[i].body, err.text);
	}
	/* Another unit by a scale, a range, and a hook upon what is heard. */
	struct profile *p = load_good(
	    state, "listen = 'gbt27930', points = { wanted = { signal = 'BCL.voltage', unit = 'kV', scale = 0.001 }, "
		   "current = { signal = 'BCL.current', max = 50 }, "
		   "double = { signal = 'BCL.voltage', hook = function(v) return 2 * v end } }, "
		   "examples = { { frames = { '181056F4#A00FB80B02' }, "
		   "expect = { wanted = 0.4, current = false, double = 800 } } }");
	assert_string_equal(profile_point_unit(p, profile_point(p, "wanted")), "kV");
	profile_free(p);
}

static void all_mistakes_come_at_once(void **state)
{
	struct error err;

	assert_null(load(state,
			 "modbus = { max_words = 0 }, points = { power = { address = 0, type = 'u24' },"
			 " state = { address = -1, type = 'u16' } }",
			 &err));
	assert_non_null(strstr(err.text, "modbus.max_words: "));
	assert_non_null(strstr(err.text, "; points.power.type: "));
	assert_non_null(strstr(err.text, "; points.state.address: "));
	/* More than the text holds: it ends behind a whole mistake. */
	char body[2048] = "points = { " STATE " }";
	for (int i = 0; i < 30; i++)
		(void)snprintf(body + strlen(body), sizeof(body) - strlen(body), ", wrong%d = 1", i);
	assert_null(load(state, body, &err));
	const char *tail = "there is no such key";
	assert_string_equal(err.text + strlen(err.text) - strlen(tail), tail);
	/* Who wants no reason gets none. */
	struct folder *f = *state;
	assert_null(profile_load(&(struct script_host){.lua_dir = f->path}, "t", NULL));
}

static void wrong_kind_or_version_is_refused(void **state)
{
	struct folder *f = *state;
	struct error err = {0};
	char path[128];

	(void)snprintf(path, sizeof(path), "%s/profiles/o.lua", f->path);
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	assert_true(fputs("return { forecourt = 2, kind = 'operator', points = { " STATE " } }", file) >= 0);
	assert_int_equal(fclose(file), 0);
	assert_null(profile_load(&(struct script_host){.lua_dir = f->path}, "o", &err));
	assert_non_null(strstr(err.text, "forecourt: must be 1"));
	assert_non_null(strstr(err.text, "kind: must be \"profile\""));
	assert_null(profile_load(&(struct script_host){.lua_dir = f->path}, "absent", &err));
	assert_non_null(strstr(err.text, "absent.lua"));
}

static void a_failing_example_refuses_the_file(void **state)
{
	static const struct {
		const char *example, *why;
	} cases[] = {
	    {"{ registers = { [0] = 2 }, expect = { state = 3 } }", "expected 3.000, got 2.000"},
	    {"{ registers = { [0] = 2 }, expect = { status = 1 } }", "status: expected 1, got 3"},
	    {"{ registers = { [1] = 2 }, expect = { state = 2 } }", "got nothing"},
	    {"{ registers = { [0] = 2 }, expect = { state = false } }", "expected unknown"},
	    {"{ registers = { [0] = 2 }, expect = { stat = 2 } }", "no such point"},
	    {"{ registers = { [0] = 2 }, fc = 4, expect = { state = 2 } }", "got nothing"},
	    {"{ registers = { [0] = 2 }, connector = 3, expect = { state = 2 } }", "connector: must be 1 to 2"},
	    {"{ registers = { [0] = 2 }, conector = 2, expect = { state = 2 } }", "conector: there is no such key"},
	    {"{ registers = { [0] = 2 } }", "wants registers and expect"},
	};
	char body[400];
	struct error err;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		(void)snprintf(body, sizeof(body),
			       "connectors = { count = 2, stride = 10 }, points = { " STATE " },"
			       " status = { point = 'state', map = { [2] = 3 } },"
			       " examples = { { registers = { [0] = 2 }, expect = { state = 2, status = 3 } }, %s }",
			       cases[i].example);
		if (load(state, body, &err))
			fail_msg("accepted: %s", cases[i].example);
		if (!strstr(err.text, "examples[2]") || !strstr(err.text, cases[i].why))
			fail_msg("%s\n  gives: %s\n  wants: %s", cases[i].example, err.text, cases[i].why);
	}
	profile_free(load_good(state,
			       "connectors = { count = 2, stride = 10 }, points = { " STATE " },"
			       " examples = { { registers = { [10] = 7 }, connector = 2, expect = { state = 7 } } }"));
}

/* Decoding ---------------------------------------------------------------------------------------------------------- */

static struct point point_of(enum point_type type, uint16_t words)
{
	return (struct point){.type = type, .words = words, .function = 3, .scale = 1};
}

/* Thousandths; the words in the order hi-lo, and reversed as lo-hi. */
static void decodes(const struct point *point, const uint16_t *words, int64_t milli)
{
	struct point reversed = *point;
	struct point_value v = {0};
	uint16_t back[4];

	assert_int_equal(decode_point(point, words, &v), FC_OK);
	assert_false(v.is_text);
	assert_true(v.milli == milli);
	for (int i = 0; i < point->words; i++)
		back[i] = words[point->words - 1 - i];
	reversed.low_first = 1;
	assert_int_equal(decode_point(&reversed, back, &v), FC_OK);
	assert_true(v.milli == milli);
}

static void unknown(const struct point *point, const uint16_t *words)
{
	struct point_value v = {0};

	assert_int_equal(decode_point(point, words, &v), FC_EINVAL);
}

static void numbers_of_each_type(void **state)
{
	struct point u16 = point_of(POINT_U16, 1), s16 = point_of(POINT_S16, 1), u32 = point_of(POINT_U32, 2),
		     s32 = point_of(POINT_S32, 2), u64 = point_of(POINT_U64, 4), s64 = point_of(POINT_S64, 4),
		     f32 = point_of(POINT_F32, 2), f64 = point_of(POINT_F64, 4), bit = point_of(POINT_BOOL, 1);

	(void)state;
	decodes(&u16, (uint16_t[]){0xFFFF}, 65535000);
	decodes(&s16, (uint16_t[]){0xFFFF}, -1000);
	decodes(&s16, (uint16_t[]){0x8000}, -32768000);
	decodes(&u32, (uint16_t[]){0x0001, 0x0002}, 65538000);
	decodes(&u32, (uint16_t[]){0xFFFF, 0xFFFF}, 4294967295000);
	decodes(&s32, (uint16_t[]){0xFFFF, 0xFFFE}, -2000);
	decodes(&s32, (uint16_t[]){0x8000, 0x0000}, -2147483648000);
	decodes(&u64, (uint16_t[]){0x0001, 0x0002, 0x0003, 0x0004}, 281483566841860000);
	decodes(&s64, (uint16_t[]){0xFFFF, 0xFFFF, 0xFFFF, 0xFFFF}, -1000);
	/* 2^52 + 1: its thousandths are more than a double holds. */
	decodes(&s64, (uint16_t[]){0x0010, 0, 0, 1}, 4503599627370497000);
	decodes(&u64, (uint16_t[]){0x0010, 0, 0, 1}, 4503599627370497000);
	decodes(&bit, (uint16_t[]){1}, 1000);
	/* IEEE 754: 230.5, -0.1, 1234.5678 and 6.02e7 */
	decodes(&f32, (uint16_t[]){0x4366, 0x8000}, 230500);
	decodes(&f32, (uint16_t[]){0xBDCC, 0xCCCD}, -100);
	decodes(&f64, (uint16_t[]){0x4093, 0x4A45, 0x6D5C, 0xFAAD}, 1234568);
	decodes(&f64, (uint16_t[]){0x418C, 0xB495, 0x0000, 0x0000}, 60199584000);
	/* What thousandths can't hold, and what is no number. */
	unknown(&u64, (uint16_t[]){0xFFFF, 0xFFFF, 0xFFFF, 0xFFFF});
	unknown(&s64, (uint16_t[]){0x7FFF, 0xFFFF, 0xFFFF, 0xFFFF});
	unknown(&f32, (uint16_t[]){0x7FC0, 0x0000});
	unknown(&f32, (uint16_t[]){0xFF80, 0x0000});
	unknown(&f64, (uint16_t[]){0x7FF8, 0, 0, 0});
	unknown(&f64, (uint16_t[]){0x7E37, 0xE43C, 0x8800, 0x759C});
}

static void scale_bits_and_range(void **state)
{
	struct point p = point_of(POINT_U16, 1);

	(void)state;
	p.scale = 0.1;
	decodes(&p, (uint16_t[]){2301}, 230100);
	p.offset = -40;
	decodes(&p, (uint16_t[]){655}, 25500);
	p.has_range = 1;
	p.min = -10;
	p.max = 50;
	decodes(&p, (uint16_t[]){900}, 50000);
	unknown(&p, (uint16_t[]){901});
	unknown(&p, (uint16_t[]){299});
	p = point_of(POINT_U32, 2);
	p.shift = 8;
	p.mask = 0x7F;
	decodes(&p, (uint16_t[]){0xAAAA, 0x84BB}, 4000);
	p = point_of(POINT_S16, 1);
	p.invalid[p.invalid_count++] = 0x8000;
	unknown(&p, (uint16_t[]){0x8000});
	decodes(&p, (uint16_t[]){0x8001}, -32767000);
}

static void invalid_patterns_of_a_file(void **state)
{
	struct profile *p = load_good(state, "points = { a = { address = 0, type = 's16', invalid = { -1, 0x8000 } },"
					     " b = { address = 1, type = 'u64', invalid = { 0xFFFFFFFFFFFFFFFF } } }");

	unknown(&p->points[profile_point(p, "a")], (uint16_t[]){0xFFFF});
	unknown(&p->points[profile_point(p, "a")], (uint16_t[]){0x8000});
	assert_true(p->points[profile_point(p, "b")].invalid[0] == UINT64_MAX);
	profile_free(p);
}

static void texts(void **state)
{
	struct point p = point_of(POINT_TEXT, 4);
	struct point_value v = {0};

	(void)state;
	assert_int_equal(decode_point(&p, (uint16_t[]){0x4142, 0x4320, 0x2000, 0x5858}, &v), FC_OK);
	assert_true(v.is_text);
	assert_string_equal(v.text, "ABC");
	p.swap = 1;
	assert_int_equal(decode_point(&p, (uint16_t[]){0x4241, 0x4443, 0xFFFF, 0xFFFF}, &v), FC_OK);
	assert_string_equal(v.text, "ABCD");
	p.swap = 0;
	assert_int_equal(decode_point(&p, (uint16_t[]){0, 0, 0, 0}, &v), FC_OK);
	assert_string_equal(v.text, "");
	uint16_t full[31];
	for (int i = 0; i < 31; i++)
		full[i] = 0x5A5A;
	p.words = 31;
	assert_int_equal(decode_point(&p, full, &v), FC_OK);
	assert_int_equal(strlen(v.text), 62);
}

/* Status ------------------------------------------------------------------------------------------------------------ */

static struct point_value good(int64_t number)
{
	return (struct point_value){.quality = QUALITY_GOOD, .milli = number * 1000};
}

static void status_rules(void **state)
{
	struct profile *p = load_good(
	    state,
	    "points = { " STATE ", fault = { address = 1, type = 'u16' }, flags = { address = 2, type = 'u16' } },"
	    " status = { point = 'state', map = { [0] = 1, [2] = 3 }, default = 2, faults = {"
	    " { point = 'fault', ['not'] = 0 }, { point = 'state', equals = 7 }, { point = 'flags', mask = 0x10 } } }");
	struct point_value v[DEVICE_POINTS_MAX] = {0};
	int at = profile_point(p, "state"), fault = profile_point(p, "fault"), flags = profile_point(p, "flags");

	assert_int_equal(decode_status(&p->status, v), CONNECTOR_OFFLINE);
	v[at] = good(2);
	assert_int_equal(decode_status(&p->status, v), CONNECTOR_CHARGING);
	v[at] = good(5);
	assert_int_equal(decode_status(&p->status, v), CONNECTOR_OCCUPIED);
	v[at] = good(7);
	assert_int_equal(decode_status(&p->status, v), CONNECTOR_FAULT);
	v[at] = good(0);
	v[fault] = good(0);
	v[flags] = good(0xEF);
	assert_int_equal(decode_status(&p->status, v), CONNECTOR_IDLE);
	v[flags] = good(0x10);
	assert_int_equal(decode_status(&p->status, v), CONNECTOR_FAULT);
	/* A fault word that is not known accuses nobody; a state that is not known is no state. */
	v[flags].quality = QUALITY_STALE;
	assert_int_equal(decode_status(&p->status, v), CONNECTOR_IDLE);
	v[fault] = good(3);
	assert_int_equal(decode_status(&p->status, v), CONNECTOR_FAULT);
	v[at].quality = QUALITY_STALE;
	assert_int_equal(decode_status(&p->status, v), CONNECTOR_OFFLINE);
	profile_free(p);
}

static void status_of_a_text_and_of_a_list(void **state)
{
	profile_free(load_good(state,
			       "points = { state = { address = 0, type = 'text', words = 1 } },"
			       " status = { point = 'state', map = { A = 1, B2 = 2, C2 = 3 }, default = 255 },"
			       " examples = { { registers = { [0] = 0x4100 }, expect = { state = 'A', status = 1 } },"
			       " { registers = { [0] = 0x4232 }, expect = { state = 'B2', status = 2 } },"
			       " { registers = { [0] = 0x4631 }, expect = { status = 255 } } }"));
	/* Keys 1..n make a list in Lua. */
	profile_free(load_good(state,
			       "points = { " STATE " },"
			       " status = { point = 'state', map = { [1] = 1, [2] = 2, [3] = 3 }, default = 255 },"
			       " examples = { { registers = { [0] = 3 }, expect = { status = 3 } },"
			       " { registers = { [0] = 0 }, expect = { status = 255 } } }"));
}

/* Plan -------------------------------------------------------------------------------------------------------------- */

static void add(struct profile *p, uint8_t function, uint16_t address, uint16_t words, uint32_t period_ms)
{
	p->points[p->point_count++] = (struct point){
	    .type = POINT_U16, .function = function, .address = address, .words = words, .period_ms = period_ms};
	p->read_count = p->point_count;
}

static void check_plan(const struct profile *p, const int *numbers, int connectors, const uint16_t (*want)[3],
		       uint32_t count)
{
	struct plan plan;
	uint32_t items = 0;

	assert_int_equal(plan_make(p, numbers, connectors, 1000, &plan), FC_OK);
	assert_int_equal(plan.count, count);
	for (uint32_t i = 0; i < count; i++) {
		assert_int_equal(plan.blocks[i].function, want[i][0]);
		assert_int_equal(plan.blocks[i].address, want[i][1]);
		assert_int_equal(plan.blocks[i].count, want[i][2]);
		assert_int_equal(plan.blocks[i].first_item, items);
		items += plan.blocks[i].items;
	}
	assert_int_equal(items, plan.item_count);
	plan_fini(&plan);
}

static void neighbours_share_a_block(void **state)
{
	struct profile p = {.connectors = 2, .stride = 100, .max_words = 60, .merge_gap = 4};
	static const int one[] = {1}, both[] = {1, 2}, second[] = {2};

	(void)state;
	add(&p, 3, 8, 2, 0);
	add(&p, 3, 0, 1, 0);
	add(&p, 3, 5, 1, 0); /* 4 needless words before it: just allowed */
	check_plan(&p, one, 1, (const uint16_t[][3]){{3, 0, 10}}, 1);
	check_plan(&p, both, 2, (const uint16_t[][3]){{3, 0, 10}, {3, 100, 10}}, 2);
	check_plan(&p, second, 1, (const uint16_t[][3]){{3, 100, 10}}, 1);
	p.merge_gap = 3;
	check_plan(&p, one, 1, (const uint16_t[][3]){{3, 0, 1}, {3, 5, 5}}, 2);
	/* Another function or period never joins; a shared point is read once for all connectors. */
	add(&p, 4, 1, 1, 0);
	add(&p, 3, 6, 1, 60000);
	p.points[4].shared = 1;
	check_plan(
	    &p, both, 2,
	    (const uint16_t[][3]){{3, 0, 1}, {3, 5, 5}, {3, 100, 1}, {3, 105, 5}, {3, 6, 1}, {4, 1, 1}, {4, 101, 1}},
	    7);
	/* The charger's period, given by the point as well, is the same period. */
	p.points[4].period_ms = 1000;
	check_plan(&p, one, 1, (const uint16_t[][3]){{3, 0, 1}, {3, 5, 5}, {4, 1, 1}}, 3);
}

static void blocks_keep_to_the_limits(void **state)
{
	struct profile p = {.connectors = 1, .max_words = 6, .merge_gap = 10};
	static const int one[] = {1};

	(void)state;
	for (uint16_t i = 0; i < 5; i++)
		add(&p, 3, (uint16_t)(i * 2), 2, 0);
	check_plan(&p, one, 1, (const uint16_t[][3]){{3, 0, 6}, {3, 6, 4}}, 2);
	p.single = 1;
	check_plan(&p, one, 1, (const uint16_t[][3]){{3, 0, 2}, {3, 2, 2}, {3, 4, 2}, {3, 6, 2}, {3, 8, 2}}, 5);
	/* Never across a denied range, whatever the gap. */
	p = (struct profile){.connectors = 1, .max_words = 60, .merge_gap = 30};
	add(&p, 3, 0, 2, 0);
	add(&p, 3, 8, 2, 0);
	add(&p, 3, 12, 2, 0);
	p.deny[p.deny_count++] = (struct register_range){4, 4};
	check_plan(&p, one, 1, (const uint16_t[][3]){{3, 0, 2}, {3, 8, 6}}, 2);
	/* Two points in the same registers, and one within another. */
	p = (struct profile){.connectors = 1, .max_words = 60};
	add(&p, 3, 0, 4, 0);
	add(&p, 3, 1, 1, 0);
	add(&p, 3, 0, 4, 0);
	check_plan(&p, one, 1, (const uint16_t[][3]){{3, 0, 4}}, 1);
	/* Up to the last register. */
	p = (struct profile){.connectors = 1, .max_words = 60};
	add(&p, 3, 65534, 2, 0);
	check_plan(&p, one, 1, (const uint16_t[][3]){{3, 65534, 2}}, 1);
}

/* What we ship ------------------------------------------------------------------------------------------------------ */

static const char *lua_dir(void)
{
	const char *dir = getenv("FORECOURT_LUA");

	return dir ? dir : "lua";
}

static void shipped(const char *name)
{
	struct error err = {0};
	char path[512];
	struct profile *p = profile_load(&(struct script_host){.lua_dir = lua_dir()}, name, &err);

	if (!p)
		fail_msg("%s", err.text);
	/* All but meters say a state; some wallboxes say nothing else; a listener a phase. */
	assert_true(profile_point(p, "power") >= 0 || profile_point(p, "energy") >= 0 || p->status.point >= 0);
	assert_true(p->status.point < 0 || p->status.point == profile_point(p, "state") ||
		    p->status.point == profile_point(p, "phase"));
	profile_free(p);
	/* A profile without examples, source or a true name would pass without having shown anything. */
	(void)snprintf(path, sizeof(path), "%s/profiles/%s.lua", lua_dir(), name);
	struct script *script = script_load_file(&(struct script_host){.lua_dir = lua_dir()}, path, NULL, &err);
	assert_non_null(script);
	const struct value *table = script_table(script);
	assert_string_equal(value_text(value_get(table, "name")), name);
	assert_non_null(value_text(value_get(table, "source")));
	assert_non_null(value_get(table, "examples"));
	assert_true(value_get(table, "examples")->count >= 3);
	script_free(script);
}

static void shipped_profiles_keep_their_examples(void **state)
{
	static const char *const wanted[] = {"abb-terra-ac",
					     "abl-em4",
					     "abl-emh1",
					     "acrel-adw300",
					     "acrel-djsf1352",
					     "alfen-eve",
					     "alphatec",
					     "alpitronic-hyc",
					     "ambibox",
					     "bender-cc",
					     "chargex-aqueduct",
					     "chint-dtsu666",
					     "daheimladen",
					     "delta",
					     "dzg-dvh4013",
					     "eastron-sdm630",
					     "eastron-sdm72d",
					     "em2go-duo",
					     "em2go-home",
					     "enovates",
					     "etrel-inch",
					     "evse-wb-din",
					     "forecourt-sim",
					     "foxess-evc",
					     "gavazzi-em24",
					     "gavazzi-em340",
					     "goodwe-hca",
					     "heidelberg-energy-control",
					     "hesotec-esat",
					     "inepro-pro380",
					     "innogy-ebox",
					     "janitza-b23",
					     "kathrein-wallbox",
					     "keba-p30",
					     "keba-p40",
					     "mennekes-compact",
					     "mennekes-hcc3",
					     "openwb-2",
					     "orno-we516",
					     "peblar",
					     "phoenix-charx",
					     "phoenix-em-cp-pp",
					     "phoenix-ev-cc-eth",
					     "phoenix-ev-cc-serial",
					     "raedian-neo",
					     "schneider-evlink",
					     "schneider-iem3000",
					     "sigenergy-evdc",
					     "solax-evc",
					     "sungrow-ac011e",
					     "victron-evcs",
					     "victron-gx",
					     "wallbe-eco",
					     "wallbox-quasar",
					     "webasto-next",
					     "webasto-unite",
					     "weidmueller-ac-smart"};
	char path[512], name[128];

	(void)state;
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
		shipped(wanted[i]);
	(void)snprintf(path, sizeof(path), "%s/profiles", lua_dir());
	DIR *dir = opendir(path);
	assert_non_null(dir);
	for (const struct dirent *e = readdir(dir); e; e = readdir(dir)) {
		size_t n = strlen(e->d_name);

		if (n <= 4 || n >= sizeof(name) || strcmp(e->d_name + n - 4, ".lua") != 0)
			continue;
		(void)snprintf(name, sizeof(name), "%.*s", (int)(n - 4), e->d_name);
		shipped(name);
	}
	assert_int_equal(closedir(dir), 0);
}

/* The plans that the manuals ask for. */
static void plans_of_shipped_profiles(void **state)
{
	struct error err = {0};
	static const int third[] = {3}, one[] = {1};
	struct plan plan;

	(void)state;
	struct profile *p = profile_load(&(struct script_host){.lua_dir = lua_dir()}, "alpitronic-hyc", &err);
	assert_non_null(p);
	check_plan(p, third, 1, (const uint16_t[][3]){{4, 3, 1}, {4, 300, 36}, {4, 6, 12}}, 3);
	profile_free(p);
	p = profile_load(&(struct script_host){.lua_dir = lua_dir()}, "keba-p30", &err);
	assert_non_null(p);
	assert_int_equal(plan_make(p, one, 1, 1000, &plan), FC_OK);
	assert_int_equal(plan.count, (uint32_t)profile_point_count(p));
	for (uint32_t i = 0; i < plan.count; i++)
		assert_int_equal(plan.blocks[i].count, 2);
	plan_fini(&plan);
	profile_free(p);
	p = profile_load(&(struct script_host){.lua_dir = lua_dir()}, "abb-terra-ac", &err);
	assert_non_null(p);
	assert_int_equal(plan_make(p, one, 1, 1000, &plan), FC_OK);
	for (uint32_t i = 0; i < plan.count; i++)
		assert_true(plan.blocks[i].count <= 6);
	plan_fini(&plan);
	profile_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(each_mistake_is_named, make_folder, remove_folder),
	    cmocka_unit_test_setup_teardown(mistakes_of_listening_profiles, make_folder, remove_folder),
	    cmocka_unit_test_setup_teardown(all_mistakes_come_at_once, make_folder, remove_folder),
	    cmocka_unit_test_setup_teardown(wrong_kind_or_version_is_refused, make_folder, remove_folder),
	    cmocka_unit_test_setup_teardown(a_failing_example_refuses_the_file, make_folder, remove_folder),
	    cmocka_unit_test(numbers_of_each_type),
	    cmocka_unit_test(scale_bits_and_range),
	    cmocka_unit_test_setup_teardown(invalid_patterns_of_a_file, make_folder, remove_folder),
	    cmocka_unit_test(texts),
	    cmocka_unit_test_setup_teardown(status_rules, make_folder, remove_folder),
	    cmocka_unit_test_setup_teardown(status_of_a_text_and_of_a_list, make_folder, remove_folder),
	    cmocka_unit_test(neighbours_share_a_block),
	    cmocka_unit_test(blocks_keep_to_the_limits),
	    cmocka_unit_test(shipped_profiles_keep_their_examples),
	    cmocka_unit_test(plans_of_shipped_profiles),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
