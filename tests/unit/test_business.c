/* Orders on their way to one platform: which is told when, while the platform takes each, some, or none. Peer and charge room are replaced,
 * the clock goes when the test says so; the outbox is the store's. */
#include "upstream/business.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <string.h>

#include "base/clock.h"
#include "folder.h"
#include "standing_clock.h"
#include "store/journal.h"
#include "upstream/refused.h"
#include "upstream/states.h"

enum { ORDERS = 400, CALLS = 4000, HOUR = 3600 };

static struct {
	peer_done done; /* of the call under way */
	void *user;
	int number;    /* ... of which order */
	int no_memory; /* for a call */
	enum peer_outcome says[ORDERS];
	int calls[ORDERS];
	struct {
		int number;
		int64_t ms;
	} call[CALLS];
	int count;
} world;

struct fixture {
	char folder[64];
	struct store *store;
	struct business *business;
	int orders;
};

static struct config_platform options = {.name = "city", .iserv = 1};
static struct platform platform = {.options = &options};

int charge_find(struct charge_set *set, const char *seq,
		void (*fn)(void *user, const struct order *order, enum session_state state,
			   const struct connector *connector),
		void *user)
{
	static struct order order;

	(void)set;
	(void)snprintf(order.seq, sizeof(order.seq), "%s", seq);
	order.end_wall = clock_wall();
	fn(user, &order, SESSION_ENDED, NULL);
	return FC_OK;
}

int peer_ready(const struct peer *peer)
{
	(void)peer;
	return !world.done;
}

int64_t peer_pause_ms(struct peer *peer, int64_t pause_ms)
{
	(void)peer;
	return pause_ms;
}

const struct peer_told *peer_told(const struct peer *peer)
{
	static const struct peer_told told = {.text = "Ret 4004"};

	(void)peer;
	return &told;
}

int peer_call(struct peer *peer, const struct message *message, struct value *request, struct arena *arena,
	      peer_done done, void *user, struct error *err)
{
	(void)peer, (void)message, (void)arena;
	if (world.no_memory)
		return error_set(err, FC_ENOMEM, "no memory");
	world.done = done;
	world.user = user;
	world.number = atoi(value_text(value_get(request, "StartChargeSeq")) + 9);
	assert_true(world.number < ORDERS && world.count < CALLS);
	world.calls[world.number]++;
	world.call[world.count].number = world.number;
	world.call[world.count++].ms = clock_ahead_ms;
	return FC_OK;
}

int platform_sends_order(const struct platform *of, const char *method)
{
	(void)of, (void)method;
	return 1;
}

/* Of charges that run; here none does. */
struct states *states_new(struct platform *of, struct peer *peer)
{
	(void)of, (void)peer;
	return calloc(1, 1);
}

void states_free(struct states *states)
{
	free(states);
}

int64_t states_pump(struct states *states, int64_t now_ms)
{
	(void)states;
	return now_ms + 60000;
}

static void no_wake(void *user)
{
	(void)user;
}

static void begin(struct fixture *f)
{
	f->business = business_new(&platform, NULL, no_wake, NULL);
	assert_non_null(f->business);
}

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct error err = {0};

	assert_non_null(f);
	memset(&world, 0, sizeof(world));
	clock_ahead_ms = 0;
	folder_make(f->folder, sizeof(f->folder), "business");
	platform.store = f->store = store_open(f->folder, &err);
	assert_non_null(f->store);
	begin(f);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	business_free(f->business);
	store_close(f->store);
	folder_remove(f->folder);
	free(f);
	return 0;
}

static void add(struct fixture *f, int count)
{
	static const struct journal_recipient city[] = {{"city", "notification_charge_order_info"}};
	struct error err = {0};

	for (int i = 0; i < count; i++) {
		struct journal_order o = {.connector_id = "K1", .platform = "city", .end_wall = 2000, .record = "{}"};

		(void)snprintf(o.seq, sizeof(o.seq), "123456789%018d", f->orders++);
		assert_int_equal(journal_open(f->store, &o, &err), FC_OK);
		assert_int_equal(journal_close(f->store, &o, city, 1, &err), FC_OK);
	}
	business_order(f->business);
}

static void refuse(int first, int count)
{
	for (int i = 0; i < count; i++)
		world.says[first + i] = PEER_REFUSED;
}

/* So long; each answer comes at once. */
static void go(struct fixture *f, int seconds)
{
	int64_t end_ms = clock_ahead_ms + (int64_t)seconds * 1000;

	while (clock_ahead_ms < end_ms) {
		int64_t wait_ms = business_pump(f->business, clock_mono_ms());

		if (!world.done) {
			clock_ahead_ms += wait_ms;
			continue;
		}
		peer_done done = world.done;
		world.done = NULL;
		done(world.user, world.says[world.number], NULL);
	}
}

static void each_is_told_once_and_in_order(void **state)
{
	struct fixture *f = *state;

	add(f, 5);
	go(f, HOUR);
	assert_int_equal(world.count, 5);
	for (int i = 0; i < 5; i++)
		assert_int_equal(world.call[i].number, i);
	assert_int_equal(world.call[4].ms, 0);
	assert_int_equal(outbox_waiting(f->store, "city"), 0);
}

static void one_that_is_refused_holds_up_no_other(void **state)
{
	static const int64_t spacing_s[] = {0, 60, 60, 60, 60, 300, 1800, 3600, 3600, 3600};
	struct fixture *f = *state;
	int64_t at_ms = 0;
	int n = 0;

	refuse(0, 1);
	add(f, 5);
	go(f, 1);
	for (int i = 0; i < 5; i++)
		assert_int_equal(world.calls[i], 1);
	/* Some time later it waits for an hour: what ends then does not. */
	go(f, 2 * HOUR);
	add(f, 1);
	int64_t now_ms = clock_ahead_ms;
	go(f, 1);
	assert_int_equal(world.calls[5], 1);
	assert_int_equal(world.call[world.count - 1].ms, now_ms);
	go(f, 2 * HOUR);
	/* Its own time, all along: to the second, as pumps come late by a tenth of one. */
	for (int i = 0; i < world.count; i++) {
		if (world.call[i].number)
			continue;
		at_ms += spacing_s[n++] * 1000;
		assert_in_range(world.call[i].ms, at_ms, at_ms + 1000);
		at_ms = world.call[i].ms;
	}
	assert_int_equal(n, 10);
	assert_int_equal(outbox_waiting(f->store, "city"), 1);
	/* Someone mends it, and wants it sent. */
	world.says[0] = PEER_DONE;
	business_order_again(f->business);
	go(f, 1);
	assert_int_equal(outbox_waiting(f->store, "city"), 0);
	assert_int_equal(world.calls[0], 11);
	for (int i = 1; i < 6; i++)
		assert_int_equal(world.calls[i], 1);
}

/* Three among a hundred: the others are with the platform some seconds later. */
static void some_that_are_refused_hold_up_no_other(void **state)
{
	struct fixture *f = *state;

	refuse(0, 1);
	refuse(40, 2);
	add(f, 100);
	go(f, 10);
	assert_int_equal(outbox_waiting(f->store, "city"), 3);
	for (int i = 0; i < 100; i++)
		assert_int_equal(world.calls[i], 1);
}

/* That is no order's fault: it is not told of each in turn as fast as the line allows, nor is any forgotten. */
static void a_platform_that_takes_none_is_left_in_peace(void **state)
{
	struct fixture *f = *state;

	refuse(0, 300);
	add(f, 200);
	go(f, HOUR);
	print_message("200 orders, none taken: %d calls in the first hour\n", world.count);
	/* 1, 2, 4, 8, 16, 32 s, then once a minute, which is an order's own time at first. */
	assert_in_range(world.count, 60, 70);
	go(f, 23 * HOUR);
	print_message("... %d in a day\n", world.count);
	assert_in_range(world.count, 201, 1440);
	for (int i = 0; i < 200; i++)
		assert_true(world.calls[i] > 0);
	/* What ends now is told before those that were told before. */
	add(f, 1);
	go(f, REFUSED_PAUSE_MOST_MS / 1000 + 1);
	assert_int_equal(world.calls[200], 1);
	memset(world.says, 0, sizeof(world.says));
	int64_t now_ms = clock_ahead_ms;
	int before = world.count;
	go(f, REFUSED_PAUSE_MOST_MS / 1000 + 1);
	assert_int_equal(outbox_waiting(f->store, "city"), 0);
	assert_int_equal(world.count - before, 201);
	print_message("... then all in one go, %lld s after it was well\n",
		      (long long)(world.call[before].ms - now_ms) / 1000);
	assert_int_equal(world.call[world.count - 1].ms, world.call[before].ms);
}

/* More of them than it can remember: what was never told still has its turn. */
static void many_that_are_refused_hold_up_no_other(void **state)
{
	struct fixture *f = *state;
	int calls = 0;

	refuse(0, 2 * REFUSED_MOST);
	add(f, 2 * REFUSED_MOST);
	go(f, 3 * HOUR);
	for (int i = 0; i < 2 * REFUSED_MOST; i++)
		assert_true(world.calls[i] > 0);
	add(f, 1);
	go(f, REFUSED_PAUSE_MOST_MS / 1000 + 1);
	assert_int_equal(world.calls[2 * REFUSED_MOST], 1);
	assert_int_equal(outbox_waiting(f->store, "city"), 2 * REFUSED_MOST);
	/* Those without a place are told, too, when they are taken at last. */
	memset(world.says, 0, sizeof(world.says));
	for (int i = 0; i < 2 * REFUSED_MOST; i++)
		calls += world.calls[i];
	go(f, HOUR + 1);
	assert_int_equal(outbox_waiting(f->store, "city"), 0);
	for (int i = 0; i < 2 * REFUSED_MOST; i++)
		calls -= world.calls[i];
	assert_int_equal(-calls, 2 * REFUSED_MOST);
}

static void after_a_restart_each_is_tried_at_once(void **state)
{
	struct fixture *f = *state;

	refuse(0, 1);
	add(f, 2);
	go(f, 2 * HOUR);
	int tries = world.calls[0];
	business_free(f->business);
	begin(f);
	add(f, 1);
	int64_t now_ms = clock_ahead_ms;
	go(f, 1);
	assert_int_equal(world.calls[0], tries + 1);
	assert_int_equal(world.calls[1], 1);
	assert_int_equal(world.calls[2], 1);
	assert_int_equal(world.call[world.count - 1].ms, now_ms);
}

/* It is looked for with one of them only, and none of the rest goes before its turn. */
static void a_platform_that_is_away_gets_them_in_order(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 3; i++)
		world.says[i] = PEER_UNREACHED;
	add(f, 3);
	go(f, HOUR);
	assert_in_range(world.calls[0], 115, 121);
	assert_int_equal(world.calls[1] + world.calls[2], 0);
	memset(world.says, 0, sizeof(world.says));
	go(f, 31);
	for (int i = 0; i < 3; i++)
		assert_int_equal(world.call[world.count - 3 + i].number, i);
	assert_int_equal(outbox_waiting(f->store, "city"), 0);
}

/* Nobody has refused anything: it is told as soon as it can be, and counts for no try. */
static void without_memory_it_waits_for_that(void **state)
{
	struct fixture *f = *state;
	struct outbox_entry first;

	world.no_memory = 1;
	add(f, 3);
	go(f, 60);
	assert_int_equal(outbox_first(f->store, "city", NULL, NULL, &first), FC_OK);
	assert_int_equal(first.attempts, 0);
	world.no_memory = 0;
	go(f, 5);
	for (int i = 0; i < 3; i++)
		assert_int_equal(world.call[i].number, i);
	assert_int_equal(outbox_waiting(f->store, "city"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(each_is_told_once_and_in_order, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(one_that_is_refused_holds_up_no_other, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(some_that_are_refused_hold_up_no_other, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(a_platform_that_takes_none_is_left_in_peace, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(many_that_are_refused_hold_up_no_other, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(after_a_restart_each_is_tried_at_once, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(without_memory_it_waits_for_that, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(a_platform_that_is_away_gets_them_in_order, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
