/* base/usage: what a thread does not use of its thread-local storage is given back, and is zero, as it was. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/usage.h"

enum { SIZE = 1 << 20, MARK = SIZE / 2 };
static __thread unsigned char large[SIZE];

struct found {
	int before, after, is_kept, is_clear, can_be_used;
};

/* Whole pages of it that are in memory. */
static int resident(void)
{
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), at = ((uintptr_t)large + page - 1) / page * page;
	int n = 0;

	for (; at + page <= (uintptr_t)large + SIZE; at += page) {
		unsigned char is_there = 0;

		if (mincore((void *)at, page, &is_there) == 0)
			n += is_there & 1;
	}
	return n;
}

static void *work(void *user)
{
	struct found *f = user;

	/* As a C library leaves it that clears it all: in memory. */
	explicit_bzero(large, SIZE);
	large[MARK] = 7;
	f->before = resident();
	usage_spare_thread();
	f->after = resident();
	f->is_kept = large[MARK] == 7;
	large[MARK] = 0;
	f->is_clear = !large[0] && !memcmp(large, large + 1, SIZE - 1);
	memset(large, 9, SIZE);
	f->can_be_used = large[0] == 9 && large[SIZE - 1] == 9;
	return NULL;
}

static void what_a_thread_does_not_use_is_given_back(void **state)
{
	struct found f = {0};
	pthread_t thread;
	int pages = SIZE / (int)sysconf(_SC_PAGESIZE);

	(void)state;
	assert_int_equal(pthread_create(&thread, NULL, work, &f), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_true(f.before >= pages - 1);
	/* The page with the mark stays. */
	assert_true(f.after >= 1 && f.after <= 2);
	assert_true(f.is_kept);
	assert_true(f.is_clear);
	assert_true(f.can_be_used);
}

static void memory_is_known(void **state)
{
	(void)state;
	assert_true(usage_rss_kb() > 100);
}

static void room_is_asked_for(void **state)
{
	(void)state;
	assert_true(usage_has_room(1000));
#ifndef __SANITIZE_ADDRESS__ /* it ends the program at such a wish */
	assert_false(usage_has_room(SIZE_MAX / 4));
#endif
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_a_thread_does_not_use_is_given_back),
	    cmocka_unit_test(memory_is_known),
	    cmocka_unit_test(room_is_asked_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
