/* device/: polled CAN devices. The codec by vectors worked out by hand, every mistake of a descriptor with its place, and the agent
 * in simulated time against a host that only writes down what it is told. */
#include <malloc.h>
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

#include "bus/can_text.h"
#include "device/agent_can.h"
#include "device/profile.h"
#include "folder.h"

struct fixture {
	char path[64];
	struct profile *profile;
	struct can_agent *agent;
	int64_t now_us;
	char sent[256][40];
	int64_t sent_us[256];
	int sent_count;
	int send_result;
	int online, heard;
	struct point_value values[8][DEVICE_POINTS_MAX]; /* [connector], 0: told of all */
	int told[DEVICE_POINTS_MAX];
	int done, done_number;
	enum bus_status status;
};

static int make_fixture(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	char sub[96];

	assert_non_null(f);
	folder_make(f->path, sizeof(f->path), "canpoll");
	(void)snprintf(sub, sizeof(sub), "%s/profiles", f->path);
	assert_int_equal(mkdir(sub, 0700), 0);
	f->now_us = 1000000;
	*state = f;
	return 0;
}

static int drop_fixture(void **state)
{
	struct fixture *f = *state;

	agent_can.stop(f->agent);
	profile_free(f->profile);
	folder_remove(f->path);
	free(f);
	return 0;
}

static int host_send(void *user, const struct can_frame *frame)
{
	struct fixture *f = user;

	if (f->send_result)
		return f->send_result;
	if (f->sent_count == 256)
		return FC_OK;
	f->sent_us[f->sent_count] = f->now_us;
	(void)can_frame_format(frame, f->sent[f->sent_count++]);
	return FC_OK;
}

static void host_value(void *user, int number, int point, const struct point_value *value)
{
	struct fixture *f = user;

	f->values[number][point] = *value;
	f->told[point]++;
}

static void host_heard(void *user, int online)
{
	struct fixture *f = user;

	f->online = online;
	f->heard++;
}

static void host_done(void *user, int number, enum bus_status status)
{
	struct fixture *f = user;

	f->done++;
	f->done_number = number;
	f->status = status;
}

static struct profile *load(struct fixture *f, const char *body, struct error *err)
{
	char path[128];

	*err = (struct error){0};
	(void)snprintf(path, sizeof(path), "%s/profiles/t.lua", f->path);
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	assert_true(fprintf(file, "return { forecourt = 1, kind = 'profile', %s }\n", body) > 0);
	assert_int_equal(fclose(file), 0);
	return profile_load(&(struct script_host){.lua_dir = f->path}, "t", err);
}

static void start_with(struct fixture *f, const char *body, int unit, const int *numbers, int count)
{
	const struct agent_host host = {f, host_send, host_value, host_heard, host_done};
	struct agent_settings settings = {.name = "dc1", .unit = unit, .connectors = count, .poll_ms = 1000};
	struct error err;

	memcpy(settings.numbers, numbers, (size_t)count * sizeof(int));
	f->profile = load(f, body, &err);
	if (!f->profile)
		fail_msg("%s", err.text);
	assert_ptr_equal(f->profile->agent, &agent_can);
	f->agent = agent_can.start(f->profile, &settings, &host, &err);
	if (!f->agent)
		fail_msg("%s", err.text);
	assert_int_equal(f->sent_count, 0);
	agent_can.port(f->agent, 1);
}

static void start(struct fixture *f, const char *body)
{
	start_with(f, body, 5, (const int[]){1}, 1);
}

/* Lets time pass: run is called when it wants to be. */
static void pass(struct fixture *f, int ms)
{
	int64_t until = f->now_us + (int64_t)ms * 1000;

	for (int i = 0; i < 100000; i++) {
		int64_t next = agent_can.run(f->agent, f->now_us);

		assert_true(next > f->now_us); /* it would spin */
		if (next > until) {
			f->now_us = until;
			return;
		}
		f->now_us = next;
	}
	fail_msg("it is called without end");
}

static void hear(struct fixture *f, const char *text)
{
	struct can_frame frame;

	assert_int_equal(can_frame_parse(text, &frame, NULL), FC_OK);
	frame.mono_us = f->now_us;
	agent_can.frame(f->agent, &frame);
}

static int count_sent(const struct fixture *f, const char *text)
{
	int n = 0;

	for (int i = 0; i < f->sent_count; i++)
		n += !strcmp(f->sent[i], text);
	return n;
}

static const struct point_value *value(const struct fixture *f, int number, const char *name)
{
	int point = profile_point(f->profile, name);

	assert_true(point >= 0);
	return &f->values[number][point];
}

static void is_number(const struct fixture *f, int number, const char *name, int64_t milli)
{
	const struct point_value *v = value(f, number, name);

	if (v->quality != QUALITY_GOOD || v->is_text || v->milli != milli)
		fail_msg("%s: quality %d, %lld", name, (int)v->quality, (long long)v->milli);
}

/* Codec -------------------------------------------------------------------------------------------------------------------- */

static uint64_t take(int first, int bits, int big, const uint8_t *data, int len)
{
	const struct can_place place = {.first = (uint16_t)first, .bits = (uint16_t)bits, .big = (uint8_t)big};
	uint64_t raw;

	assert_int_equal(can_take(&place, data, len, &raw), FC_OK);
	return raw;
}

static void test_bits_are_where_dbc_files_say(void **state)
{
	static const uint8_t d[8] = {0x12, 0x34, 0x56, 0x78, 0x9A, 0xBC, 0xDE, 0xF0};
	uint64_t raw;

	(void)state;
	/* Intel: start is the lowest bit. */
	assert_int_equal(take(0, 8, 0, d, 8), 0x12);
	assert_int_equal(take(0, 16, 0, d, 8), 0x3412);
	assert_int_equal(take(4, 8, 0, d, 8), 0x41);
	assert_int_equal(take(12, 12, 0, d, 8), 0x563);
	assert_true(take(0, 64, 0, d, 8) == 0xF0DEBC9A78563412u);
	assert_int_equal(take(63, 1, 0, d, 8), 1);
	/* Motorola: start is the highest bit, and bits go down within a byte, then to the top of the next. */
	assert_int_equal(take(7, 8, 1, d, 8), 0x12);
	assert_int_equal(take(7, 16, 1, d, 8), 0x1234);
	assert_int_equal(take(3, 8, 1, d, 8), 0x23);
	assert_int_equal(take(11, 12, 1, d, 8), 0x456);
	assert_int_equal(take(23, 24, 1, d, 8), 0x56789A);
	assert_int_equal(take(5, 4, 1, d, 8), 0x4); /* 0x12 = 00 0100 10 */
	assert_true(take(7, 64, 1, d, 8) == 0x123456789ABCDEF0u);
	assert_int_equal(take(56, 1, 1, d, 8), 0);
	/* What lies behind the frame's end is not zero: it is not there. */
	assert_int_equal(can_take(&(struct can_place){0, 16, 0}, d, 1, &raw), FC_EINVAL);
	assert_int_equal(can_take(&(struct can_place){3, 5, 1}, d, 1, &raw), FC_EINVAL);
	assert_int_equal(can_take(&(struct can_place){3, 4, 1}, d, 1, &raw), FC_OK);
	assert_int_equal(can_last_byte(&(struct can_place){7, 64, 1}), 7);
	assert_int_equal(can_last_byte(&(struct can_place){8, 9, 0}), 2);
}

static void test_bits_on_the_bus_at_most(void **state)
{
	(void)state;
	/* 8 bytes, extended: 131 bits with the pause, and at most 29 of stuffing. */
	assert_int_equal(can_bits_at_most(1, 8), 160);
	assert_int_equal(can_bits_at_most(0, 0), 55);
}

/* The forms that a value can be sent in, by the frame that goes out. */
static void test_values_put_into_frames(void **state)
{
	static const struct {
		const char *item, *frame;
	} cases[] = {
	    {"{ value = 500, type = 'f32' }", "000#43FA0000"},
	    {"{ value = 500, type = 'f32', order = 'little' }", "000#0000FA43"},
	    {"{ value = -2, type = 's16' }", "000#FFFE"},
	    {"{ value = 12.5, type = 'u16', scale = 0.1 }", "000#007D"},
	    {"{ value = 20, type = 'u8', offset = -50 }", "000#46"},
	    {"{ value = 70000, type = 'u16' }", "000#FFFF"}, /* the most that fits, not its lost bits */
	    {"{ value = -1, type = 'u32' }", "000#00000000"},
	    {"{ value = 0x010203, type = 'u24' }", "000#010203"},
	    {"{ value = 1234, type = 'bcd', bytes = 2 }", "000#1234"},
	    {"{ value = 1234, type = 'bcd', bytes = 3, order = 'little' }", "000#341200"},
	    {"'unit'", "000#05"},
	    {"'connector'", "000#01"},
	    {"'master'", "000#F0"},
	    {"{ from = 'unit', type = 'u16' }", "000#0005"},
	    {"{ point = 'v', type = 'u16', otherwise = 0xFFFF }", "000#FFFF"},
	    {"1, 2, 'unit', 0xFF", "000#010205FF"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fixture *f = *state;
		char body[600];

		(void)snprintf(body, sizeof(body),
			       "can = { extended = false, order = 'big', master = 0xF0, "
			       "messages = { m = { id = 1, period_ms = 1000 } } }, "
			       "points = { v = { message = 'm', byte = 0, type = 'u8' } }, "
			       "keep_alive = { id = 0, data = { %s }, period_ms = 1000 }",
			       cases[i].item);
		start(f, body);
		pass(f, 1);
		assert_int_equal(f->sent_count, 1);
		assert_string_equal(f->sent[0], cases[i].frame);
		agent_can.stop(f->agent);
		profile_free(f->profile);
		f->agent = NULL;
		f->profile = NULL;
		f->sent_count = 0;
	}
}

/* Mistakes ------------------------------------------------------------------------------------------------------------------ */

#define HEAD                                                                                                         \
	"points = { v = { message = 'm', byte = 0, type = 'u8' } }, can = { messages = { m = { id = 1, period_ms = " \
	"1000 } } }"

static void test_every_mistake_has_its_place(void **state)
{
	static const struct {
		const char *body, *says;
	} cases[] = {
	    {"can = {}, points = { v = { message = 'm', byte = 0, type = 'u8' } }", "can.messages: is missing"},
	    {"can = { messages = { m = { id = 1, period_ms = 9999, foo = 1 } } }, points = { v = { message = 'm', byte "
	     "= 0, "
	     "type = 'u8' } }",
	     "can.messages.m.foo: there is no such key"},
	    {"can = { messages = { m = { id = 0x20000000, period_ms = 1000 } } }, points = {}",
	     "can.messages.m.id: must be"},
	    {"can = { extended = false, messages = { m = { id = 0x800, period_ms = 1000 } } }, points = {}",
	     "can.messages.m.id: must be 0 to 0x7FF (not extended)"},
	    {"can = { messages = { m = { id = { to = 1 }, period_ms = 1000 } } }, points = {}",
	     "can.messages.m.id.to: is none of the fields in can.id"},
	    {"can = { id = { to = { 8, 15 } }, messages = { m = { id = { to = 256 }, period_ms = 1000 } } }, points = "
	     "{}",
	     "can.messages.m.id.to: must be 0 to 255"},
	    {"can = { id = { to = { 8, 29 } }, messages = { m = { id = 1, period_ms = 1000 } } }, points = {}",
	     "can.id.to: must be"},
	    {"can = { messages = { m = { id = 1, data = { 300 }, period_ms = 1000 } } }, points = {}",
	     "can.messages.m.data[1]: must be one of at most 8 bytes"},
	    {"can = { messages = { m = { id = 1, data = { { 0xFF, 0x0F } }, period_ms = 1000 } } }, points = {}",
	     "can.messages.m.data[1]"},
	    {"can = { messages = { m = { id = 1, packets = 'isotp', period_ms = 1000 } } }, points = {}",
	     "can.messages.m.packets: must be one of none counted j1939"},
	    {"can = { messages = { m = { id = 1, packets = 'counted', data = { 1, 2 }, period_ms = 1000 } } }, points "
	     "= {}",
	     "can.messages.m.data: of counted packets"},
	    {"can = { messages = { m = { id = 1 } } }, points = { v = { message = 'm', byte = 0, type = 'u8' } }",
	     "points.v.message: no request has m as its answer, and it has no period_ms"},
	    {"can = { messages = { m = { id = 1, mux = { byte = 0 } } }, requests = { r = { id = 2, data = { 'each' }, "
	     "each = { 1, 2 }, answer = 'm' } } }, points = { v = { message = 'm', mux = 3, byte = 4, type = 'u8' } }",
	     "points.v.message: no request asks for m with mux 3"},
	    {"can = { messages = { m = { id = 1, period_ms = 1000 } } }, points = { v = { message = 'n', byte = 0, "
	     "type = 'u8' } }",
	     "points.v.message: must name one of can.messages"},
	    {"can = { messages = { m = { id = 1, period_ms = 1000 } } }, points = { v = { message = 'm', byte = 5, "
	     "type = 'u32' } }",
	     "points.v: its 32 bits end beyond byte 7"},
	    {"can = { messages = { m = { id = 1, period_ms = 1000 } } }, points = { v = { message = 'm', start = 3, "
	     "length = 12, "
	     "byte = 0, type = 'u16' } }",
	     "points.v: wants byte = 0..7, or start"},
	    {"can = { messages = { m = { id = 1, period_ms = 1000 } } }, points = { v = { message = 'm', byte = 0, "
	     "length = 12, "
	     "type = 'f32' } }",
	     "points.v.length: of a float is 32"},
	    {"can = { messages = { m = { id = 1, period_ms = 1000 } } }, points = { v = { message = 'm', byte = 0, "
	     "length = 12, "
	     "type = 'u8' } }",
	     NULL}, /* a u8 is held in 16 bits: 12 of them fit */
	    {"can = { messages = { m = { id = 1, period_ms = 1000 } } }, points = { v = { message = 'm', byte = 0, "
	     "length = 20, "
	     "type = 'u16' } }",
	     "points.v.length: is more than the type holds"},
	    {"can = { messages = { m = { id = 1, period_ms = 1000 } } }, points = { v = { message = 'm', mux = 1, byte "
	     "= 0, type = 'u8' } }",
	     "points.v.mux: can.messages.m has no mux"},
	    {"can = { messages = { m = { id = 1, period_ms = 1000 } } }, points = { v = { message = 'm', byte = 0, "
	     "type = 'text' } }",
	     "points.v.bytes: is missing"},
	    {"can = { messages = { m = { id = 1, period_ms = 1000 } } }, points = { v = { message = 'm', byte = 0, "
	     "type = 'raw' } }",
	     "points.v.type: must be one of u8"},
	    {"can = { messages = { m = { id = 1, period_ms = 1000 } } }, points = { v = { address = 1, type = 'u8' } }",
	     "points.v: must be a table with at least message, byte and type"},
	    {"can = { messages = { m = { id = 1 } }, requests = { r = { id = 2, data = { 1, 2, 3, 4, 5, 6, 7, 8, 9 }, "
	     "answer = 'm' } } }, points = { v = { message = 'm', byte = 0, type = 'u8' } }",
	     "can.requests.r.data[9]: lies beyond the frame's 8 bytes"},
	    {"can = { messages = { m = { id = 1 } }, requests = { r = { id = 2, data = { 'each' }, answer = 'm' } } }, "
	     "points "
	     "= { v = { message = 'm', byte = 0, type = 'u8' } }",
	     "can.requests.r.each: goes with"},
	    {"can = { messages = { m = { id = 1 } }, requests = { r = { id = 2 } } }, points = { v = { message = 'm', "
	     "byte = 0, "
	     "type = 'u8' } }",
	     "can.requests.r.answer: is missing"},
	    {"can = { messages = { m = { id = 1 } }, requests = { r = { id = 2, answer = 'x' } } }, points = { v = { "
	     "message = 'm', "
	     "byte = 0, type = 'u8' } }",
	     "can.requests.r.answer: must name one of can.messages"},
	    {"can = { messages = { m = { id = 1, period_ms = 1000, reply = { id = 2, data = { { from = 'setpoint' } } "
	     "} } } }, points = {}",
	     "can.messages.m.reply.data: a reply has no setpoint"},
	    {HEAD ", modbus = {}", "modbus: does not go together with can"},
	    {HEAD ", firmware = 'v'", "firmware: does not go together with can"},
	    {HEAD ", commands = { start = { id = 2, data = { 'foo' } } }", "commands.start.data[1]: must be one of"},
	    {HEAD ", commands = { start = { id = 2, data = { { value = 1, from = 'unit' } } } }",
	     "commands.start.data[1]: wants one of value, from, point and copy"},
	    {HEAD ", commands = { start = { id = 2, data = { { value = 1, type = 'u12' } } } }",
	     "commands.start.data[1].type: must be one of"},
	    {HEAD ", commands = { start = { id = 2, data = { { value = 1, scale = 0 } } } }",
	     "commands.start.data[1].scale: must not be 0"},
	    {HEAD ", commands = { start = { id = 2, ok = { 1 } } }", "commands.start.ok: wants an answer"},
	    {HEAD ", commands = { start = { steps = { { period_ms = 100 } } } }",
	     "commands.start.steps[1]: must be a frame (id, data), an answer to await"},
	    {HEAD ", commands = { start = { fc = 6, address = 1, value = 1 } }",
	     "commands.start.fc: there is no such key"},
	    {HEAD
	     ", commands = { start = { steps = { { id = 2, answer = 'm', within_ms = 39000 }, { wait_ms = 2000 } } } }",
	     "commands.start.steps: take up to 41000 ms"},
	    {"can = { id = { dst = { 5, 12 } }, messages = { m = { id = { dst = 'unit' }, extended = false, period_ms "
	     "= "
	     "1000 } } }, points = { v = { message = 'm', byte = 0, type = 'u8' } }",
	     "can.messages.m.id: has fields above bit 10"},
	    {HEAD ", commands = { start = { steps = { { limit = 3 } } } }", "commands.start.steps[1]: wants setpoint"},
	    {HEAD ", setpoint = { id = 2, data = { 1 }, unit = 'A', min = 0, max = 10 }",
	     "setpoint.data: wants { from = \"setpoint\""},
	    {HEAD ", setpoint = { id = 2, data = { { from = 'setpoint' } }, unit = 'A', min = 10, max = 0 }",
	     "setpoint.max: is below min"},
	    {HEAD ", keep_alive = { id = 2 }", "keep_alive.period_ms: is missing"},
	    {HEAD ", keep_alive = { { id = 2, period_ms = 1000 }, { id = 3, data = { 'each' }, period_ms = 1000 } }",
	     "keep_alive[2].data: a keep-alive has no setpoint"},
	    {HEAD ", examples = { { frames = { '1#' }, expect = {} } }", "examples[1].frames[1]: must be a frame"},
	    {HEAD ", examples = { { frames = { '00000001#07' }, expect = { v = 8 } } }",
	     "examples[1].expect.v: expected 8.000, got 7.000"},
	    {HEAD ", examples = { { frames = {} } }", "examples[1]: wants expect, sent or result"},
	    {HEAD ", examples = { { frames = {}, sent = { '00000009#' } } }",
	     "examples[1].sent[1]: 00000009# was not sent"},
	    {HEAD ", examples = { { command = 'x', result = 'ok' } }",
	     "examples[1].command: must name one of commands"},
	    {HEAD ", examples = { { registers = {}, expect = {} } }", "examples[1].registers: there is no such key"},
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct error err;
		struct profile *p = load(f, cases[i].body, &err);

		if ((p != NULL) != !cases[i].says || (cases[i].says && !strstr(err.text, cases[i].says)))
			fail_msg("%s\nsays: %s\nnot:  %s", cases[i].body, p ? "nothing" : err.text,
				 cases[i].says ? cases[i].says : "nothing");
		profile_free(p);
	}
}

/* Agent --------------------------------------------------------------------------------------------------------------------- */

/* Two requests; identifiers name the source. */
#define MODULE                                                                                                         \
	"can = { order = 'big', master = 0xF0, gap_ms = 5, timeout_ms = 10000, slow_ms = 5000, "                       \
	"id = { command = { 16, 23 }, to = { 8, 15 }, from = { 0, 7 } }, "                                             \
	"messages = { vi = { id = { command = 3, to = 'master', from = 'unit' } }, "                                   \
	"state = { id = { command = 4, to = 'master', from = 'unit' } }, "                                             \
	"set = { id = { command = 9, to = 'master', from = 'unit' } }, "                                               \
	"own = { id = { command = 8, from = 'unit' }, period_ms = 1000, "                                              \
	"reply = { id = { command = 8, to = 'unit', from = 'master' }, data = { { copy = 1 }, 'unit' } } } }, "        \
	"requests = { a = { id = { command = 3, to = 'unit', from = 'master' }, answer = 'vi', period_ms = 1000, "     \
	"timeout_ms = 100 }, b = { id = { command = 4, to = 'unit', from = 'master' }, answer = 'state', "             \
	"period_ms = 2000, timeout_ms = 100 } } }, "                                                                   \
	"points = { v = { message = 'vi', byte = 0, type = 'u16', scale = 0.1, invalid = { 0xFFFF } }, "               \
	"s = { message = 'state', byte = 0, type = 'u8' }, t = { message = 'own', byte = 1, type = 's8' } }, "         \
	"setpoint = { id = { command = 9, to = 'unit', from = 'master' }, data = { { from = 'setpoint', type = "       \
	"'u16', "                                                                                                      \
	"scale = 0.1 } }, answer = 'set', ok = { 0 }, unit = 'A', min = 1, max = 100, pause = 0, refresh_ms = 4000, "  \
	"period_ms = 500, within_ms = 1000 }, "                                                                        \
	"commands = { start = { id = { command = 9, to = 'unit', from = 'master' }, data = { 1 }, answer = 'set', "    \
	"ok = { 0 }, period_ms = 200, within_ms = 1000 }, "                                                            \
	"ramp = { steps = { { limit = 20 }, { wait_ms = 300 }, { id = { command = 9, to = 'unit', from = 'master' }, " \
	"data = { 7 } }, { check = 's', equals = 2, within_ms = 3000 } } } }"

static void test_requests_go_one_at_a_time(void **state)
{
	struct fixture *f = *state;

	start(f, MODULE);
	pass(f, 50);
	assert_int_equal(f->sent_count, 1);
	assert_string_equal(f->sent[0], "000305F0#");
	hear(f, "0003F005#0FA0");
	assert_true(f->online && f->heard == 1);
	is_number(f, 0, "v", 400000);
	pass(f, 3);
	assert_int_equal(f->sent_count, 1); /* the gap */
	pass(f, 3);
	assert_string_equal(f->sent[1], "000405F0#");
	hear(f, "0004F005#02");
	is_number(f, 0, "s", 2000);
	/* An invalid mark is unknown, never a number. */
	hear(f, "0003F005#FFFF");
	assert_int_equal(value(f, 0, "v")->quality, QUALITY_UNKNOWN);
	/* A frame that is too short says nothing of the value, and nothing breaks. */
	f->told[profile_point(f->profile, "v")] = 0;
	hear(f, "0003F005#FF");
	hear(f, "0003F005#");
	assert_int_equal(f->told[profile_point(f->profile, "v")], 0);
	/* Each at its pace, as long as it is answered at once: 10 s, ten of a and five of b. */
	f->sent_count = 0;
	for (int i = 0; i < 1000; i++) {
		int before = f->sent_count;

		pass(f, 10);
		for (int k = before; k < f->sent_count; k++)
			hear(f, !strcmp(f->sent[k], "000305F0#") ? "0003F005#0001" : "0004F005#02");
	}
	assert_in_range(count_sent(f, "000305F0#"), 9, 11);
	assert_in_range(count_sent(f, "000405F0#"), 4, 6);
}

/* chargers.md 4, row 46: answers of foreign modules mixed in; an answer of the wrong kind is none. */
static void test_row_46_foreign_modules_are_passed_over(void **state)
{
	static const char *const foreign[] = {"0003F006#0FA0", "0003F105#0FA0", "0005F005#0FA0",
					      "005#0FA0",      "0003F005#R",    "000305F0#0FA0"};
	struct fixture *f = *state;

	start(f, MODULE);
	pass(f, 10);
	for (size_t i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++)
		hear(f, foreign[i]);
	assert_int_equal(f->heard, 0);
	assert_int_equal(f->told[profile_point(f->profile, "v")], 0);
	/* Nor did any of them end the wait for the answer. */
	pass(f, 50);
	assert_int_equal(f->sent_count, 1);
}

/* chargers.md 4, row 46: a silent module is asked on slowly, and any frame of it brings it back at once. */
static void test_row_46_silent_is_asked_on_slowly_and_revived(void **state)
{
	struct fixture *f = *state;

	start(f, MODULE);
	pass(f, 10);
	hear(f, "0003F005#0FA0");
	pass(f, 12000);
	assert_int_equal(f->online, 0);
	f->sent_count = 0;
	pass(f, 60000);
	/* One each 5 s, of both kinds in turn. */
	assert_in_range(f->sent_count, 11, 13);
	assert_in_range(count_sent(f, "000405F0#"), 4, 8);
	pass(f, 1234);
	f->sent_count = 0;
	hear(f, "0008F005#0011"); /* what nobody asked for counts as well */
	assert_true(f->online && f->heard == 3);
	pass(f, 20);
	assert_true(count_sent(f, "000305F0#") + count_sent(f, "000405F0#") >= 1);
	hear(f, "0003F005#0FA1");
	is_number(f, 0, "v", 400100);
	pass(f, 20);
	assert_int_equal(count_sent(f, "000305F0#"), 1);
	assert_int_equal(count_sent(f, "000405F0#"), 1);
}

/* What the system says as a whole keeps no module alive. */
static void test_row_46_a_frame_of_any_module_revives_none(void **state)
{
	struct fixture *f = *state;

	start(f,
	      "can = { id = { what = { 8, 28 }, from = { 0, 7 } }, timeout_ms = 2000, "
	      "messages = { own = { id = { what = 1, from = 'unit' }, period_ms = 1000 }, all = { id = { what = 2 }, "
	      "period_ms = 1000 } } }, "
	      "points = { v = { message = 'own', byte = 0, type = 'u8' }, w = { message = 'all', byte = 0, type = 'u8' "
	      "} }");
	hear(f, "00000205#07");
	is_number(f, 0, "w", 7000);
	assert_int_equal(f->online, 0);
	hear(f, "00000105#07");
	assert_int_equal(f->online, 1);
	for (int i = 0; i < 25; i++) {
		pass(f, 100);
		hear(f, "00000205#07");
	}
	assert_int_equal(f->online, 0);
}

/* Row 47: the link's time-out is 10 s unless the file says other, and told at that time. */
static void test_row_47_link_timeout(void **state)
{
	struct fixture *f = *state;

	start(f, MODULE);
	pass(f, 10);
	hear(f, "0003F005#0FA0");
	pass(f, 9990);
	assert_int_equal(f->online, 1);
	pass(f, 20);
	assert_int_equal(f->online, 0);
	assert_int_equal(f->profile->can->timeout_ms, 10000);
	/* A frame that is heard in time keeps it. */
	hear(f, "0004F005#01");
	for (int i = 0; i < 10; i++) {
		pass(f, 9000);
		hear(f, "0004F005#01");
	}
	assert_int_equal(f->online, 1);
}

/* Row 48: what is still told stays fresh, what is told no more grows old, on the same device. */
static void test_row_48_age_is_each_value_s_own(void **state)
{
	struct fixture *f = *state;

	start(f, MODULE);
	hear(f, "0003F005#0FA0");
	for (int i = 0; i < 8; i++) {
		pass(f, 1000);
		hear(f, "0004F005#02");
	}
	assert_int_equal(can_agent_values(f->agent, 0)[profile_point(f->profile, "v")].quality, QUALITY_STALE);
	assert_int_equal(can_agent_values(f->agent, 0)[profile_point(f->profile, "s")].quality, QUALITY_GOOD);
	assert_int_equal(f->online, 1);
	/* And the host's values carry the time at which each was heard. */
	assert_true(value(f, 0, "s")->mono_us == f->now_us && value(f, 0, "v")->mono_us == 1000000);
	/* The pace that age is counted by is the request's. */
	assert_int_equal(profile_period(f->profile, &f->profile->points[profile_point(f->profile, "s")], 1000), 2000);
}

static void test_a_lost_answer_is_asked_for_again(void **state)
{
	struct fixture *f = *state;

	start(f, MODULE);
	pass(f, 90);
	assert_int_equal(f->sent_count, 1);
	pass(f, 30); /* the time-out, then the other one */
	assert_int_equal(f->sent_count, 2);
	assert_string_equal(f->sent[1], "000405F0#");
	hear(f, "0004F005#02");
	pass(f, 1000);
	assert_int_equal(count_sent(f, "000305F0#"), 2);
	/* An answer that comes too late is a value all the same. */
	pass(f, 150);
	hear(f, "0003F005#0001");
	is_number(f, 0, "v", 100);
}

static void test_replies_are_sent_and_bounded(void **state)
{
	struct fixture *f = *state;

	start(f, MODULE);
	hear(f, "00080005#00F1");
	is_number(f, 0, "t", -15000);
	assert_int_equal(count_sent(f, "000805F0#F105"), 1);
	/* A device gone wild: at most one in 20 ms. */
	for (int i = 0; i < 1000; i++) {
		f->now_us += 100;
		hear(f, "00080005#00F1");
	}
	assert_in_range(count_sent(f, "000805F0#F105"), 4, 7);
}

static void test_commands(void **state)
{
	struct fixture *f = *state;
	struct error err = {0};

	start(f, MODULE);
	pass(f, 10);
	assert_int_equal(agent_can.command(f->agent, 1, "fly", &err), FC_ENOENT);
	assert_int_equal(agent_can.command(f->agent, 2, "start", &err), FC_ENOENT);
	/* Sent again until it is answered. */
	assert_int_equal(agent_can.command(f->agent, 1, "start", &err), FC_OK);
	assert_int_equal(f->done, 0);
	pass(f, 450);
	assert_int_equal(count_sent(f, "000905F0#01"), 3);
	hear(f, "0009F005#00");
	assert_true(f->done == 1 && f->status == BUS_OK && f->done_number == 1);
	/* Refused; and an answer that comes before anything was sent is none. */
	assert_int_equal(agent_can.command(f->agent, 1, "start", &err), FC_OK);
	hear(f, "0009F005#00");
	assert_int_equal(f->done, 1);
	pass(f, 10);
	hear(f, "0009F005#05");
	assert_true(f->done == 2 && f->status == BUS_EXCEPTION);
	/* Too late. */
	assert_int_equal(agent_can.command(f->agent, 1, "start", &err), FC_OK);
	pass(f, 990);
	assert_int_equal(f->done, 2);
	pass(f, 20);
	assert_true(f->done == 3 && f->status == BUS_TIMEOUT);
	/* Another one takes its place. */
	assert_int_equal(agent_can.command(f->agent, 1, "start", &err), FC_OK);
	pass(f, 10);
	assert_int_equal(agent_can.command(f->agent, 1, "start", &err), FC_OK);
	assert_int_equal(f->done, 3);
	pass(f, 10);
	assert_true(f->done == 4 && f->status == BUS_DISCONNECTED);
	hear(f, "0009F005#00");
	assert_true(f->done == 5 && f->status == BUS_OK);
	/* The line goes: told, within run. */
	assert_int_equal(agent_can.command(f->agent, 1, "start", &err), FC_OK);
	agent_can.port(f->agent, 0);
	assert_int_equal(agent_can.command(f->agent, 1, "start", &err), FC_EIO);
	(void)agent_can.run(f->agent, f->now_us);
	assert_true(f->done == 6 && f->status == BUS_DISCONNECTED);
}

static void test_a_sequence(void **state)
{
	struct fixture *f = *state;
	struct error err = {0};

	start(f, MODULE);
	hear(f, "0004F005#01");
	assert_int_equal(agent_can.command(f->agent, 1, "ramp", &err), FC_OK);
	pass(f, 10);
	assert_int_equal(count_sent(f, "000905F0#00C8"), 1);
	assert_int_equal(count_sent(f, "000905F0#07"), 0);
	hear(f, "0009F005#00");
	pass(f, 290);
	assert_int_equal(count_sent(f, "000905F0#07"), 0);
	pass(f, 20);
	assert_int_equal(count_sent(f, "000905F0#07"), 1);
	assert_int_equal(f->done, 0);
	hear(f, "0004F005#02");
	pass(f, 5);
	assert_true(f->done == 1 && f->status == BUS_OK);
	/* A check that does not come true. */
	hear(f, "0004F005#01");
	assert_int_equal(agent_can.command(f->agent, 1, "ramp", &err), FC_OK);
	pass(f, 1);
	hear(f, "0009F005#00");
	pass(f, 3400);
	assert_true(f->done == 2 && f->status == BUS_TIMEOUT);
}

static void test_a_limit_is_held(void **state)
{
	struct fixture *f = *state;
	struct error err = {0};

	start(f, MODULE);
	assert_int_equal(agent_can.limit(f->agent, 1, 500, &err), FC_EINVAL);
	assert_int_equal(agent_can.limit(f->agent, 1, 101000, &err), FC_EINVAL);
	assert_int_equal(agent_can.limit(f->agent, 3, 20000, &err), FC_ENOENT);
	assert_int_equal(agent_can.limit(f->agent, 1, 0, &err), FC_OK); /* its pause */
	assert_int_equal(agent_can.limit(f->agent, 1, 20000, &err), FC_OK);
	pass(f, 1000);
	assert_int_equal(count_sent(f, "000905F0#00C8"), 0); /* nobody is there */
	hear(f, "0003F005#0001");
	pass(f, 1);
	assert_int_equal(count_sent(f, "000905F0#00C8"), 1);
	pass(f, 600);
	assert_int_equal(count_sent(f, "000905F0#00C8"), 2); /* not answered yet */
	hear(f, "0009F005#00");
	pass(f, 3000);
	assert_int_equal(count_sent(f, "000905F0#00C8"), 2);
	hear(f, "0003F005#0001");
	pass(f, 600);
	assert_int_equal(count_sent(f, "000905F0#00C8"), 3); /* 4 s are over */
	hear(f, "0009F005#00");
	/* It was away: told at once when it is back. */
	pass(f, 20000);
	f->sent_count = 0;
	pass(f, 20000);
	assert_int_equal(count_sent(f, "000905F0#00C8"), 0);
	hear(f, "0003F005#0001");
	pass(f, 1);
	assert_int_equal(count_sent(f, "000905F0#00C8"), 1);
}

/* Without refresh_ms it is told once; but not given up when nobody answered. */
static void test_a_limit_is_told_until_it_is_answered(void **state)
{
	struct fixture *f = *state;
	struct error err = {0};

	start(f, "can = { messages = { there = { id = 1, period_ms = 500 }, set = { id = 2 } } }, "
		 "points = { v = { message = 'there', byte = 0, type = 'u8' } }, "
		 "setpoint = { id = 3, data = { { from = 'setpoint', type = 'u16' } }, answer = 'set', unit = 'A', "
		 "min = 0, max = 100, period_ms = 500, within_ms = 1000 }");
	hear(f, "00000001#01");
	assert_int_equal(agent_can.limit(f->agent, 1, 20000, &err), FC_OK);
	pass(f, 1100);
	hear(f, "00000001#01");
	int before = count_sent(f, "00000003#1400");
	assert_true(before >= 2);
	pass(f, 3000);
	hear(f, "00000001#01");
	int after = count_sent(f, "00000003#1400");
	assert_true(after > before);
	hear(f, "00000002#");
	pass(f, 1);
	after = count_sent(f, "00000003#1400");
	hear(f, "00000002#");
	pass(f, 5000);
	assert_int_equal(count_sent(f, "00000003#1400"), after);
}

/* A profile edited while a limit holds is no reason for full power. */
static void test_a_limit_is_held_by_the_next_agent(void **state)
{
	struct fixture *f = *state;
	struct error err = {0};

	start(f, MODULE);
	assert_int_equal(agent_can.limit(f->agent, 1, 20000, &err), FC_OK);
	const struct agent_host host = {f, host_send, host_value, host_heard, host_done};
	const struct agent_settings settings = {
	    .name = "dc1", .unit = 5, .numbers = {1}, .connectors = 1, .poll_ms = 1000};
	struct profile *next = load(f, MODULE, &err);
	assert_non_null(next);
	const char *const units[] = {f->profile->setpoint.form.unit, "kW"};
	const double most[] = {100, 19, 100};
	for (int i = 0; i < 3; i++) {
		(void)snprintf(next->setpoint.form.unit, sizeof(next->setpoint.form.unit), "%s", units[i == 2]);
		next->setpoint.max = most[i];
		void *agent = agent_can.start(next, &settings, &host, &err);
		assert_non_null(agent);
		agent_can.take_over(agent, f->agent);
		void *before = f->agent;
		f->agent = agent;
		f->sent_count = 0;
		agent_can.port(agent, 1);
		hear(f, "0003F005#0001");
		pass(f, 1);
		assert_int_equal(count_sent(f, "000905F0#00C8"), i == 0);
		f->agent = before;
		agent_can.stop(agent);
	}
	profile_free(next);
}

static void test_a_full_queue_and_a_dead_port(void **state)
{
	struct fixture *f = *state;

	start(f, MODULE);
	f->send_result = FC_EBUSY;
	pass(f, 100);
	assert_int_equal(f->sent_count, 0);
	f->send_result = FC_OK;
	pass(f, 15);
	assert_int_equal(f->sent_count, 1); /* nothing was skipped */
	hear(f, "0003F005#0FA0");
	agent_can.port(f->agent, 0);
	f->sent_count = 0;
	assert_true(agent_can.run(f->agent, f->now_us + 60000000) == INT64_MAX);
	hear(f, "0003F005#0FA0");
	assert_int_equal(f->sent_count, 0);
	f->now_us += 60000000;
	agent_can.port(f->agent, 1);
	pass(f, 200);
	assert_int_equal(f->sent_count, 2); /* no heap of what fell due meanwhile, and no slow lane either */
}

/* Connectors: by a byte of the data, or by a unit each. */
static void test_connectors_are_told_apart(void **state)
{
	struct fixture *f = *state;

	start_with(
	    f,
	    "connectors = { count = 3 }, can = { messages = { m = { id = 0x10, data = { 'connector' }, period_ms = "
	    "1000 }, all = { id = 0x11, period_ms = 1000 } } }, "
	    "points = { v = { message = 'm', byte = 1, type = 'u8' }, w = { message = 'all', byte = 0, type = 'u8' } "
	    "}, "
	    "keep_alive = { id = 0x20, data = { 'connector' }, period_ms = 1000 }, "
	    "commands = { start = { id = 0x21, data = { 'connector' }, answer = 'm', ok = { 'connector', 9 } } }",
	    0, (const int[]){1, 3}, 2);
	struct error err = {0};
	pass(f, 10);
	assert_int_equal(count_sent(f, "00000020#01"), 1);
	assert_int_equal(count_sent(f, "00000020#03"), 1);
	hear(f, "00000010#0307");
	is_number(f, 3, "v", 7000);
	assert_int_equal(value(f, 1, "v")->quality, QUALITY_UNKNOWN);
	hear(f, "00000010#0208"); /* not configured */
	assert_int_equal(f->told[profile_point(f->profile, "v")], 1);
	hear(f, "00000011#05");
	is_number(f, 0, "w", 5000);
	assert_int_equal(agent_can.command(f->agent, 3, "start", &err), FC_OK);
	pass(f, 10);
	hear(f, "00000010#0109");
	assert_int_equal(f->done, 0);
	hear(f, "00000010#0309");
	assert_true(f->done == 1 && f->done_number == 3 && f->status == BUS_OK);
}

static void test_units_of_connectors(void **state)
{
	struct fixture *f = *state;
	struct error err = {0};
	const struct agent_host host = {f, host_send, host_value, host_heard, host_done};

	start_with(f,
		   "connectors = { count = 2, unit_stride = 3 }, can = { id = { unit = { 0, 3 }, rest = { 4, 28 } }, "
		   "messages = { m = { id = { unit = 'unit', rest = 1 } } }, "
		   "requests = { r = { id = { unit = 'unit', rest = 2 }, answer = 'm', timeout_ms = 50 } } }, "
		   "points = { v = { message = 'm', byte = 0, type = 'u8' } }",
		   4, (const int[]){1, 2}, 2);
	pass(f, 100);
	assert_string_equal(f->sent[0], "00000024#");
	assert_string_equal(f->sent[1], "00000027#");
	hear(f, "00000017#09");
	is_number(f, 2, "v", 9000);
	assert_int_equal(value(f, 1, "v")->quality, QUALITY_UNKNOWN);
	/* One of them dead does not slow down the other: 20 s, one a second and one each 5 s. */
	for (int i = 0; i < 11000; i += 10) {
		pass(f, 10);
		if (f->sent_count && !strcmp(f->sent[f->sent_count - 1], "00000027#"))
			hear(f, "00000017#09");
	}
	f->sent_count = 0;
	for (int i = 0; i < 20000; i += 10) {
		pass(f, 10);
		if (f->sent_count && !strcmp(f->sent[f->sent_count - 1], "00000027#"))
			hear(f, "00000017#09");
	}
	assert_in_range(count_sent(f, "00000027#"), 18, 21);
	assert_in_range(count_sent(f, "00000024#"), 3, 5);
	/* A unit that the identifier can't hold would be somebody else. */
	struct agent_settings bad = {.name = "dc1", .unit = 14, .numbers = {1, 2}, .connectors = 2};
	assert_null(agent_can.start(f->profile, &bad, &host, &err));
	assert_non_null(strstr(err.text, "unit 17, connector 2 do not fit"));
}

/* Items one after the other; an answer of another item is none; a batch goes on to its last frame. */
static void test_items_and_batches(void **state)
{
	struct fixture *f = *state;

	start(f,
	      "can = { order = 'big', id = { rest = { 1, 28 }, more = { 0, 0 } }, "
	      "messages = { one = { id = 0x100, mux = { byte = 0 } }, "
	      "many = { id = { rest = 0x101 }, mux = { byte = 0, type = 'u16' } } }, "
	      "requests = { items = { id = 0x200, data = { 'each' }, each = { 1, 2, 3 }, answer = 'one', timeout_ms = "
	      "100 }, lot = { id = 0x300, answer = 'many', last = { id = { more = 0 } }, period_ms = 5000, timeout_ms "
	      "= 100 } } }, "
	      "points = { a = { message = 'one', mux = 1, byte = 1, type = 'u8' }, b = { message = 'one', mux = 3, "
	      "byte = "
	      "1, type = 'u8' }, c = { message = 'many', mux = 7, byte = 2, type = 'u8' } }");
	pass(f, 10);
	assert_string_equal(f->sent[0], "00000200#01");
	hear(f, "00000100#0309"); /* of item 3: a value, no answer */
	is_number(f, 0, "b", 9000);
	assert_int_equal(value(f, 0, "a")->quality, QUALITY_UNKNOWN);
	pass(f, 10);
	assert_int_equal(f->sent_count, 1);
	hear(f, "00000100#0104");
	is_number(f, 0, "a", 4000);
	pass(f, 1);
	assert_string_equal(f->sent[1], "00000200#02");
	pass(f, 100); /* not answered: the next one */
	assert_string_equal(f->sent[2], "00000200#03");
	hear(f, "00000100#0301");
	pass(f, 1);
	assert_string_equal(f->sent[3], "00000300#");
	hear(f, "00000203#000705");
	is_number(f, 0, "c", 5000);
	pass(f, 50);
	assert_int_equal(f->sent_count, 4);
	hear(f, "00000202#000800");
	pass(f, 900);
	assert_string_equal(f->sent[4], "00000200#01");
}

/* Billing units' packets: the sum decides, one that is missing spoils the message. */
static void test_counted_packets(void **state)
{
	struct fixture *f = *state;

	start(f, "can = { messages = { m = { id = 0x50, data = { 'connector' }, packets = 'counted', period_ms = 1000 "
		 "} } }, "
		 "points = { v = { message = 'm', byte = 6, type = 'u16' }, t = { message = 'm', byte = 0, type = "
		 "'text', bytes = 4 } }");
	/* 3 packets, 8 bytes "ABCD" 1 2 3 4, sum 03 + 08 + 00 + 0x10A + 0x0A = 0x11F */
	hear(f, "00000050#0101030800414243");
	hear(f, "00000050#010244010203041F");
	hear(f, "00000050#010301FFFFFFFFFF");
	is_number(f, 1, "v", 0x0403 * 1000);
	assert_string_equal(value(f, 1, "t")->text, "ABCD");
	/* The sum is wrong; a packet is missing; the number of packets does not fit the length; more than there is room for. */
	f->told[0] = 0;
	hear(f, "00000050#0101030800414243");
	hear(f, "00000050#010244010203041E");
	hear(f, "00000050#010301FFFFFFFFFF");
	hear(f, "00000050#0101030800414243");
	hear(f, "00000050#010301FFFFFFFFFF");
	hear(f, "00000050#0101020800414243");
	hear(f, "00000050#010244010203041F");
	hear(f, "00000050#0101FFFFFF414243");
	for (int i = 2; i < 256; i++) {
		char text[40];

		(void)snprintf(text, sizeof(text), "00000050#01%02X414141414141", i);
		hear(f, text);
	}
	hear(f, "00000050#0100414141414141");
	hear(f, "00000050#0101");
	assert_int_equal(f->told[0], 0);
}

/* J1939-21 to us: the sender waits for our CTS and acknowledgement. */
static void test_j1939_packets(void **state)
{
	struct fixture *f = *state;

	start(f,
	      "can = { master = 0x8A, messages = { m = { id = 0x18228AF6, packets = 'j1939', period_ms = 1000 } } }, "
	      "points = { v = { message = 'm', byte = 7, type = 'u16' } }");
	hear(f, "1CEC8AF6#10090002FF002200");
	assert_int_equal(f->sent_count, 1);
	assert_string_equal(f->sent[0], "1CECF68A#110201FFFF002200");
	hear(f, "1CEB8AF6#0101020304050607");
	hear(f, "1CEB8AF6#020809FFFFFFFFFF");
	assert_string_equal(f->sent[1], "1CECF68A#13090002FF002200");
	is_number(f, 0, "v", 0x0908 * 1000);
	/* Another message, another sender: not ours to answer. */
	hear(f, "1CEC8AF6#10090002FF003300");
	hear(f, "1CEC8AF5#10090002FF002200");
	assert_int_equal(f->sent_count, 2);
}

static void test_filters(void **state)
{
	struct fixture *f = *state;
	struct can_filter filters[AGENT_FILTERS_MAX];

	start(f, MODULE);
	assert_int_equal(agent_can.filters(f->agent, filters, AGENT_FILTERS_MAX), 4);
	int found = 0;
	for (int i = 0; i < 4; i++)
		found += filters[i].id == 0x0003F005 && filters[i].mask == 0x00FFFFFF && filters[i].extended == 1;
	assert_int_equal(found, 1);
	/* Too many to say: every frame. */
	assert_int_equal(agent_can.filters(f->agent, filters, 3), 0);
}

/* The poll path allocates nothing: what is in use stays the same over ten minutes of it. */
static void test_nothing_is_allocated_while_it_runs(void **state)
{
#ifndef __GLIBC__
	(void)state;
	print_message("SKIPPED: this C library does not tell how much of its heap is in use\n");
	skip();
#else
	struct fixture *f = *state;
	struct error err = {0};

	start(f, MODULE);
	pass(f, 100);
	struct mallinfo2 before = mallinfo2();
	for (int i = 0; i < 600; i++) {
		hear(f, "0003F005#0FA0");
		hear(f, "0004F005#02");
		hear(f, "0009F005#00");
		if (i % 50 == 0)
			(void)agent_can.command(f->agent, 1, "start", &err);
		pass(f, 1000);
	}
	struct mallinfo2 after = mallinfo2();
	/* Streams of the log may take their buffers once. */
	assert_true(after.uordblks <= before.uordblks + 8192);
	assert_true(f->done >= 10);
#endif
}

static void test_adopt_ends_commands(void **state)
{
	struct fixture *f = *state;
	struct error err = {0};

	start(f, MODULE);
	struct profile *again = load(f, MODULE, &err);
	assert_non_null(again);
	assert_true(again->fingerprint == f->profile->fingerprint);
	hear(f, "0003F005#0FA0");
	assert_int_equal(agent_can.command(f->agent, 1, "start", &err), FC_OK);
	agent_can.adopt(f->agent, again);
	profile_free(f->profile);
	f->profile = again;
	pass(f, 2000);
	/* The room has told whoever waited: told once more, it would be of the next command. */
	assert_int_equal(f->done, 0);
	assert_int_equal(agent_can.command(f->agent, 1, "start", &err), FC_OK);
	agent_can.adopt(f->agent, f->profile);
	assert_int_equal(agent_can.command(f->agent, 1, "ramp", &err), FC_OK);
	pass(f, 1);
	assert_int_equal(f->done, 0);
	assert_true(count_sent(f, "000305F0#") >= 1);
	/* Another frame is another fingerprint: the agent is started anew. */
	struct profile *other =
	    load(f,
		 "can = { messages = { m = { id = 1, period_ms = 1000 } } }, points = { v = { message = "
		 "'m', byte = 0, type = 'u8' } }",
		 &err);
	struct profile *moved =
	    load(f,
		 "can = { messages = { m = { id = 2, period_ms = 1000 } } }, points = { v = { message = "
		 "'m', byte = 0, type = 'u8' } }",
		 &err);
	assert_true(other && moved && other->fingerprint != moved->fingerprint);
	profile_free(other);
	profile_free(moved);
}

/* Whatever the bus brings, nothing breaks (ASan and UBSan watch). */
static void test_noise(void **state)
{
	struct fixture *f = *state;
	uint32_t seed = 1;

	start_with(
	    f,
	    "connectors = { count = 2 }, can = { master = 0x8A, messages = { m = { id = 0x50, data = { 'connector' }, "
	    "packets = 'counted', period_ms = 1000 }, j = { id = 0x18228AF6, packets = 'j1939', period_ms = 1000 }, "
	    "s = { id = 0x51, period_ms = 1000, mux = { start = 3, length = 9 } } } }, "
	    "points = { v = { message = 'm', byte = 200, type = 'u64' }, w = { message = 'j', byte = 250, type = 'u16' "
	    "}, "
	    "x = { message = 's', mux = 3, start = 7, length = 23, order = 'big', type = 'u32' } }",
	    0, (const int[]){1, 2}, 2);
	for (int i = 0; i < 200000; i++) {
		static const uint32_t ids[] = {0x50, 0x51, 0x1CEC8AF6, 0x1CEB8AF6, 0x18228AF6};
		struct can_frame frame = {.extended = 1};

		seed = seed * 1664525 + 1013904223;
		frame.id = ids[(seed >> 8) % 5];
		frame.len = (uint8_t)((seed >> 16) % 9);
		for (int k = 0; k < frame.len; k++) {
			seed = seed * 1664525 + 1013904223;
			frame.data[k] = (uint8_t)(seed >> 24) & (k < 2 ? 0x13 : 0xFF);
		}
		f->now_us += 100;
		frame.mono_us = f->now_us;
		agent_can.frame(f->agent, &frame);
		(void)agent_can.run(f->agent, f->now_us);
	}
	assert_true(f->online);
}

#define T(test) cmocka_unit_test_setup_teardown(test, make_fixture, drop_fixture)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_bits_are_where_dbc_files_say),
	    cmocka_unit_test(test_bits_on_the_bus_at_most),
	    T(test_values_put_into_frames),
	    T(test_every_mistake_has_its_place),
	    T(test_requests_go_one_at_a_time),
	    T(test_row_46_foreign_modules_are_passed_over),
	    T(test_row_46_silent_is_asked_on_slowly_and_revived),
	    T(test_row_46_a_frame_of_any_module_revives_none),
	    T(test_row_47_link_timeout),
	    T(test_row_48_age_is_each_value_s_own),
	    T(test_a_lost_answer_is_asked_for_again),
	    T(test_replies_are_sent_and_bounded),
	    T(test_commands),
	    T(test_a_sequence),
	    T(test_a_limit_is_held),
	    T(test_a_limit_is_told_until_it_is_answered),
	    T(test_a_limit_is_held_by_the_next_agent),
	    T(test_a_full_queue_and_a_dead_port),
	    T(test_connectors_are_told_apart),
	    T(test_units_of_connectors),
	    T(test_items_and_batches),
	    T(test_counted_packets),
	    T(test_j1939_packets),
	    T(test_filters),
	    T(test_nothing_is_allocated_while_it_runs),
	    T(test_adopt_ends_commands),
	    T(test_noise),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
