/* base/usage: what a thread does not use of its thread-local storage and stack is given back, and can be used again. */
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

/* The thread-local storage above lies in it, too. */
enum { STACK = 2 * SIZE, DEEP = 20 * 1024 };

struct stack {
	int before, after, is_kept;
};

static int resident_below(const unsigned char *here)
{
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), at = (uintptr_t)here / page * page;
	int n = 0;

	for (uintptr_t end = at - DEEP; at > end; at -= page) {
		unsigned char is_there = 0;

		if (mincore((void *)at, page, &is_there) == 0)
			n += is_there & 1;
	}
	return n;
}

__attribute__((noinline)) static int go_deep(void)
{
	volatile unsigned char room[DEEP];

	for (size_t i = 0; i < DEEP; i++)
		room[i] = (unsigned char)i;
	return room[DEEP - 1];
}

static void *work_deep(void *user)
{
	struct stack *s = user;
	volatile unsigned char here = 7;

	here = (unsigned char)(here + (go_deep() & 0));
	s->before = resident_below((const unsigned char *)&here);
	usage_spare_stack();
	s->after = resident_below((const unsigned char *)&here);
	s->is_kept = here == 7;
	/* It can be used again. */
	s->is_kept &= go_deep() == (unsigned char)(DEEP - 1);
	return NULL;
}

static void what_only_deep_calls_needed_of_a_stack_is_given_back(void **state)
{
	struct stack s = {0};
	pthread_attr_t attributes;
	pthread_t thread;

	(void)state;
	assert_int_equal(pthread_attr_init(&attributes), 0);
	assert_int_equal(pthread_attr_setstacksize(&attributes, STACK), 0);
	assert_int_equal(pthread_create(&thread, &attributes, work_deep, &s), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
	(void)pthread_attr_destroy(&attributes);
	assert_true(s.before >= DEEP / 4096 - 1);
	assert_true(s.after <= 2);
	assert_true(s.is_kept);
}

static int pages_there(unsigned char *pages, size_t size)
{
	unsigned char there[16] = {0};
	int n = 0;

	assert_int_equal(mincore(pages, size, there), 0);
	for (size_t i = 0; i < sizeof(there); i++)
		n += there[i] & 1;
	return n;
}

static void pages_take_memory_once_they_are_written_to(void **state)
{
	size_t size = 3 * (size_t)sysconf(_SC_PAGESIZE);
	unsigned char *pages = usage_pages_new(size);

	(void)state;
	assert_non_null(pages);
	assert_int_equal(pages_there(pages, size), 0);
	assert_int_equal(pages[size - 1], 0);
	pages[0] = 1;
	pages[size - 1] = 2;
	assert_true(pages_there(pages, size) >= 2);
	usage_pages_clear(pages, size);
	assert_int_equal(pages_there(pages, size), 0);
	assert_int_equal(pages[0] + pages[size - 1], 0);
	usage_pages_free(pages, size);
	usage_pages_free(NULL, size);
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
	    cmocka_unit_test(what_only_deep_calls_needed_of_a_stack_is_given_back),
	    cmocka_unit_test(pages_take_memory_once_they_are_written_to),
	    cmocka_unit_test(memory_is_known),
	    cmocka_unit_test(room_is_asked_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
