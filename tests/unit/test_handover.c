/* bus/handover: every result arrives once and in its order, whether the loop is woken or looks by itself; when it does the one and when the other.
 * Runs under TSan too. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <time.h>
#include <unistd.h>

#include <sys/syscall.h>

#include "bus/handover.h"

enum { PRODUCERS = 4, EACH = 20000, BURST = 500, PATIENCE_MS = 1000000 };

/* The clock stands while it is set, so that a slow machine is as quick as any. */
static atomic_llong frozen_us;

int clock_gettime(clockid_t id, struct timespec *t)
{
	long long us = atomic_load(&frozen_us);

	if (!us || id != CLOCK_MONOTONIC)
		return (int)syscall(SYS_clock_gettime, id, t);
	*t = (struct timespec){.tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000};
	return 0;
}

static void freeze(int on)
{
	struct timespec now;

	atomic_store(&frozen_us, 0);
	assert_int_equal(clock_gettime(CLOCK_MONOTONIC, &now), 0);
	atomic_store(&frozen_us, on ? (long long)now.tv_sec * 1000000 + now.tv_nsec / 1000 : 0);
}

struct fixture {
	struct loop *loop;
	struct handover handover;
	struct loop_waker other; /* another room's: called whenever somebody wakes the loop */
	unsigned woken, arrived;
	uint32_t next[PRODUCERS]; /* tag that is expected of each */
};

static void on_other(void *user)
{
	((struct fixture *)user)->woken++;
}

static void on_arrived(void *user)
{
	struct fixture *f = user;
	struct bus_result r;

	while (!handover_take(&f->handover, &r)) {
		assert_true(r.line < PRODUCERS);
		assert_int_equal(r.tag, f->next[r.line]++);
		assert_int_equal(r.words[BUS_WORDS_MAX - 1], (uint16_t)r.tag);
		f->arrived++;
	}
}

static int setup(void **state)
{
	static struct fixture f;
	struct error err = {0};

	f = (struct fixture){.loop = loop_new(&err)};
	assert_non_null(f.loop);
	assert_int_equal(handover_start(&f.handover, f.loop, on_arrived, &f, &err), FC_OK);
	f.other = (struct loop_waker){.fn = on_other, .user = &f};
	loop_waker_add(f.loop, &f.other);
	*state = &f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	freeze(0);
	loop_waker_remove(f->loop, &f->other);
	handover_stop(&f->handover);
	handover_stop(&f->handover);
	loop_free(f->loop);
	return 0;
}

static int put(struct fixture *f, uint32_t line, uint32_t tag, int must)
{
	struct bus_result r = {.line = line, .tag = tag};

	r.words[BUS_WORDS_MAX - 1] = (uint16_t)tag;
	return handover_put(&f->handover, &r, must);
}

static void step(struct fixture *f)
{
	assert_int_equal(loop_step(f->loop, PATIENCE_MS), FC_OK);
}

/* One result, and the loop is told of it; until it has come. */
static void tell_one(struct fixture *f)
{
	unsigned before = f->arrived;

	assert_int_equal(put(f, 0, f->next[0], 0), FC_OK);
	assert_int_equal(handover_put(&f->handover, NULL, 0), FC_OK);
	while (f->arrived == before)
		step(f);
}

static void until_it_looks(struct fixture *f)
{
	int n = 0;

	freeze(1);
	for (; n < 200 && !atomic_load(&f->handover.looking); n++)
		tell_one(f);
	freeze(0);
	assert_int_equal(n, 100);
}

static void the_loop_is_woken_for_each_at_a_chargers_rate(void **state)
{
	struct fixture *f = *state;

	/* Whatever a station's lines bring at once... */
	freeze(1);
	for (int i = 0; i < 99; i++)
		tell_one(f);
	assert_int_equal(f->woken, 99);
	assert_int_equal(atomic_load(&f->handover.looking), 0);
	/* ... is forgotten in the next second. */
	atomic_fetch_add(&frozen_us, 100001);
	for (int i = 0; i < 99; i++)
		tell_one(f);
	assert_int_equal(f->woken, 2 * 99);
	assert_int_equal(atomic_load(&f->handover.looking), 0);
	/* Others may wake it as often as they like. */
	for (int i = 0; i < 200; i++) {
		loop_wake(f->loop);
		step(f);
	}
	assert_int_equal(atomic_load(&f->handover.looking), 0);
}

static void it_looks_by_itself_where_there_is_no_end_of_them(void **state)
{
	struct fixture *f = *state;

	until_it_looks(f);
	unsigned woken = f->woken;
	for (int i = 0; i < 20; i++)
		tell_one(f);
	/* Nobody woke it. */
	assert_int_equal(f->woken, woken);
	assert_int_equal(atomic_load(&f->handover.looking), 1);
	/* An answer to a write does. */
	assert_int_equal(put(f, 0, f->next[0], 1), FC_OK);
	while (f->woken == woken)
		step(f);
	/* It goes back to sleep when nothing comes any more, and is woken for the next one. */
	while (atomic_load(&f->handover.looking))
		step(f);
	woken = f->woken;
	tell_one(f);
	assert_true(f->woken > woken);
}

static void one_that_is_full_says_so_and_has_room_for_what_must_be_told(void **state)
{
	struct fixture *f = *state;
	uint32_t n = 0;

	while (put(f, 0, n, 0) == FC_OK)
		n++;
	assert_int_equal(n, HANDOVER_MAX - HANDOVER_RESERVED);
	while (put(f, 0, n, 1) == FC_OK)
		n++;
	assert_int_equal(n, HANDOVER_MAX);
	while (f->arrived < n)
		step(f);
}

struct producer {
	struct fixture *f;
	uint32_t line;
	pthread_t thread;
	atomic_int *left;
};

/* In bursts with pauses between them that let the loop fall back to be woken, each told like a worker tells. */
static void *produce(void *user)
{
	struct producer *p = user;

	for (uint32_t tag = 0; tag < EACH; tag++) {
		while (put(p->f, p->line, tag, tag % 1000 == 0))
			(void)usleep(100);
		if (tag % 3)
			(void)handover_put(&p->f->handover, NULL, 0);
		if (tag % BURST == 0)
			(void)usleep(tag % (8 * BURST) ? 1000 : 200000);
	}
	(void)handover_put(&p->f->handover, NULL, 0);
	atomic_fetch_sub(p->left, 1);
	return NULL;
}

static void each_comes_once_and_in_its_order(void **state)
{
	struct fixture *f = *state;
	struct producer all[PRODUCERS];
	atomic_int left = PRODUCERS;

	for (uint32_t i = 0; i < PRODUCERS; i++) {
		all[i] = (struct producer){.f = f, .line = i, .left = &left};
		assert_int_equal(pthread_create(&all[i].thread, NULL, produce, &all[i]), 0);
	}
	/* Whoever was not told of the last ones would wait here for a quarter of an hour. */
	while (f->arrived < PRODUCERS * EACH)
		step(f);
	for (int i = 0; i < PRODUCERS; i++)
		assert_int_equal(pthread_join(all[i].thread, NULL), 0);
	assert_int_equal(atomic_load(&left), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(the_loop_is_woken_for_each_at_a_chargers_rate, setup, teardown),
	    cmocka_unit_test_setup_teardown(it_looks_by_itself_where_there_is_no_end_of_them, setup, teardown),
	    cmocka_unit_test_setup_teardown(one_that_is_full_says_so_and_has_room_for_what_must_be_told, setup,
					    teardown),
	    cmocka_unit_test_setup_teardown(each_comes_once_and_in_its_order, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
