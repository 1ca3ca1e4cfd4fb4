/* station/reserve, station/limits: what is kept over a restart, and clocks that jump. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "folder.h"
#include "station/limits.h"
#include "station/reserve.h"

struct fixture {
	char folder[64];
	struct store *store;
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	folder_make(f->folder, sizeof(f->folder), "reserve");
	f->store = store_open(f->folder, NULL);
	assert_non_null(f->store);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	store_close(f->store);
	folder_remove(f->folder);
	free(f);
	return 0;
}

static int64_t left_s(const struct reservation *r)
{
	return (r->until_us - clock_mono_us() + 999999) / 1000000;
}

static void it_is_there_after_a_restart(void **state)
{
	struct fixture *f = *state;
	struct reservation r, back;
	int moved;

	reserve_load(&back, f->store, "C11");
	assert_false(back.held);
	reserve_begin(&r, 1800, "Ms Li; 14:00 \xe5\x85\x85");
	assert_int_equal(reserve_save(&r, f->store, "C11", NULL), FC_OK);
	reserve_load(&back, f->store, "C11");
	assert_true(back.held && back.until_wall == r.until_wall && back.seconds == 1800);
	assert_string_equal(back.note, r.note);
	assert_in_range(left_s(&back), 1700, 1800);
	assert_false(reserve_is_over(&back, &moved));
	reserve_load(&back, f->store, "C12");
	assert_false(back.held);
	r.held = 0;
	assert_int_equal(reserve_save(&r, f->store, "C11", NULL), FC_OK);
	reserve_load(&back, f->store, "C11");
	assert_false(back.held);
	/* Without a store. */
	reserve_load(&back, NULL, "C11");
	assert_false(back.held);
	assert_int_equal(reserve_save(&r, NULL, "C11", NULL), FC_OK);
}

/* The clock while it runs: only what people read changes. */
static void a_clock_that_is_stepped_ends_nothing(void **state)
{
	struct reservation r;
	int moved;

	(void)state;
	reserve_begin(&r, 600, "");
	for (int jump = -1; jump <= 1; jump += 2) {
		/* As if the clock had been a day off when it was made. */
		r.until_wall += (int64_t)jump * 86400;
		assert_false(reserve_is_over(&r, &moved));
		assert_true(moved);
		assert_in_range(left_s(&r), 500, 600);
		assert_in_range(r.until_wall, clock_wall() + 500, clock_wall() + 601);
		assert_false(reserve_is_over(&r, &moved));
		assert_false(moved);
	}
	r.until_us = clock_mono_us() - 1;
	assert_true(reserve_is_over(&r, &moved));
}

/* The clock over a restart: never longer than it was asked for, and over when its time is. */
static void a_clock_that_is_stepped_over_a_restart(void **state)
{
	struct fixture *f = *state;
	struct reservation r, back;
	int moved;

	reserve_begin(&r, 600, "");
	r.until_wall += 5 * 86400;
	assert_int_equal(reserve_save(&r, f->store, "C11", NULL), FC_OK);
	reserve_load(&back, f->store, "C11");
	assert_true(back.held);
	assert_in_range(left_s(&back), 590, 600);
	r.until_wall = clock_wall() - 1;
	assert_int_equal(reserve_save(&r, f->store, "C11", NULL), FC_OK);
	reserve_load(&back, f->store, "C11");
	assert_false(back.held);
	/* Taken up before the clock was set: as long as it was asked for, until the clock says less. */
	reserve_begin(&r, 600, "");
	r.is_dated = 0;
	r.until_wall = clock_wall() + 100;
	assert_false(reserve_is_over(&r, &moved));
	assert_true(r.is_dated);
	assert_in_range(left_s(&r), 90, 100);
	r.is_dated = 0;
	r.until_wall = clock_wall() - 100;
	assert_true(reserve_is_over(&r, &moved));
}

static void what_is_damaged_is_no_reservation(void **state)
{
	static const char *const texts[] = {"x",
					    "5",
					    "5 ",
					    "9999999999 600",
					    "9999999999 0 x",
					    "9999999999 -5 x",
					    "9999999999 86401 x",
					    "9999999999999999999999 9999999999999999999 x"};
	struct fixture *f = *state;
	struct reservation r;
	struct operator_limit limit;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		assert_int_equal(store_value_set(f->store, "reserve:C11", texts[i], NULL), FC_OK);
		reserve_load(&r, f->store, "C11");
		assert_false(r.held);
	}
	static const char *const limits[] = {"", "x", "5", "5 012345678901234567", " A"};
	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		assert_int_equal(store_value_set(f->store, "limit:C11", limits[i], NULL), FC_OK);
		limits_load(&limit, f->store, "C11");
		assert_false(limit.held);
	}
}

static void a_limit_is_there_after_a_restart(void **state)
{
	struct fixture *f = *state;
	struct operator_limit limit = {.held = 1, .milli = -12500, .unit = "kW"}, back;

	assert_int_equal(limits_save(&limit, f->store, "C11", NULL), FC_OK);
	limits_load(&back, f->store, "C11");
	assert_true(back.held && back.milli == -12500);
	assert_string_equal(back.unit, "kW");
	limit.held = 0;
	assert_int_equal(limits_save(&limit, f->store, "C11", NULL), FC_OK);
	limits_load(&back, f->store, "C11");
	assert_false(back.held);
}

#define T(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    T(it_is_there_after_a_restart),
	    T(a_clock_that_is_stepped_ends_nothing),
	    T(a_clock_that_is_stepped_over_a_restart),
	    T(what_is_damaged_is_no_reservation),
	    T(a_limit_is_there_after_a_restart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
