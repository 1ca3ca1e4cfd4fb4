/* control: the commands of the person on site: what is asked on a line, what is written and kept of it, what leaves the trace. */
#include <sqlite3.h>

#include "control_fixture.h"
#include "device/instance.h"

static struct profile profile;
static struct device charger;

static void told(void *user, const struct control_result *result)
{
	struct fixture *f = user;

	f->answers++;
	f->code = result->code;
	(void)snprintf(f->error, sizeof(f->error), "%s", result->error);
	buffer_clear(&f->text);
	f->result = NULL;
	if (!result->result)
		return;
	assert_int_equal(json_write(&f->text, result->result), FC_OK);
	arena_fini(&f->arena);
	assert_int_equal(json_read(f->reader, f->text.data, f->text.len, &f->arena, &f->result, &f->err), FC_OK);
}

/* Nonzero when the answer comes later. */
static int call(struct fixture *f, const char *name, const char *arguments)
{
	const struct control_caller caller = {.name = "test", .right = CONTROL_ADMINISTER};
	struct value *tree = NULL;
	struct arena a;

	arena_init(&a, 1 << 20);
	f->code = 99;
	if (arguments)
		assert_int_equal(json_read(f->reader, arguments, strlen(arguments), &a, &tree, &f->err), FC_OK);
	struct control_reply *reply = control_call(f->control, &caller, name, tree, told, f);
	arena_fini(&a);
	return reply != NULL;
}

/* The line answers what was asked last; words may be NULL. */
static void answer(enum bus_status status, uint8_t exception, const uint16_t *words, uint16_t count)
{
	struct bus_result r = {.status = (uint8_t)status,
			       .exception = exception,
			       .is_write = (uint8_t)world.is_write,
			       .by_hand = 1,
			       .latency_us = 1500,
			       .count = count};
	device_asked asked = world.asked;

	assert_non_null(asked);
	if (count)
		memcpy(r.words, words, count * sizeof(*words));
	world.asked = NULL;
	asked(world.asked_user, &r);
}

static int64_t number(const struct value *object, const char *key)
{
	int64_t i = -1;

	(void)value_to_int(value_get(object, key), &i);
	return i;
}

static const char *text(const struct value *object, const char *key)
{
	const char *t = value_text(value_get(object, key));

	return t ? t : "";
}

/* The newest row of the audit, and how many there are. */
static struct audit_entry newest;
static int rows;

static void note(void *user, const struct audit_entry *entry)
{
	(void)user;
	if (!rows++)
		newest = *entry;
}

static int audit(struct fixture *f)
{
	rows = 0;
	return audit_each(f->store, 0, 100, note, NULL);
}

static int set_up_line(void **state)
{
	int result = set_up(state);

	memset(&profile, 0, sizeof(profile));
	memset(&charger, 0, sizeof(charger));
	(void)snprintf(profile.name, sizeof(profile.name), "maker");
	(void)snprintf(charger.name, sizeof(charger.name), "c1");
	profile.deny[0] = (struct register_range){900, 909};
	profile.deny_count = 1;
	profile.deny_write[0] = (struct register_range){100, 109};
	profile.deny_write_count = 1;
	charger.profile = &profile;
	charger.unit = 1;
	world.device = &charger;
	return result;
}

static void a_read(void **state)
{
	struct fixture *f = *state;

	assert_true(call(f, "bus_read", "{\"line\":\"line1\",\"unit\":1,\"function\":4,\"address\":16,\"count\":2}"));
	assert_int_equal(world.read.unit, 1);
	assert_int_equal(world.read.function, 4);
	assert_int_equal(world.read.address, 16);
	assert_int_equal(world.read.count, 2);
	answer(BUS_OK, 0, (uint16_t[]){0x1234, 0xABCD}, 2);
	assert_int_equal(f->code, FC_OK);
	assert_string_equal(text(f->result, "status"), "ok");
	assert_string_equal(text(f->result, "charger"), "c1");
	const struct value *words = value_get(f->result, "words");
	assert_int_equal(words->count, 2);
	assert_int_equal(words->first->i, 0x1234);
	/* The device's no is an answer to the question, too. */
	assert_true(call(f, "bus_read", "{\"line\":\"line1\",\"unit\":7,\"function\":3,\"address\":16}"));
	answer(BUS_EXCEPTION, 2, NULL, 0);
	assert_string_equal(text(f->result, "status"), "exception");
	assert_int_equal(number(f->result, "exception"), 2);
	assert_null(value_get(f->result, "words"));
	/* Who only looks at registers changes nothing: no row. */
	assert_int_equal(audit(f), 0);
}

/* Registers 40 to 43 of unit 1 are somebody's card: masked for all but who wants them raw, and that is kept. */
static void what_is_somebodys(void **state)
{
	struct fixture *f = *state;
	const struct value *words;

	assert_true(call(f, "bus_read", "{\"line\":\"line1\",\"unit\":1,\"function\":3,\"address\":39,\"count\":4}"));
	answer(BUS_OK, 0, (uint16_t[]){0x4141, 0x4242, 0, 0x4444}, 4);
	words = value_get(f->result, "words");
	assert_int_equal(words->first->i, 0x4141);
	assert_int_equal(words->first->next->i, 0x2A2A);
	/* That there is nothing is nobody's data. */
	assert_int_equal(words->first->next->next->i, 0);
	assert_int_equal(words->first->next->next->next->i, 0x2A2A);
	assert_non_null(value_get(f->result, "masked"));
	assert_int_equal(audit(f), 0);
	/* Another unit's are its own. */
	assert_true(call(f, "bus_read", "{\"line\":\"line1\",\"unit\":2,\"function\":3,\"address\":40,\"count\":1}"));
	answer(BUS_OK, 0, (uint16_t[]){0x4141}, 1);
	assert_int_equal(value_get(f->result, "words")->first->i, 0x4141);
	assert_null(value_get(f->result, "masked"));
	assert_true(call(f, "bus_read",
			 "{\"line\":\"line1\",\"unit\":1,\"function\":3,\"address\":40,\"count\":1,\"raw\":true}"));
	answer(BUS_OK, 0, (uint16_t[]){0x4242}, 1);
	assert_int_equal(value_get(f->result, "words")->first->i, 0x4242);
	assert_int_equal(audit(f), 1);
	/* What was there before a write is in the audit for ever. */
	assert_true(
	    call(f, "bus_write", "{\"line\":\"line1\",\"unit\":1,\"function\":6,\"address\":41,\"values\":\"7\"}"));
	answer(BUS_OK, 0, (uint16_t[]){0x4343}, 1);
	answer(BUS_OK, 0, NULL, 0);
	answer(BUS_OK, 0, (uint16_t[]){7}, 1);
	assert_int_equal(value_get(f->result, "before")->first->i, 0x2A2A);
}

static void what_the_profile_denies(void **state)
{
	struct fixture *f = *state;

	assert_false(call(f, "bus_read", "{\"line\":\"line1\",\"unit\":1,\"function\":3,\"address\":899,\"count\":2}"));
	assert_int_equal(f->code, FC_EAUTH);
	assert_string_equal(f->error, "profile maker denies registers 900 to 909 of charger c1");
	assert_false(
	    call(f, "bus_write", "{\"line\":\"line1\",\"unit\":1,\"function\":6,\"address\":109,\"values\":\"1\"}"));
	assert_int_equal(f->code, FC_EAUTH);
	assert_false(
	    call(f, "bus_write", "{\"line\":\"line1\",\"unit\":1,\"function\":6,\"address\":900,\"values\":\"1\"}"));
	assert_int_equal(f->code, FC_EAUTH);
	assert_int_equal(world.asks, 0);
	/* What was tried is known. */
	assert_int_equal(audit(f), 2);
	assert_non_null(strstr(newest.result, "denies registers 900"));
	/* Beside it, of another unit, by force. */
	assert_true(call(f, "bus_read", "{\"line\":\"line1\",\"unit\":1,\"function\":3,\"address\":898,\"count\":2}"));
	answer(BUS_TIMEOUT, 0, NULL, 0);
	assert_true(call(f, "bus_read", "{\"line\":\"line1\",\"unit\":2,\"function\":3,\"address\":900}"));
	answer(BUS_TIMEOUT, 0, NULL, 0);
	assert_true(
	    call(f, "bus_write",
		 "{\"line\":\"line1\",\"unit\":1,\"function\":6,\"address\":109,\"values\":\"1\",\"force\":true}"));
	answer(BUS_OK, 0, (uint16_t[]){0}, 1);
	answer(BUS_OK, 0, NULL, 0);
	answer(BUS_OK, 0, (uint16_t[]){1}, 1);
	assert_int_equal(f->code, FC_OK);
	/* What must not be read is not looked at before it is written. */
	world.asks = 0;
	assert_true(
	    call(f, "bus_write",
		 "{\"line\":\"line1\",\"unit\":1,\"function\":6,\"address\":900,\"values\":\"1\",\"force\":true}"));
	assert_true(world.is_write);
	answer(BUS_OK, 0, NULL, 0);
	assert_int_equal(world.asks, 1);
	assert_int_equal(f->code, FC_OK);
	assert_null(value_get(f->result, "before"));
}

static void a_write_is_looked_at_and_kept(void **state)
{
	struct fixture *f = *state;

	assert_true(call(f, "bus_write",
			 "{\"line\":\"line1\",\"unit\":1,\"function\":16,\"address\":200,\"values\":\"16,-1,0x20\"}"));
	assert_false(world.is_write);
	assert_int_equal(world.read.function, 3);
	assert_int_equal(world.read.address, 200);
	assert_int_equal(world.read.count, 3);
	assert_int_equal(audit(f), 0);
	answer(BUS_OK, 0, (uint16_t[]){1, 2, 3}, 3);
	/* Its row is there before it is on the line. */
	assert_true(world.is_write);
	assert_int_equal(audit(f), 1);
	assert_string_equal(newest.command, "bus_write");
	assert_string_equal(newest.who, "test");
	assert_string_equal(newest.before, "0x0001 0x0002 0x0003");
	assert_string_equal(newest.result, "");
	assert_int_equal(world.write.function, 16);
	assert_int_equal(world.write.count, 3);
	assert_memory_equal(world.write.words, ((uint16_t[]){16, 0xFFFF, 0x20}), 6);
	answer(BUS_OK, 0, NULL, 0);
	assert_false(world.is_write);
	answer(BUS_OK, 0, (uint16_t[]){16, 0xFFFF, 0x20}, 3);
	assert_int_equal(f->code, FC_OK);
	assert_string_equal(text(f->result, "status"), "ok");
	assert_int_equal(value_get(f->result, "after")->count, 3);
	assert_int_equal(value_get(f->result, "before")->count, 3);
	assert_int_equal(audit(f), 1);
	assert_string_equal(newest.after, "0x0010 0xFFFF 0x0020");
	assert_string_equal(newest.result, "done");
	assert_non_null(strstr(newest.arguments, "\"values\":\"16,-1,0x20\""));
}

/* An answer that did not come says nothing of what arrived: the look after it does. */
static void a_write_that_fails(void **state)
{
	struct fixture *f = *state;

	assert_true(
	    call(f, "bus_write", "{\"line\":\"line1\",\"unit\":1,\"function\":5,\"address\":3,\"values\":\"1\"}"));
	assert_int_equal(world.read.function, 1);
	answer(BUS_EXCEPTION, 2, NULL, 0);
	answer(BUS_TIMEOUT, 0, NULL, 0);
	answer(BUS_OK, 0, (uint16_t[]){1}, 1);
	assert_int_equal(f->code, FC_OK);
	assert_string_equal(text(f->result, "status"), "no answer");
	assert_null(value_get(f->result, "before"));
	assert_int_equal(audit(f), 1);
	assert_string_equal(newest.before, "");
	assert_string_equal(newest.after, "0x0001");
	assert_string_equal(newest.result, "no answer");
	/* The line is full after the look. */
	assert_true(
	    call(f, "bus_write", "{\"line\":\"line1\",\"unit\":1,\"function\":6,\"address\":3,\"values\":\"1\"}"));
	world.line_is_full = 1;
	answer(BUS_OK, 0, (uint16_t[]){7}, 1);
	assert_int_equal(f->code, FC_EBUSY);
	assert_int_equal(audit(f), 2);
	assert_string_equal(newest.before, "0x0007");
	assert_string_equal(newest.result, "the line takes no more requests now");
}

/* No write without its row. */
static void a_write_that_cannot_be_kept(void **state)
{
	struct fixture *f = *state;
	sqlite3 *other;
	char path[96];

	assert_true(
	    call(f, "bus_write", "{\"line\":\"line1\",\"unit\":1,\"function\":6,\"address\":3,\"values\":\"1\"}"));
	(void)snprintf(path, sizeof(path), "%s/forecourt.db", f->folder);
	assert_int_equal(sqlite3_open(path, &other), SQLITE_OK);
	assert_int_equal(sqlite3_exec(other, "DROP TABLE audit", NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_close(other), SQLITE_OK);
	answer(BUS_OK, 0, (uint16_t[]){7}, 1);
	assert_int_equal(f->code, FC_EIO);
	assert_string_equal(f->error, "the audit can't be written");
	assert_int_equal(world.asks, 1);
}

static void what_is_no_request(void **state)
{
	static const char *const bad[][2] = {
	    {"bus_read", "{\"line\":\"line1\",\"unit\":1,\"function\":5,\"address\":0}"},
	    {"bus_read", "{\"line\":\"line1\",\"unit\":1,\"function\":3,\"address\":0,\"count\":126}"},
	    {"bus_read", "{\"line\":\"line1\",\"unit\":256,\"function\":3,\"address\":0}"},
	    {"bus_read", "{\"line\":\"line1\",\"unit\":1,\"function\":3,\"address\":65536}"},
	    {"bus_write", "{\"line\":\"line1\",\"unit\":1,\"function\":7,\"address\":0,\"values\":\"1\"}"},
	    {"bus_write", "{\"line\":\"line1\",\"unit\":1,\"function\":6,\"address\":0,\"values\":\"1,2\"}"},
	    {"bus_write", "{\"line\":\"line1\",\"unit\":1,\"function\":16,\"address\":0,\"values\":\"\"}"},
	    {"bus_write", "{\"line\":\"line1\",\"unit\":1,\"function\":16,\"address\":0,\"values\":\"1,\"}"},
	    {"bus_write", "{\"line\":\"line1\",\"unit\":1,\"function\":16,\"address\":0,\"values\":\"1 2\"}"},
	    {"bus_write", "{\"line\":\"line1\",\"unit\":1,\"function\":16,\"address\":0,\"values\":\"65536\"}"},
	    {"bus_write", "{\"line\":\"line1\",\"unit\":1,\"function\":16,\"address\":0,\"values\":\"-32769\"}"},
	    {"bus_write", "{\"line\":\"line1\",\"unit\":1,\"function\":16,\"address\":0,\"values\":\"1,2,3,4,5,6,7,8,9,"
			  "10,11,12,13,14,15,16,17\"}"},
	    {"bus_trace", "{\"after\":\"x\"}"},
	    {"bus_trace", "{\"after\":\"-1\"}"},
	    {"bus_trace", "{\"after\":\"99999999999999999999\"}"},
	    {"bus_trace", "{\"limit\":201}"},
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_false(call(f, bad[i][0], bad[i][1]));
		if (f->code != FC_EINVAL)
			fail_msg("%s %s: %d %s", bad[i][0], bad[i][1], f->code, f->error);
	}
	assert_false(call(f, "bus_read", "{\"line\":\"line9\",\"unit\":1,\"function\":3,\"address\":0}"));
	assert_int_equal(f->code, FC_ENOENT);
	assert_false(call(f, "bus_stats", "{\"line\":\"line9\"}"));
	assert_int_equal(f->code, FC_ENOENT);
	assert_int_equal(world.asks, 0);
}

/* A unit that is known is asked what is read of it anyway, another what its neighbour is asked. */
static void a_probe(void **state)
{
	static struct plan_block block = {.unit = 1, .function = 4, .address = 300};
	struct fixture *f = *state;

	charger.plan.blocks = &block;
	charger.plan.count = 1;
	assert_true(call(f, "bus_probe", "{\"line\":\"line1\",\"unit\":1,\"timeout_ms\":200}"));
	assert_int_equal(world.read.function, 4);
	assert_int_equal(world.read.address, 300);
	assert_int_equal(world.read.count, 1);
	assert_int_equal(world.read.timeout_ms, 200);
	answer(BUS_EXCEPTION, 2, NULL, 0);
	assert_true(value_get(f->result, "answered")->i);
	assert_true(call(f, "bus_probe", "{\"line\":\"line1\",\"unit\":9}"));
	assert_int_equal(world.read.address, 300);
	assert_int_equal(world.read.unit, 9);
	/* That is a gateway's voice, not the unit's. */
	answer(BUS_EXCEPTION, 11, NULL, 0);
	assert_false(value_get(f->result, "answered")->i);
	assert_true(call(f, "bus_probe", "{\"line\":\"line1\",\"unit\":9,\"function\":3,\"address\":5}"));
	assert_int_equal(world.read.function, 3);
	assert_int_equal(world.read.address, 5);
	answer(BUS_TIMEOUT, 0, NULL, 0);
	assert_int_equal(audit(f), 0);
}

/* The room ends while something is on the line (tear_down answers it). */
static void nobody_waits_any_more(void **state)
{
	struct fixture *f = *state;

	assert_true(
	    call(f, "bus_write", "{\"line\":\"line1\",\"unit\":1,\"function\":6,\"address\":3,\"values\":\"1\"}"));
	answer(BUS_OK, 0, (uint16_t[]){7}, 1);
	assert_true(world.is_write);
}

/* Trace ------------------------------------------------------------------------------------------------------------------ */

static void put_frames(int count)
{
	static const uint8_t request[] = {0, 1, 0, 0, 0, 6, 1, 3, 0, 40, 0, 2};
	static const uint8_t reply[] = {0, 1, 0, 0, 0, 7, 1, 3, 4, '1', '2', '3', '4'};

	for (int i = 0; i < count; i++)
		if (i % 2)
			trace_put(world.trace, 5, TRACE_TCP, 0, 0, reply, sizeof(reply));
		else
			trace_put(world.trace, 5, TRACE_TCP, TRACE_SENT, 0, request, sizeof(request));
}

static void frames_in_pages(void **state)
{
	struct fixture *f = *state;
	char arguments[60];

	put_frames(7);
	trace_put(world.trace, 6, TRACE_CAN, 0, 0x9826F456u, (const uint8_t *)"\1\1", 2);
	assert_false(call(f, "bus_trace", "{\"limit\":3}"));
	assert_int_equal(f->code, FC_OK);
	const struct value *frames = value_get(f->result, "frames");
	assert_int_equal(frames->count, 3);
	assert_string_equal(text(frames->first, "data"), "000100000006010300280002");
	assert_string_equal(text(frames->first, "line"), "line1");
	assert_string_equal(text(frames->first, "kind"), "tcp");
	assert_string_equal(value_text(value_get(frames->first, "flags")->first), "sent");
	assert_string_equal(text(f->result, "next"), "3");
	assert_true(value_get(f->result, "more")->i);
	assert_false(call(f, "bus_trace", "{\"after\":\"3\"}"));
	frames = value_get(f->result, "frames");
	assert_int_equal(frames->count, 5);
	assert_int_equal(number(frames->first, "number"), 4);
	assert_int_equal(number(frames->last, "id"), 0x9826F456u);
	assert_false(value_get(f->result, "more")->i);
	assert_false(call(f, "bus_trace", "{\"after\":\"8\"}"));
	assert_int_equal(value_get(f->result, "frames")->count, 0);
	assert_string_equal(text(f->result, "next"), "8");
	/* From now on; of one unit; of one line. */
	assert_false(call(f, "bus_trace", "{\"newest\":true}"));
	assert_int_equal(value_get(f->result, "frames")->count, 0);
	assert_string_equal(text(f->result, "next"), "8");
	assert_false(call(f, "bus_trace", "{\"unit\":2}"));
	assert_int_equal(value_get(f->result, "frames")->count, 0);
	assert_string_equal(text(f->result, "next"), "8");
	assert_false(call(f, "bus_trace", "{\"line\":\"line1\"}"));
	assert_int_equal(value_get(f->result, "frames")->count, 7);
	/* Who falls behind hears how far: 16 kB hold less than that. */
	put_frames(2000);
	assert_false(call(f, "bus_trace", "{\"after\":\"8\",\"limit\":1}"));
	int64_t first = number(value_get(f->result, "frames")->first, "number");
	assert_true(first > 1000);
	assert_int_equal(number(f->result, "lost"), first - 9);
	/* Of a daemon before this one. */
	(void)snprintf(arguments, sizeof(arguments), "{\"after\":\"%d\",\"limit\":1}", 100000);
	assert_false(call(f, "bus_trace", arguments));
	assert_int_equal(number(value_get(f->result, "frames")->first, "number"), first);
}

static void what_leaves_is_masked(void **state)
{
	struct fixture *f = *state;
	char after[64];

	put_frames(4);
	assert_false(call(f, "bus_trace", NULL));
	assert_null(strstr(f->text.data, "31323334"));
	assert_non_null(strstr(f->text.data, "\"masked\":true"));
	assert_int_equal(audit(f), 0);
	/* The request that says what an answer is may be on the page before. */
	assert_false(call(f, "bus_trace", "{\"after\":\"3\"}"));
	assert_null(strstr(f->text.data, "31323334"));
	assert_non_null(strstr(f->text.data, "58585858"));
	/* And what is nobody's is as it was. */
	static const uint8_t request[] = {0, 2, 0, 0, 0, 6, 1, 3, 0, 0, 0, 2};
	static const uint8_t reply[] = {0, 2, 0, 0, 0, 7, 1, 3, 4, 0xAB, 0xCD, 0xEF, 0x01};
	trace_put(world.trace, 5, TRACE_TCP, TRACE_SENT, 0, request, sizeof(request));
	trace_put(world.trace, 5, TRACE_TCP, 0, 0, reply, sizeof(reply));
	assert_false(call(f, "bus_trace", "{\"after\":\"5\"}"));
	assert_non_null(strstr(f->text.data, "ABCDEF01"));
	assert_null(strstr(f->text.data, "masked"));
	/* Of a line that was closed since nobody knows what is personal. */
	trace_put(world.trace, 4, TRACE_TCP, TRACE_SENT, 0, request, sizeof(request));
	trace_put(world.trace, 4, TRACE_TCP, 0, 0, reply, sizeof(reply));
	trace_put(world.trace, 5, TRACE_TCP, TRACE_SENT, 0, request, sizeof(request));
	trace_put(world.trace, 5, TRACE_TCP, 0, 0, reply, sizeof(reply));
	uint64_t newest_number = trace_newest(world.trace);
	(void)snprintf(after, sizeof(after), "{\"after\":\"%llu\",\"limit\":2}", (unsigned long long)newest_number - 4);
	assert_false(call(f, "bus_trace", after));
	assert_null(strstr(f->text.data, "ABCDEF01"));
	assert_non_null(strstr(f->text.data, "58585858"));
	(void)snprintf(after, sizeof(after), "{\"after\":\"%llu\"}", (unsigned long long)newest_number - 2);
	assert_false(call(f, "bus_trace", after));
	assert_non_null(strstr(f->text.data, "ABCDEF01"));
	/* Raw, on purpose, and known to have been looked at: once. */
	assert_false(call(f, "bus_trace", "{\"raw\":true}"));
	assert_non_null(strstr(f->text.data, "31323334"));
	(void)snprintf(after, sizeof(after), "{\"raw\":true,\"after\":\"%s\"}", text(f->result, "next"));
	assert_false(call(f, "bus_trace", after));
	assert_int_equal(audit(f), 1);
	put_frames(2);
	assert_false(call(f, "bus_trace", after));
	assert_non_null(strstr(f->text.data, "31323334"));
	assert_int_equal(audit(f), 1);
	/* A number of one's own choice is no next page. */
	assert_false(call(f, "bus_trace", "{\"raw\":true,\"after\":\"0\"}"));
	assert_non_null(strstr(f->text.data, "31323334"));
	assert_int_equal(audit(f), 2);
	assert_false(call(f, "bus_trace", "{\"raw\":true,\"after\":\"3\"}"));
	assert_int_equal(audit(f), 3);
	assert_string_equal(newest.command, "bus_trace");
}

static void the_largest_page_fits(void **state)
{
	struct fixture *f = *state;
	uint8_t large[TRACE_BYTES_MAX];

	memset(large, 0xA5, sizeof(large));
	assert_int_equal(trace_resize(world.trace, 1024), FC_OK);
	for (int i = 0; i < 1000; i++)
		trace_put(world.trace, 5, TRACE_ASCII, 0, 0, large, sizeof(large));
	assert_false(call(f, "bus_trace", "{\"limit\":200}"));
	assert_int_equal(f->code, FC_OK);
	assert_int_equal(value_get(f->result, "frames")->count, 200);
	assert_int_equal(trace_resize(world.trace, 0), FC_OK);
	assert_false(call(f, "bus_trace", NULL));
	assert_true(value_get(f->result, "off")->i);
}

#define T(test) cmocka_unit_test_setup_teardown(test, set_up_line, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    T(a_read),
	    T(what_is_somebodys),
	    T(what_the_profile_denies),
	    T(a_write_is_looked_at_and_kept),
	    T(a_write_that_fails),
	    T(a_write_that_cannot_be_kept),
	    T(what_is_no_request),
	    T(a_probe),
	    T(nobody_waits_any_more),
	    T(frames_in_pages),
	    T(what_leaves_is_masked),
	    T(the_largest_page_fits),
	};

	/* The store is looked into from beside. */
	if (setenv("FORECOURT_SHARED_STORE", "1", 1))
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
