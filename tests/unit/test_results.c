/* What came of a platform's starts and stops, on its way to it: in which order, how often, how long, and without memory. Peer and charge
 * room are replaced, the clock goes when the test says so, and memory can be taken away. */
#include "upstream/results.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <dlfcn.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "standing_clock.h"

enum { SENT_MAX = 256, CHARGES = 3 * RESULTS_SPARE };

struct sent {
	char method[64], seq[JOURNAL_SEQ];
	int64_t stat;
	peer_done done;
	void *user;
};

static struct {
	int no_memory;
	int ready, wakes;
	uint64_t logged;          /* lines of before the test */
	int peer_says, find_says; /* FC_OK, or what they refuse with */
	struct sent sent[SENT_MAX];
	int count;
} world;

void *calloc(size_t count, size_t size)
{
	typedef void *(*real)(size_t, size_t);
	static real get;

	if (world.no_memory)
		return NULL;
	if (!get) {
		void *of = dlsym(RTLD_NEXT, "calloc");

		memcpy(&get, &of, sizeof(get));
	}
	return get(count, size);
}

int charge_find(struct charge_set *set, const char *seq,
		void (*fn)(void *user, const struct order *order, enum session_state state,
			   const struct connector *connector),
		void *user)
{
	static struct order order;

	(void)set;
	if (world.find_says)
		return world.find_says;
	(void)snprintf(order.seq, sizeof(order.seq), "%s", seq);
	fn(user, &order, SESSION_CHARGING, NULL);
	return FC_OK;
}

int peer_ready(const struct peer *peer)
{
	(void)peer;
	return world.ready;
}

int64_t peer_pause_ms(struct peer *peer, int64_t pause_ms)
{
	(void)peer;
	return pause_ms;
}

const struct peer_told *peer_told(const struct peer *peer)
{
	static const struct peer_told told = {.text = ""};

	(void)peer;
	return &told;
}

int peer_call(struct peer *peer, const struct message *message, struct value *request, struct arena *arena,
	      peer_done done, void *user, struct error *err)
{
	struct sent *s = &world.sent[world.count];

	(void)peer, (void)arena;
	if (world.peer_says)
		return error_set(err, world.peer_says, "it is said");
	assert_true(world.count < SENT_MAX);
	world.count++;
	*s = (struct sent){.done = done, .user = user};
	(void)snprintf(s->method, sizeof(s->method), "%s", message->method);
	(void)snprintf(s->seq, sizeof(s->seq), "%s", value_text(value_get(request, "StartChargeSeq")));
	assert_int_equal(value_to_int(value_get(request, "StartChargeSeqStat"), &s->stat), FC_OK);
	return FC_OK;
}

static void woken(void *user)
{
	(void)user;
	world.wakes++;
}

static struct config_platform options = {.name = "city", .iserv = 1};
static struct platform platform = {.options = &options};

static int set_up(void **state)
{
	memset(&world, 0, sizeof(world));
	clock_ahead_ms = 0;
	world.ready = 1;
	assert_int_equal(log_keep(4096), FC_OK);
	world.logged = log_newest();
	*state = results_new(&platform, NULL, woken, NULL);
	assert_non_null(*state);
	return 0;
}

static int tear_down(void **state)
{
	results_free(*state);
	assert_int_equal(log_keep(0), FC_OK);
	return 0;
}

static const char *seq_of(int i)
{
	static char seq[JOURNAL_SEQ];

	(void)snprintf(seq, sizeof(seq), "MA0000001%018d", i);
	return seq;
}

static void happens(struct results *t, enum charge_event_kind kind, int i)
{
	static struct order order;
	const struct charge_event event = {.kind = kind, .order = &order};

	(void)snprintf(order.seq, sizeof(order.seq), "%s", seq_of(i));
	results_event(t, &event);
}

static void answer(int i, enum peer_outcome outcome)
{
	world.sent[i].done(world.sent[i].user, outcome, NULL);
}

/* Puts the clock forward to when the pump asked to be called again; how long that was. */
static int64_t wait_for_it(struct results *t)
{
	const int64_t now = clock_mono_ms(), wait = results_pump(t, now) - now;

	clock_ahead_ms += wait;
	return wait;
}

static void pump(struct results *t)
{
	(void)results_pump(t, clock_mono_ms());
}

static void each_is_told_at_once_and_in_order(void **state)
{
	static const struct {
		enum charge_event_kind kind;
		const char *method;
		int64_t stat;
	} cases[] = {
	    {CHARGE_STARTED, "notification_start_charge_result", 2},
	    {CHARGE_NOT_STARTED, "notification_start_charge_result", 4},
	    {CHARGE_STOPPED, "notification_stop_charge_result", 4},
	    {CHARGE_NOT_STOPPED, "notification_stop_charge_result", 2},
	};
	struct results *t = *state;

	for (int i = 0; i < 4; i++)
		happens(t, cases[i].kind, i);
	assert_int_equal(world.wakes, 4);
	world.ready = 0;
	pump(t);
	assert_int_equal(world.count, 0);
	assert_int_equal(results_waiting(t), 4);
	world.ready = 1;
	pump(t);
	assert_int_equal(world.count, 4);
	for (int i = 0; i < 4; i++) {
		assert_string_equal(world.sent[i].method, cases[i].method);
		assert_string_equal(world.sent[i].seq, seq_of(i));
		assert_int_equal(world.sent[i].stat, cases[i].stat);
	}
	/* Under way: not once more. A platform that refuses it will do so again. */
	pump(t);
	assert_int_equal(world.count, 4);
	for (int i = 0; i < 4; i++)
		answer(i, i % 2 ? PEER_DONE : PEER_REFUSED);
	assert_int_equal(results_waiting(t), 0);
	assert_int_equal(world.wakes, 8);
	clock_ahead_ms += 3600000;
	pump(t);
	assert_int_equal(world.count, 4);
}

static void a_platform_that_is_away_is_tried_for_ten_minutes(void **state)
{
	static const int64_t pauses_s[] = {1, 2, 4, 8, 16, 32, 60, 60, 60, 60, 60, 60, 60, 60, 60, 60};
	struct results *t = *state;
	int64_t total = 0;

	happens(t, CHARGE_STARTED, 1);
	for (int i = 0; results_waiting(t); i++) {
		pump(t);
		assert_int_equal(world.count, i + 1);
		answer(i, PEER_UNREACHED);
		if (!results_waiting(t))
			break;
		const int64_t wait = wait_for_it(t);

		assert_int_equal(wait, pauses_s[i] * 1000);
		total += wait;
	}
	assert_int_equal(total, 603000);
	assert_int_equal(log_newest() - world.logged, 1);
}

/* It did not reach the platform, which is not away: a minute later would be too late for whoever stands there and waits. */
static void what_could_not_be_made_goes_a_second_later(void **state)
{
	struct results *t = *state;

	happens(t, CHARGE_STARTED, 1);
	for (int i = 0; i < 20; i++) {
		world.peer_says = i % 2 ? FC_ENOMEM : FC_EBUSY;
		world.find_says = i % 3 ? FC_OK : FC_ENOMEM;
		assert_int_equal(wait_for_it(t), 1000);
	}
	world.peer_says = world.find_says = FC_OK;
	pump(t);
	assert_int_equal(world.count, 1);
	/* One whose order can't be found, or is none for the schema, is not asked for each second. */
	happens(t, CHARGE_STOPPED, 2);
	world.find_says = FC_ENOENT;
	assert_int_equal(wait_for_it(t), 1000);
	world.find_says = FC_OK;
	world.peer_says = FC_EINVAL;
	assert_int_equal(wait_for_it(t), 2000);
	assert_int_equal(wait_for_it(t), 4000);
}

/* Memory that comes and goes while the platform is away: those that were begun without any are as many as are held ahead, each time. */
static void none_is_lost_in_a_moment_without_memory(void **state)
{
	struct results *t = *state;
	int seen[CHARGES] = {0};

	world.ready = 0;
	for (int i = 0; i < CHARGES; i++) {
		if (i % RESULTS_SPARE == 0) {
			world.no_memory = 0;
			pump(t);
		}
		world.no_memory = 1;
		happens(t, CHARGE_STARTED, i);
	}
	assert_int_equal(results_waiting(t), CHARGES);
	assert_int_equal(log_newest() - world.logged, 0);
	/* One more than that is lost, and said. */
	happens(t, CHARGE_STARTED, CHARGES);
	assert_int_equal(results_waiting(t), CHARGES);
	assert_int_equal(log_newest() - world.logged, 1);
	world.no_memory = 0;
	world.ready = 1;
	pump(t);
	assert_int_equal(world.count, CHARGES);
	for (int i = 0; i < CHARGES; i++) {
		seen[atoi(world.sent[i].seq + 9)]++;
		answer(i, PEER_DONE);
	}
	for (int i = 0; i < CHARGES; i++)
		assert_int_equal(seen[i], 1);
	pump(t);
	assert_int_equal(results_waiting(t), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(each_is_told_at_once_and_in_order, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(a_platform_that_is_away_is_tried_for_ten_minutes, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(what_could_not_be_made_goes_a_second_later, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(none_is_lost_in_a_moment_without_memory, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
