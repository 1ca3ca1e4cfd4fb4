/* admin/live: what each viewer is told, when it is slow, comes late, watches, or may not look any more. The loop, the sockets and the
 * overview are this file's: time passes when a test says so. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "admin/live.h"
#include "admin/live_hold.h"
#include "base/json.h"
#include "base/json_read.h"
#include "control/overview.h"

enum { SOCKETS = 30, HEARD = 4096 };

/* The world ---------------------------------------------------------------------------------------------------------- */

struct websocket_message {
	struct buffer text;
	int holders;
};

struct websocket {
	void *guest;
	int is_full, waits; /* it takes nothing; it has not taken the last yet */
	int queued;         /* since it was its turn: what is sent is not taken before the loop turns */
	int ends;
	char heard[HEARD]; /* everything, with a line's end behind each */
};

static struct world {
	struct live *live;
	struct json_reader *reader;
	const char *overview; /* as JSON, without time */
	int64_t time;
	const char *connector; /* what control_connector tells; NULL: nothing */
	int looks, connector_looks, lives, status, messages;
	struct loop_timer *timers[2]; /* set, as they came */
	int64_t delays[2];
	struct websocket sockets[SOCKETS];
	int count;
} w;

int loop_timer_set(struct loop *loop, struct loop_timer *timer, int64_t delay_us)
{
	(void)loop;
	int at = w.timers[0] && w.timers[0] != timer;

	assert_true(!w.timers[at] || w.timers[at] == timer);
	w.timers[at] = timer;
	w.delays[at] = delay_us;
	return FC_OK;
}

void loop_timer_cancel(struct loop *loop, struct loop_timer *timer)
{
	(void)loop;
	for (int i = 0; i < 2; i++)
		if (w.timers[i] == timer)
			w.timers[i] = NULL;
}

/* The loop turns: what was queued is taken. */
static void take_all(void)
{
	for (int i = 0; i < SOCKETS; i++)
		w.sockets[i].queued = 0;
}

/* The one that was set for a second, or for less. */
static int fire(int is_second)
{
	for (int i = 0; i < 2; i++) {
		struct loop_timer *timer = w.timers[i];

		if (!timer || (w.delays[i] >= 1000000) != is_second)
			continue;
		w.timers[i] = NULL;
		take_all();
		timer->fn(timer->user);
		return 1;
	}
	return 0;
}

static void second(void)
{
	w.time++;
	assert_true(fire(1));
	while (fire(0))
		;
}

struct websocket_message *websocket_message_new(struct buffer *text)
{
	struct websocket_message *m = calloc(1, sizeof(*m));

	assert_non_null(m);
	assert_false(text->failed);
	m->text = *text;
	m->holders = 1;
	w.messages++;
	return m;
}

void websocket_message_free(struct websocket_message *m)
{
	if (!m || --m->holders)
		return;
	buffer_fini(&m->text);
	free(m);
	w.messages--;
}

size_t websocket_message_len(const struct websocket_message *m)
{
	return m->text.len;
}

int websocket_send(struct websocket *s, struct websocket_message *m)
{
	if (s->is_full || s->ends)
		return FC_EBUSY;
	assert_true(strlen(s->heard) + m->text.len + 2 < HEARD);
	(void)strcat(strcat(s->heard, m->text.data), "\n");
	s->queued++;
	return FC_OK;
}

int websocket_waiting(const struct websocket *s)
{
	return s->is_full || s->waits || s->queued;
}

void websocket_end(struct websocket *s, enum websocket_close why)
{
	s->ends = (int)why;
}

static struct value *read_tree(const char *text, struct arena *arena)
{
	struct value *tree = NULL;

	assert_int_equal(json_read(w.reader, text, strlen(text), arena, &tree, NULL), FC_OK);
	return tree;
}

struct value *control_overview(struct control *control, struct arena *arena)
{
	(void)control;
	w.looks++;
	struct value *tree = read_tree(w.overview, arena);
	assert_int_equal(value_put(arena, tree, "time", value_int(arena, w.time)), FC_OK);
	return tree;
}

struct value *control_connector(struct control *control, const char *id, struct arena *arena)
{
	(void)control;
	w.connector_looks++;
	return w.connector && !strcmp(id, "K1") ? read_tree(w.connector, arena) : NULL;
}

static int may(void *user, const struct http_request *request, struct guard_who *who)
{
	(void)user;
	(void)request;
	(void)snprintf(who->name, sizeof(who->name), "viewer %d", w.count);
	return w.status;
}

static int lives(void *user, const struct guard_who *who)
{
	(void)user;
	return w.lives || strcmp(who->name, "viewer 0") != 0;
}

static struct websocket *join(void)
{
	struct websocket *s = &w.sockets[w.count];
	const struct websocket_service *service = live_service(w.live);

	assert_int_equal(service->accept(service->user, NULL, s, &s->guest), 0);
	w.count++;
	return s;
}

static void leave(struct websocket *s)
{
	live_service(w.live)->closed(s->guest);
}

static void say(struct websocket *s, const char *text)
{
	take_all();
	live_service(w.live)->message(s->guest, text, strlen(text));
}

/* What it heard since the last call. */
static void expect(struct websocket *s, const char *lines)
{
	assert_string_equal(s->heard, lines);
	s->heard[0] = '\0';
}

static int set_up(void **state)
{
	struct live_hooks hooks = {may, lives, NULL};

	(void)state;
	memset(&w, 0, sizeof(w));
	w.reader = json_reader_new(0);
	w.live = live_new(NULL, NULL, &hooks, NULL);
	assert_non_null(w.live);
	assert_non_null(w.reader);
	w.overview = "{\"a\":{\"x\":1,\"y\":2}}";
	w.time = 100;
	w.lives = 1;
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	live_free(w.live);
	json_reader_free(w.reader);
	return w.messages;
}

/* Tests -------------------------------------------------------------------------------------------------------------- */

static void test_everything_then_changes(void **state)
{
	(void)state;
	struct websocket *one = join();
	expect(one, "{\"seq\":1,\"all\":{\"a\":{\"x\":1,\"y\":2},\"time\":100}}\n");
	second();
	expect(one, ""); /* the clock alone is no change */
	w.overview = "{\"a\":{\"x\":1,\"y\":3}}";
	second();
	expect(one, "{\"seq\":2,\"patch\":{\"a\":{\"y\":3},\"time\":102}}\n");
	/* Who comes later has what the others have; nobody is asked again for it. */
	int looks = w.looks;
	struct websocket *two = join();
	expect(two, "{\"seq\":2,\"all\":{\"a\":{\"x\":1,\"y\":3},\"time\":102}}\n");
	assert_int_equal(w.looks, looks);
	w.overview = "{\"b\":7}";
	second();
	expect(one, "{\"seq\":3,\"patch\":{\"b\":7,\"a\":null,\"time\":103}}\n");
	expect(two, "{\"seq\":3,\"patch\":{\"b\":7,\"a\":null,\"time\":103}}\n");
	/* Nothing changes for long: a newcomer has the time of now all the same. */
	for (int i = 0; i < 50; i++)
		second();
	struct websocket *three = join();
	expect(three, "{\"seq\":3,\"all\":{\"b\":7,\"time\":153}}\n");
	leave(one);
	leave(two);
	leave(three);
}

static void test_nobody_looks_nothing_is_done(void **state)
{
	(void)state;
	assert_false(fire(1));
	struct websocket *one = join();
	second();
	leave(one);
	assert_false(fire(1));
	assert_int_equal(w.messages, 0);
	int looks = w.looks;
	one = join();
	assert_int_equal(w.looks, looks + 1);
	assert_non_null(strstr(one->heard, "\"all\""));
	leave(one);
}

/* A slow one is skipped, holds up nobody, and has the truth as soon as it takes something again. */
static void test_slow(void **state)
{
	struct live_figures figures;

	(void)state;
	struct websocket *slow = join(), *quick = join();
	slow->heard[0] = quick->heard[0] = '\0';
	slow->is_full = 1;
	w.overview = "{\"a\":{\"x\":2,\"y\":2}}";
	second();
	expect(quick, "{\"seq\":2,\"patch\":{\"a\":{\"x\":2},\"time\":101}}\n");
	w.overview = "{\"a\":{\"x\":3,\"y\":2}}";
	second();
	expect(quick, "{\"seq\":3,\"patch\":{\"a\":{\"x\":3},\"time\":102}}\n");
	expect(slow, "");
	/* What it was sent before has not gone yet: everything waits for that. */
	slow->is_full = 0;
	slow->waits = 1;
	second();
	expect(slow, "");
	slow->waits = 0;
	w.overview = "{\"a\":{\"x\":4,\"y\":2}}";
	second();
	expect(slow, "{\"seq\":4,\"all\":{\"a\":{\"x\":4,\"y\":2},\"time\":104}}\n");
	live_get_figures(w.live, &figures);
	assert_int_equal(figures.skipped, 1);
	assert_int_equal(figures.viewers, 2);
	w.overview = "{\"a\":{\"x\":5,\"y\":2}}";
	second();
	expect(slow, "{\"seq\":5,\"patch\":{\"a\":{\"x\":5},\"time\":105}}\n");
	leave(slow);
	leave(quick);
}

static void test_resync(void **state)
{
	(void)state;
	struct websocket *one = join();
	one->heard[0] = '\0';
	say(one, "{\"resync\":true}");
	second();
	expect(one, "{\"seq\":1,\"all\":{\"a\":{\"x\":1,\"y\":2},\"time\":101}}\n");
	leave(one);
}

/* A few at a time; who goes or comes meanwhile upsets nothing, and each hears each change once. */
static void test_in_slices(void **state)
{
	struct websocket *all[SOCKETS];
	const int many = 3 * LIVE_SLICE;
	int told = 0;

	(void)state;
	for (int i = 0; i < many; i++) {
		all[i] = join();
		all[i]->heard[0] = '\0';
	}
	w.overview = "{\"a\":{\"x\":9,\"y\":2}}";
	assert_true(fire(1));
	for (int i = 0; i < many; i++)
		told += *all[i]->heard != '\0';
	assert_int_equal(told, LIVE_SLICE);
	/* The next in turn is the one that came LIVE_SLICE before the last. */
	leave(all[many - 1 - LIVE_SLICE]);
	struct websocket *new = join();
	assert_non_null(strstr(new->heard, "\"seq\":2,\"all\""));
	new->heard[0] = '\0';
	say(all[0], "{\"resync\":true}");
	while (fire(0))
		;
	expect(new, "");
	expect(all[0], "{\"seq\":2,\"all\":{\"a\":{\"x\":9,\"y\":2},\"time\":100}}\n");
	for (int i = 1; i < many; i++)
		if (i != many - 1 - LIVE_SLICE)
			expect(all[i], "{\"seq\":2,\"patch\":{\"a\":{\"x\":9},\"time\":100}}\n");
	/* The second comes before the round is over: all the same. */
	w.overview = "{\"a\":{\"x\":10,\"y\":2}}";
	assert_true(fire(1));
	w.overview = "{\"a\":{\"x\":11,\"y\":2}}";
	assert_true(fire(1));
	while (fire(0))
		;
	expect(all[0], "{\"seq\":3,\"patch\":{\"a\":{\"x\":10},\"time\":100}}\n"
		       "{\"seq\":4,\"patch\":{\"a\":{\"x\":11},\"time\":100}}\n");
	leave(new);
	for (int i = 0; i < many; i++)
		if (i != many - 1 - LIVE_SLICE)
			leave(all[i]);
}

static void test_watch(void **state)
{
	(void)state;
	struct websocket *one = join(), *two = join();
	one->heard[0] = two->heard[0] = '\0';
	w.connector = "{\"connector\":\"K1\",\"v\":1}";
	say(one, "{\"watch\":\"K1\"}");
	expect(one, "{\"connector\":{\"connector\":\"K1\",\"v\":1}}\n"); /* at once */
	say(two, "{\"watch\":\"K1\"}");
	expect(two, "{\"connector\":{\"connector\":\"K1\",\"v\":1}}\n");
	assert_int_equal(w.connector_looks, 1); /* once for both */
	second();
	expect(one, ""); /* it has not changed */
	w.connector = "{\"connector\":\"K1\",\"v\":2}";
	second();
	assert_int_equal(w.connector_looks, 3);
	expect(one, "{\"connector\":{\"connector\":\"K1\",\"v\":2}}\n");
	expect(two, "{\"connector\":{\"connector\":\"K1\",\"v\":2}}\n");
	/* The overview changes in the same second: both come, the change first. */
	w.connector = "{\"connector\":\"K1\",\"v\":2.5}";
	w.overview = "{\"a\":{\"x\":77,\"y\":2}}";
	second();
	assert_non_null(strstr(one->heard, "\"patch\":{\"a\":{\"x\":77}"));
	assert_non_null(strstr(strstr(one->heard, "\"patch\""), "\"v\":2.5"));
	one->heard[0] = two->heard[0] = '\0';
	/* One that had not taken it all gets the newest when it has, also when nothing more changes. */
	one->waits = 1;
	w.connector = "{\"connector\":\"K1\",\"v\":2.75}";
	second();
	expect(one, "");
	expect(two, "{\"connector\":{\"connector\":\"K1\",\"v\":2.75}}\n");
	one->waits = 0;
	second();
	expect(one, "{\"connector\":{\"connector\":\"K1\",\"v\":2.75}}\n");
	say(one, "{\"watch\":null}");
	say(two, "{\"watch\":\"there is no such connector of such a length\"}");
	w.connector = "{\"connector\":\"K1\",\"v\":3}";
	second();
	expect(one, "");
	expect(two, "");
	say(two, "{\"watch\":\"K2\"}");
	second();
	expect(two, "");
	/* One that is slow gets the newest when it takes something again. */
	say(two, "{\"watch\":\"K1\"}");
	expect(two, "{\"connector\":{\"connector\":\"K1\",\"v\":3}}\n");
	leave(one);
	leave(two);
}

static void test_what_is_said(void **state)
{
	static const char *const bad[] = {"", "x", "[]x", "[1]", "7", "\"watch\"", "{\"watch\":"};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct websocket *one = join();

		say(one, bad[i]);
		assert_int_equal(one->ends, WEBSOCKET_POLICY);
		leave(one);
	}
	struct websocket *one = join();
	say(one, "{\"else\":1}");
	say(one, "{\"watch\":7}");
	say(one, "{}");
	assert_int_equal(one->ends, 0);
	leave(one);
}

static void test_who_may(void **state)
{
	struct live_figures figures;
	const struct websocket_service *service = live_service(w.live);
	void *guest = NULL;

	(void)state;
	w.status = 401;
	assert_int_equal(service->accept(service->user, NULL, &w.sockets[0], &guest), 401);
	assert_false(fire(1));
	w.status = 0;
	struct websocket *one = join(), *two = join();
	live_check(w.live);
	assert_int_equal(one->ends + two->ends, 0);
	w.lives = 0;
	live_check(w.live);
	assert_int_equal(one->ends, WEBSOCKET_LOGGED_OUT);
	assert_int_equal(two->ends, 0);
	live_get_figures(w.live, &figures);
	assert_int_equal(figures.refused, 1);
	assert_int_equal(figures.ended, 1);
	leave(one);
	leave(two);
}

/* What always changes waits for its turn; what matters does not. */
static void test_held_back(void **state)
{
	static const char last_text[] =
	    "{\"connectors\":{\"K0\":{\"quality\":\"good\",\"read_at\":1,\"power_w\":1},"
	    "\"K1\":{\"quality\":\"good\",\"read_at\":1},\"K2\":{\"quality\":\"good\",\"read_at\":1}},"
	    "\"platforms\":{\"p\":{\"linked\":true,\"answered\":1,\"push_failed\":1}},"
	    "\"buses\":{\"b\":{\"up\":true,\"polls\":1,\"errors\":1,\"load\":1,\"latency_us\":1}}}";
	static const char next_text[] =
	    "{\"connectors\":{\"K0\":{\"quality\":\"good\",\"read_at\":2,\"power_w\":2},"
	    "\"K1\":{\"quality\":\"stale\",\"read_at\":2},\"K3\":{\"quality\":\"good\",\"read_at\":2},"
	    "\"K2\":{\"quality\":\"good\",\"read_at\":2}},"
	    "\"platforms\":{\"p\":{\"linked\":true,\"answered\":2,\"push_failed\":2}},"
	    "\"buses\":{\"b\":{\"up\":true,\"polls\":2,\"errors\":2,\"load\":2,\"latency_us\":2},\"c\":{\"polls\":2}}}";
	static const struct {
		uint64_t turn;
		const char *text;
	} cases[] = {
	    {1, "{\"connectors\":{\"K0\":{\"quality\":\"good\",\"read_at\":1,\"power_w\":2},"
		"\"K1\":{\"quality\":\"stale\",\"read_at\":2},\"K3\":{\"quality\":\"good\",\"read_at\":2},"
		"\"K2\":{\"quality\":\"good\",\"read_at\":1}},"
		"\"platforms\":{\"p\":{\"linked\":true,\"answered\":1,\"push_failed\":2}},"
		"\"buses\":{\"b\":{\"up\":true,\"polls\":1,\"errors\":1,\"load\":1,\"latency_us\":1},\"c\":{\"polls\":"
		"2}}}"},
	    {LIVE_AGE_S, "{\"connectors\":{\"K0\":{\"quality\":\"good\",\"read_at\":2,\"power_w\":2},"
			 "\"K1\":{\"quality\":\"stale\",\"read_at\":2},\"K3\":{\"quality\":\"good\",\"read_at\":2},"
			 "\"K2\":{\"quality\":\"good\",\"read_at\":1}},"
			 "\"platforms\":{\"p\":{\"linked\":true,\"answered\":2,\"push_failed\":2}},"
			 "\"buses\":{\"b\":{\"up\":true,\"polls\":2,\"errors\":2,\"load\":2,\"latency_us\":2},"
			 "\"c\":{\"polls\":2}}}"},
	};
	struct arena arena;

	(void)state;
	arena_init(&arena, 1 << 20);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct value *next = read_tree(next_text, &arena);

		live_hold(read_tree(last_text, &arena), next, cases[i].turn);
		assert_true(value_equal(next, read_tree(cases[i].text, &arena)));
	}
	arena_fini(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_everything_then_changes, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_nobody_looks_nothing_is_done, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_slow, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_resync, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_in_slices, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_watch, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_what_is_said, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_who_may, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_held_back, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
