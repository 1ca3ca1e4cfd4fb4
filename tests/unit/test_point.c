/* device/: what points may say beyond a plain number: bits, orders, texts, what others have to do with them, firmware, hooks. Each
 * case is a profile whose examples say what must come out. */
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

#include "base/clock.h"
#include "device/plan.h"
#include "device/profile.h"
#include "device/sample.h"
#include "folder.h"

struct folder {
	char path[64];
};

static int make_folder(void **state)
{
	struct folder *f = calloc(1, sizeof(*f));
	char sub[96];

	assert_non_null(f);
	folder_make(f->path, sizeof(f->path), "point");
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

/* One point x at register 0, and what its registers are: expect must come out, and wrong must not. */
static void comes_out(void **state, const char *point, const char *registers, const char *expect, const char *wrong)
{
	char body[900];
	struct error err;

	for (int turn = 0; turn < 2; turn++) {
		(void)snprintf(body, sizeof(body),
			       "points = { x = { address = 0, %s }, a = { address = 10, type = 's16' }, "
			       "b = { address = 11, type = 'u16' } }, "
			       "examples = { { registers = { %s }, expect = { x = %s } } }",
			       point, registers, turn ? wrong : expect);
		struct profile *p = load(state, body, &err);
		if (!turn && !p)
			fail_msg("%s: %s", point, err.text);
		if (turn && p)
			fail_msg("%s: examples hold for %s too", point, wrong);
		profile_free(p);
	}
}

static void forms(void **state)
{
	comes_out(state, "type = 'u16', bit = 3", "[0] = 0x0008", "1", "0");
	comes_out(state, "type = 'u16', field = { 8, 15 }", "[0] = 0x1234", "0x12", "0x34");
	comes_out(state, "type = 'u32', field = { 4, 7 }, order = 'lo-hi'", "[0] = 0x00A0, [1] = 0", "10", "0");
	comes_out(state, "type = 'bits', names = { [0] = 'door', [3] = 'stop' }", "[0] = 0x000D", "'door, stop'",
		  "'door'");
	comes_out(state, "type = 'bits', names = { [0] = 'door', [3] = 'stop' }", "[0] = 0x0010", "''", "'door'");
	comes_out(state, "type = 'bits', words = 2, order = 'lo-hi', names = { [17] = 'far' }", "[0] = 0, [1] = 2",
		  "'far'", "''");
	comes_out(state, "type = 'bcd', words = 2", "[0] = 0x1234, [1] = 0x5678", "12345678", "305419896");
	comes_out(state, "type = 'bcd', scale = 0.01", "[0] = 0x0150", "1.5", "1.51");
	comes_out(state, "type = 'bcd'", "[0] = 0x12A4", "false", "1204");
	comes_out(state, "type = 'hex', words = 2", "[0] = 0x00AF, [1] = 0x1234", "'00AF1234'", "'AF1234'");
	comes_out(state, "type = 'hex', words = 2, order = 'lo-hi'", "[0] = 0x00AF, [1] = 0x1234", "'123400AF'",
		  "'00AF1234'");
	/* 0x11223344 in each order. */
	comes_out(state, "type = 'u32', order = 'ABCD'", "[0] = 0x1122, [1] = 0x3344", "0x11223344", "0");
	comes_out(state, "type = 'u32', order = 'CDAB'", "[0] = 0x3344, [1] = 0x1122", "0x11223344", "0");
	comes_out(state, "type = 'u32', order = 'BADC'", "[0] = 0x2211, [1] = 0x4433", "0x11223344", "0");
	comes_out(state, "type = 'u32', order = 'DCBA'", "[0] = 0x4433, [1] = 0x2211", "0x11223344", "0");
	comes_out(state, "type = 'u16', order = 'BA'", "[0] = 0x2211", "0x1122", "0x2211");
	/* Words 3 4 1 2 of a 64-bit value. */
	comes_out(state, "type = 'u64', order = 'EFGHABCD'", "[0] = 0x0000, [1] = 0x0005, [2] = 0, [3] = 1",
		  "4294967301", "5");
	comes_out(state, "type = 'f32', order = 'CDAB'", "[0] = 0x8000, [1] = 0x4366", "230.5", "0");
	comes_out(state, "type = 'f32', invalid = { 0x7F7FFFFF }", "[0] = 0x7F7F, [1] = 0xFFFF", "false", "0");
}

static void texts(void **state)
{
	comes_out(state, "type = 'text', words = 2, encoding = 'utf-16'", "[0] = 0x0041, [1] = 0x0042", "'AB'", "'A'");
	/* U+6B63, U+5E38: 'normal' */
	comes_out(state, "type = 'text', words = 3, encoding = 'utf-16'", "[0] = 0x6B63, [1] = 0x5E38, [2] = 0",
		  "'\\u{6B63}\\u{5E38}'", "'\\u{6B63}'");
	comes_out(state, "type = 'text', words = 2, encoding = 'utf-16', swap = true", "[0] = 0x4100, [1] = 0x4200",
		  "'AB'", "'A'");
	/* A lone surrogate ends it. */
	comes_out(state, "type = 'text', words = 2, encoding = 'utf-16'", "[0] = 0x0041, [1] = 0xD800", "'A'", "''");
	comes_out(state, "type = 'text', words = 2, encoding = 'utf-8'", "[0] = 0xC3A9, [1] = 0x4100", "'\\u{E9}A'",
		  "'A'");
	comes_out(state, "type = 'text', words = 2", "[0] = 0x41C3, [1] = 0xA942", "'A'", "'AB'");
	/* The state's letter in the first or in the second byte. */
	comes_out(state, "type = 'text', words = 1, chars = 1", "[0] = 0x4332", "'C'", "'C2'");
	comes_out(state, "type = 'text', words = 1, skip = 1, chars = 1", "[0] = 0x3243", "'C'", "'2'");
}

static void what_others_say(void **state)
{
	comes_out(state, "type = 'u16', decimals_from = { point = 'b', offset = -3 }", "[0] = 2305, [11] = 2", "230.5",
		  "2305");
	comes_out(state, "type = 'u16', decimals_from = 'a'", "[0] = 2305, [10] = 0xFFFF", "230.5", "2305");
	comes_out(state, "type = 'u16', decimals_from = 'a'", "[0] = 2305", "false", "2305");
	comes_out(state, "type = 'u16', scale_from = 'b', scale = 0.1", "[0] = 50, [11] = 40", "200", "5");
	comes_out(state, "type = 'u16', scale_from = { 'b', 'a' }", "[0] = 5, [11] = 4, [10] = 3", "60", "20");
	comes_out(state, "type = 'u16', valid_when = { b = { 3, 4 } }", "[0] = 230, [11] = 4", "230", "false");
	comes_out(state, "type = 'u16', valid_when = { b = { 3, 4 } }", "[0] = 230, [11] = 5", "false", "230");
	comes_out(state, "type = 'u16', valid_when = { b = { 3, 4 } }", "[0] = 230", "false", "230");
	comes_out(state, "type = 'u16', valid_when = { b = { ['not'] = 0 }, a = 1 }", "[0] = 7, [11] = 9, [10] = 1",
		  "7", "false");
	comes_out(state, "type = 'u16', valid_when = { b = { ['not'] = 0 }, a = 1 }", "[0] = 7, [11] = 0, [10] = 1",
		  "false", "7");
}

static void hooks(void **state)
{
	comes_out(state, "type = 'u16', scale = 0.1, hook = function(raw) return raw * 2 end", "[0] = 15", "3", "1.5");
	comes_out(state, "type = 'raw', words = 2, hook = function(raw) return raw[2] << 16 | raw[1] end",
		  "[0] = 1, [1] = 2", "131073", "65538");
	comes_out(state, "type = 'u16', hook = function(raw, get) return raw * get('b') / 1000 end",
		  "[0] = 15, [11] = 230", "3.45", "15");
	comes_out(state, "type = 'u16', hook = function(raw, get) return get('b') and raw end", "[0] = 15", "false",
		  "15");
	comes_out(state, "type = 'u16', hook = function(raw) if raw > 9 then return 'many' end return 'few' end",
		  "[0] = 15", "'many'", "'few'");
	comes_out(state, "type = 'u16', max = 20, hook = function(raw) return raw * 2 end", "[0] = 15", "false", "30");
	/* What fails is unknown, and takes nothing else with it. */
	comes_out(state, "type = 'u16', hook = function(raw) return raw.x.y end", "[0] = 15", "false, a = false", "15");
	comes_out(state, "type = 'u16', hook = function(raw) while true do end end", "[0] = 15, [10] = 7",
		  "false, a = 7", "15");
	comes_out(state, "type = 'u16', hook = function(raw, get) return get('nowhere') end", "[0] = 15", "false",
		  "15");
	comes_out(state, "type = 'u16', hook = function(raw) return {} end", "[0] = 15", "false", "15");
	comes_out(state, "type = 'u16', hook = function(raw) return 0/0 end", "[0] = 15", "false", "15");
	/* get is of no use once its hook is over, wherever it was kept. */
	comes_out(state,
		  "type = 'u16', hook = (function() local kept return function(raw, get) kept = kept or get "
		  "return kept('b') end end)()",
		  "[0] = 15, [11] = 5", "5", "15");
}

static void connectors_in_one_word(void **state)
{
	struct error err;
	struct profile *p = load(state,
				 "connectors = { count = 2, stride = 256 }, points = {"
				 " state = { address = 56, type = 'u16', stride = 0, mask = 0xFF, shift_stride = 8 },"
				 " odd = { address = 60, type = 'u16', addresses = { [2] = 900 } },"
				 " by_hook = { address = 56, type = 'u16', stride = 0,"
				 "   hook = function(raw, get, n) return raw >> 8 * (n - 1) & 0xFF end } },"
				 "examples = { { registers = { [56] = 0x0402, [60] = 5, [900] = 6 },"
				 "   expect = { state = 2, by_hook = 2, odd = 5 } },"
				 " { connector = 2, registers = { [56] = 0x0402, [60] = 5, [900] = 6 },"
				 "   expect = { state = 4, by_hook = 4, odd = 6 } } }",
				 &err);

	if (!p)
		fail_msg("%s", err.text);
	assert_non_null(p->script);
	profile_free(p);
	p = load(state,
		 "connectors = { count = 4, offsets = { [2] = 0x0C00, [4] = 0x0E00 }, stride = 0x10, unit_stride = 1 },"
		 " points = { state = { address = 1, type = 'u16' },"
		 " serial = { address = 9, type = 'u16', shared = true, unit_id = 200 } }",
		 &err);
	if (!p)
		fail_msg("%s", err.text);
	/* Without hooks the script is not kept. */
	assert_null(p->script);
	const struct point *at = &p->points[profile_point(p, "state")],
			   *serial = &p->points[profile_point(p, "serial")];
	assert_int_equal(profile_address(p, at, 1), 1);
	assert_int_equal(profile_address(p, at, 2), 0x0C01);
	assert_int_equal(profile_address(p, at, 3), 0x21);
	assert_int_equal(profile_address(p, at, 4), 0x0E01);
	assert_int_equal(profile_unit(p, at, 3, 5), 7);
	assert_int_equal(profile_unit(p, serial, 3, 5), 200);
	static const int both[] = {1, 2};
	struct plan plan;
	assert_int_equal(plan_make_for(p, both, 2, 1000, 5, NULL, 0, &plan), FC_OK);
	assert_int_equal(plan.count, 3);
	assert_int_equal(plan.blocks[0].unit, 5);
	assert_int_equal(plan.blocks[1].unit, 6);
	assert_int_equal(plan.blocks[2].unit, 200);
	plan_fini(&plan);
	profile_free(p);
}

static void versions(void **state)
{
	static const struct {
		const char *range, *version;
		int holds;
	} cases[] = {
	    {"'>=1.2.1'", "1.2.1", 1},       {"'>=1.2.1'", "1.2.0", 0},   {"'>=1.2.1'", "1.10", 1},
	    {"'<1.2.1'", "v1.2", 1},         {"'>1.2'", "1.2.0.1", 1},    {"'!=2'", "2.0.0", 0},
	    {"{'>=1.2', '<2'}", "1.9.9", 1}, {"{'>=1.2', '<2'}", "2", 0}, {"'=3.156'", "fw 3.156-rc", 1},
	    {"'<=3'", "3.0.0.1", 0},
	};
	struct firmware_version version;
	struct error err;
	char body[300];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		(void)snprintf(body, sizeof(body),
			       "points = { firmware = { address = 0, type = 'text', words = 8 },"
			       " x = { address = 10, type = 'u16', firmware = %s } }",
			       cases[i].range);
		struct profile *p = load(state, body, &err);
		if (!p)
			fail_msg("%s", err.text);
		assert_int_equal(firmware_parse(cases[i].version, &version), FC_OK);
		if (profile_range_holds(&p->ranges[0], &version) != cases[i].holds)
			fail_msg("%s and %s", cases[i].range, cases[i].version);
		profile_free(p);
	}
	assert_int_equal(firmware_parse("unknown", &version), FC_EINVAL);
}

static void values_by_firmware(void **state)
{
	struct error err;
	/* KEBA P40: 0.1 Wh, below 1.2.1 Wh (chargers.md 1.5). */
	struct profile *p = load(
	    state,
	    "firmware = { point = 'firmware', form = 'decimal' }, groups = { new = { firmware = '>=2' } }, points = {"
	    " firmware = { address = 0, type = 'u32' },"
	    " energy = { address = 4, type = 'u16', scale = 0.1, variants = { { firmware = '<1.2.1', scale = 1 },"
	    "   { firmware = '>=5', address = 5 } } },"
	    " late = { address = 6, type = 'u16', group = 'new' } },"
	    "examples = {"
	    " { registers = { [0] = 0, [1] = 10200, [4] = 70, [5] = 9, [6] = 3 }, expect = { energy = 70, late = false "
	    "} },"
	    " { registers = { [0] = 0, [1] = 10201, [4] = 70, [5] = 9, [6] = 3 }, expect = { energy = 7, late = false "
	    "} },"
	    " { registers = { [0] = 0, [1] = 50000, [4] = 70, [5] = 9, [6] = 3 }, expect = { energy = 0.9, late = 3 } "
	    "},"
	    " { registers = { [4] = 70 }, expect = { energy = false } } }",
	    &err);

	if (!p)
		fail_msg("%s", err.text);
	assert_int_equal(profile_point_count(p), 3);
	assert_int_equal(p->read_count, 5);
	profile_free(p);
}

static void mistakes(void **state)
{
	static const struct {
		const char *body, *place, *why;
	} cases[] = {
	    {"points = { x = { address = 0, type = 'u16', bit = 16 } }", "points.x.bit:", "0 to 15"},
	    {"points = { x = { address = 0, type = 'u16', field = { 8, 16 } } }", "points.x.field:", "below 16"},
	    {"points = { x = { address = 0, type = 'u16', bit = 1, mask = 1 } }", "points.x.bit:", "already"},
	    {"points = { x = { address = 0, type = 'f32', bit = 1 } }", "points.x.bit:", "whole numbers"},
	    {"points = { x = { address = 0, type = 'bits' } }", "points.x.names:", "names ="},
	    {"points = { x = { address = 0, type = 'bits', words = 3, names = { 'a' } } }",
	     "points.x.words:", "1, 2 or 4"},
	    {"points = { x = { address = 0, type = 'bits', names = { [16] = 'a' } } }", "points.x.names:", "0 to 15"},
	    {"points = { x = { address = 0, type = 'u32', order = 'ABCC' } }", "points.x.order:", "hi-lo"},
	    {"points = { x = { address = 0, type = 'u64', order = 'ABCD' } }", "points.x.order:", "hi-lo"},
	    {"points = { x = { address = 0, type = 'text', words = 2, encoding = 'gbk' } }",
	     "points.x.encoding:", "ascii utf-8 utf-16"},
	    {"points = { x = { address = 0, type = 'u16', decimals_from = 'y' } }",
	     "points.x.decimals_from:", "name a point"},
	    {"points = { x = { address = 0, type = 'u16', decimals_from = 'x' } }",
	     "points.x.decimals_from:", "itself"},
	    {"points = { x = { address = 0, type = 'u16', scale_from = 'y' },"
	     " y = { address = 1, type = 'u16', scale_from = 'x' } }",
	     "points.x.scale_from:", "itself"},
	    {"points = { x = { address = 0, type = 'u16', valid_when = { y = 1 } } }",
	     "points.x.valid_when.y:", "name a point"},
	    {"points = { x = { address = 0, type = 'u16', valid_when = { x = 1 } } }",
	     "points.x.valid_when:", "itself"},
	    {"points = { x = { address = 0, type = 'u16', firmware = '1.2' } }", "points.x.firmware:", ">=1.2.1"},
	    {"points = { x = { address = 0, type = 'u16', firmware = '>=1' } }", "firmware:", "the point that says"},
	    {"firmware = 'x', points = { x = { address = 0, type = 'u16', firmware = '>=1' } }",
	     "firmware.point:", "depend"},
	    {"points = { x = { address = 0, type = 'u16', group = 'g' } }", "points.x.group:", "groups"},
	    {"points = { x = { address = 0, type = 'raw', words = 2 } }", "points.x.type:", "hook"},
	    {"points = { x = { address = 0, type = 'u16', hook = 5 } }", "points.x.hook:", "function"},
	    {"points = { x = { address = 0, type = 'u16', variants = { { scale = 2 } } } }",
	     "points.x.variants[1]:", "firmware"},
	    {"connectors = { count = 2, offsets = { [3] = 1 } }, points = { x = { address = 0, type = 'u16' } }",
	     "connectors.offsets:", "1 to 2"},
	    {"connectors = { count = 2 }, points = { x = { address = 0, type = 'u16', shift_stride = 40 } }",
	     "points.x.shift_stride:", "from 0 to 32"},
	    {"points = { x = { address = 0, type = 'u16' } }, modbus = { deny = { { 40, 50 } } },"
	     " commands = { start = { address = 45, value = 1 } }",
	     "commands.start:", "modbus.deny (40 to 50)"},
	    {"points = { x = { address = 0, type = 'u16' } }, modbus = { deny_write = { { 45, 45 } } },"
	     " keep_alive = { address = 45, value = 1, period_ms = 1000 }",
	     "keep_alive:", "modbus.deny_write (45 to 45)"},
	    {"points = { x = { address = 0, type = 'u16' } }, keep_alive = { address = 45, value = 1 }",
	     "keep_alive.period_ms:", "missing"},
	    {"points = { x = { address = 0, type = 'u16' } }, keep_alive = { fc = 3, address = 45, value = 1, "
	     "period_ms = 1000 }",
	     "keep_alive:", "a read"},
	    {"points = { x = { address = 0, type = 'u16' } }, commands = { start = { steps = {} } }",
	     "commands.start.steps:", "empty"},
	    {"points = { x = { address = 0, type = 'u16' } }, commands = { start = { steps = { { limit = 5 } } } }",
	     "commands.start.steps[1]:", "wants setpoint"},
	    {"points = { x = { address = 0, type = 'u16' } }, commands = { start = { steps = { { wait_ms = 30000 },"
	     " { check = 'x', equals = 1, within_ms = 20000 } } } }",
	     "commands.start.steps:", "50000 ms"},
	    {"points = { x = { address = 0, type = 'u16' } }, commands = { start = { steps = { { check = 'y', equals = "
	     "1 } } } }",
	     "commands.start.steps[1].check:", "name a point"},
	    {"points = { x = { address = 0, type = 'u16' } }, setpoint = { address = 1, type = 'u32', unit = 'A', min "
	     "= 1, max = 2 }",
	     "setpoint.fc:", "function 16"},
	    {"points = { x = { address = 0, type = 'u16' } }, setpoint = { address = 1, type = 'u16', unit = 'A', min "
	     "= 3, max = 2 }",
	     "setpoint.max:", "below min"},
	    {"points = { x = { address = 0, type = 'u16' } }, setpoint = { address = 1, type = 'u16', unit = 'A', min "
	     "= 1, max = 2, scale_from = 'y' }",
	     "setpoint.scale_from:", "name a point"},
	    {"points = { x = { address = 0, type = 'u16' } }, keep_alive = { address = 45, value = 1, value_from = 'x',"
	     " period_ms = 1000 }",
	     "keep_alive.value_from:", "instead of value"},
	    {"points = { x = { address = 0, type = 'u16' } }, keep_alive = { address = 45, value_from = 'y', period_ms "
	     "= "
	     "1000 }",
	     "keep_alive.value_from:", "name a point"},
	    {"points = { x = { address = 0, type = 'u16' } }, setpoint = { address = 1, type = 'u16', unit = 'A', min "
	     "= 1, max = 2, refresh_from = 'x' }",
	     "setpoint.refresh_ms:", "missing"},
	    {"points = { x = { address = 0, type = 'u16' } }, setpoint = { address = 1, type = 'u16', unit = 'A', min "
	     "= 1, max = 2, refresh_ms = 1000, refresh_from = 'y' }",
	     "setpoint.refresh_from:", "name a point"},
	    {"points = { x = { address = 0, type = 'u16' } }, setpoint = { address = 1, type = 'u16', unit = 'A', min "
	     "= 1, max = 2, verify = 'y' }",
	     "setpoint.verify:", "name a point"},
	    {"points = { x = { address = 0, type = 'u16', unit = 'W' } }, setpoint = { address = 1, type = 'u16', unit "
	     "= 'A', min = 1, max = 2, verify = 'x' }",
	     "setpoint.verify:", "same unit: x has \"W\", the limit \"A\""},
	    {"points = { x = { address = 0, type = 'text', words = 2, unit = 'A' } }, setpoint = { address = 1, type = "
	     "'u16', unit = 'A', min = 1, max = 2, verify = 'x' }",
	     "setpoint.verify:", "a number"},
	    {"points = { x = { address = 0, type = 'u16' } }, setpoint = { address = 1, type = 'u16', unit = 'A', min "
	     "= 1, max = 2, verify_ms = 1000 }",
	     "setpoint.verify:", "missing"},
	    {"points = { x = { address = 0, type = 'u16', unit = 'A' } }, setpoint = { address = 1, type = 'u16', unit "
	     "= 'A', min = 1, max = 2, verify = 'x', verify_within = 0 }",
	     "setpoint.verify_within:", "above 0"},
	    {"points = { x = { address = 0, type = 'u16' } }, tested = 'yes'",
	     "tested:", "examples simulator hardware"},
	};
	struct error err;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct profile *p = load(state, cases[i].body, &err);

		if (p)
			fail_msg("accepted: %s", cases[i].body);
		if (!strstr(err.text, cases[i].place) || !strstr(err.text, cases[i].why))
			fail_msg("%s\n  gives: %s\n  wants: %s ... %s", cases[i].body, err.text, cases[i].place,
				 cases[i].why);
	}
}

static void setpoints_are_written_as_said(void **state)
{
	static const struct {
		const char *form;
		int64_t milli;
		uint16_t words[2];
	} cases[] = {
	    {"fc = 16, type = 'u32', scale = 0.001", 16500, {0, 16500}},
	    {"fc = 16, type = 'u32', order = 'lo-hi'", 70000000, {70000 - 65536, 1}},
	    {"fc = 16, type = 'f32'", 230500, {0x4366, 0x8000}},
	    {"fc = 16, type = 'f32', order = 'CDAB'", 230500, {0x8000, 0x4366}},
	    {"fc = 6, type = 's16'", -1000, {0xFFFF, 0}},
	    {"fc = 6, type = 'u16', scale = 0.1", 16050, {161, 0}},
	    {"fc = 6, type = 'u16'", -5000, {0, 0}},
	    {"fc = 6, type = 'u16', order = 'BA'", 258000, {0x0201, 0}},
	};
	struct profile_write write;
	struct error err;
	char body[300];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		(void)snprintf(body, sizeof(body),
			       "points = { x = { address = 0, type = 'u16' } },"
			       " setpoint = { address = 8, unit = 'A', min = 0, max = 32, %s }",
			       cases[i].form);
		struct profile *p = load(state, body, &err);
		if (!p)
			fail_msg("%s", err.text);
		assert_int_equal(profile_encode(&p->setpoint, cases[i].milli, NULL, &write), FC_OK);
		if (memcmp(write.words, cases[i].words, sizeof(cases[i].words)) != 0)
			fail_msg("%s: %04x %04x", cases[i].form, write.words[0], write.words[1]);
		profile_free(p);
	}
}

/* A register whose unit another one tells: nothing is written as long as that is not known. */
static void a_setpoint_is_scaled_by_a_point(void **state)
{
	struct point_value values[DEVICE_POINTS_MAX] = {0};
	struct profile_write write;
	struct error err;
	struct profile *p = load(state,
				 "points = { unit = { address = 0, type = 'u16', scale = 0.1 } }, setpoint = {"
				 " address = 8, type = 'u16', unit = 'A', min = 6, max = 32, scale_from = 'unit' }",
				 &err);

	assert_non_null(p);
	struct point_value *unit = &values[profile_point(p, "unit")];
	assert_int_equal(profile_encode(&p->setpoint, 16000, values, &write), FC_EINVAL);
	*unit = (struct point_value){.quality = QUALITY_GOOD, .milli = 100};
	assert_int_equal(profile_encode(&p->setpoint, 16000, values, &write), FC_OK);
	assert_int_equal(write.words[0], 160);
	unit->milli = 1000;
	assert_int_equal(profile_encode(&p->setpoint, 16000, values, &write), FC_OK);
	assert_int_equal(write.words[0], 16);
	unit->milli = 0;
	assert_int_equal(profile_encode(&p->setpoint, 16000, values, &write), FC_EINVAL);
	profile_free(p);
}

/* What a sample costs with a hook, beside the same arithmetic in C: printed, not held to a limit. */
static void what_a_hook_costs(void **state)
{
	struct error err;
	struct profile *p =
	    load(state,
		 "points = { b = { address = 11, type = 'u16' }, plain = { address = 0, type = 'u16', scale = 2 },"
		 " x = { address = 0, type = 'u16', hook = function(raw, get) return raw * get('b') end } }",
		 &err);
	struct point_value values[DEVICE_POINTS_MAX] = {0}, out = {0};
	const uint16_t words[] = {21};
	int64_t us[2];

	if (!p)
		fail_msg("%s", err.text);
	int places[] = {profile_point(p, "plain"), profile_point(p, "x")}, b = profile_point(p, "b");
	values[b] = (struct point_value){.quality = QUALITY_GOOD, .milli = 2000};
	for (int i = 0; i < 2; i++) {
		us[i] = clock_mono_us();
		for (int k = 0; k < 20000; k++) {
			sample_point(p, places[i], words, 1, values, &out);
			assert_int_equal(out.quality, QUALITY_GOOD);
			assert_int_equal(out.milli, 42000);
		}
		us[i] = clock_mono_us() - us[i];
	}
	print_message("a sample: %.3f us, with a hook %.3f us\n", (double)us[0] / 20000, (double)us[1] / 20000);
	assert_int_equal(p->hooks.calls, 20000);
	assert_int_equal(p->hooks.failures, 0);
	profile_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(forms, make_folder, remove_folder),
	    cmocka_unit_test_setup_teardown(texts, make_folder, remove_folder),
	    cmocka_unit_test_setup_teardown(what_others_say, make_folder, remove_folder),
	    cmocka_unit_test_setup_teardown(hooks, make_folder, remove_folder),
	    cmocka_unit_test_setup_teardown(connectors_in_one_word, make_folder, remove_folder),
	    cmocka_unit_test_setup_teardown(versions, make_folder, remove_folder),
	    cmocka_unit_test_setup_teardown(values_by_firmware, make_folder, remove_folder),
	    cmocka_unit_test_setup_teardown(mistakes, make_folder, remove_folder),
	    cmocka_unit_test_setup_teardown(setpoints_are_written_as_said, make_folder, remove_folder),
	    cmocka_unit_test_setup_teardown(a_setpoint_is_scaled_by_a_point, make_folder, remove_folder),
	    cmocka_unit_test_setup_teardown(what_a_hook_costs, make_folder, remove_folder),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
