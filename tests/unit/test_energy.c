/* station/energy: what counts as delivered, and what a restart, a reset and a new day do to it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "folder.h"
#include "station/energy.h"
#include "store/store.h"

static const int64_t second = 1000000;
enum { POWER_W = 60000, DAY = 20000 };

struct fixture {
	char folder[64];
	struct store *store;
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct error err = {0};

	assert_non_null(f);
	folder_make(f->folder, sizeof(f->folder), "energy");
	f->store = store_open(f->folder, &err);
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

static void only_a_believable_advance_counts(void **state)
{
	struct energy_counter c = {0};

	(void)state;
	/* The first reading is where counting starts, however high it is. */
	assert_int_equal(energy_count(&c, 5000000, 0, DAY, POWER_W), -1);
	assert_int_equal(energy_count(&c, 5000010, second, DAY, POWER_W), 10);
	assert_int_equal(energy_count(&c, 5000010, 2 * second, DAY, POWER_W), 0);
	assert_int_equal(energy_pending(&c, DAY, DAY), 10);
	/* An hour without a reading: 60 kWh can have gone through it. */
	assert_int_equal(energy_count(&c, 5060010, 3602 * second, DAY, POWER_W), 60000);
	/* A replaced meter, a register read wrong: a new starting point, in both directions. */
	assert_int_equal(energy_count(&c, 100, 3603 * second, DAY, POWER_W), -1);
	assert_int_equal(energy_count(&c, 150, 3604 * second, DAY, POWER_W), 50);
	assert_int_equal(energy_count(&c, 9000000, 3605 * second, DAY, POWER_W), -1);
	assert_int_equal(energy_count(&c, 9000001, 3606 * second, DAY, POWER_W), 1);
	assert_int_equal(energy_pending(&c, DAY, DAY), 60061);
	assert_int_equal(energy_pending(&c, DAY - 7, DAY - 1), 0);
}

static int64_t stored(const struct fixture *f, int32_t first, int32_t last)
{
	return store_energy_sum(f->store, "K1", first, last);
}

/* Read once a second, brought up to date once a minute: 120 kW are 2 kWh a step. What no minute can have brought is still refused. */
static void a_register_that_stands_still_for_a_minute(void **state)
{
	struct energy_counter c = {0};
	int64_t wh = 5000000, counted = 0;

	(void)state;
	assert_int_equal(energy_count(&c, wh, 0, DAY, 120000), -1);
	for (int s = 1; s <= 600; s++) {
		wh += s % 60 ? 0 : 2000;
		int64_t more = energy_count(&c, wh, s * second, DAY, 120000);

		assert_true(more >= 0);
		counted += more;
	}
	assert_int_equal(counted, 20000);
	/* An hour of standstill is no reason for more than a minute's worth, twice, and the slack. */
	for (int s = 601; s <= 4200; s++)
		assert_int_equal(energy_count(&c, wh, s * second, DAY, 120000), 0);
	assert_int_equal(energy_count(&c, wh + 6000, 4201 * second, DAY, 120000), -1);
	/* And once it has moved, the next second is a second. */
	assert_int_equal(energy_count(&c, wh + 8000, 4202 * second, DAY, 120000), -1);
}

/* To and fro each second, and over a restart: what the time can't have brought is not counted. 60 kW: 33 Wh a second, 3 kWh once. */
static void no_register_counts_more_than_was_possible(void **state)
{
	struct energy_counter c = {0};
	int64_t counted = 0;

	(void)state;
	assert_int_equal(energy_count(&c, 0, 0, DAY, 60000), -1);
	for (int s = 1; s <= 3600; s++) {
		int64_t more = energy_count(&c, s & 1 ? 1000 : 0, s * second, DAY, 60000);

		counted += more > 0 ? more : 0;
	}
	assert_true(counted <= 123000);
	for (int beyond = 0; beyond < 2; beyond++) {
		int64_t month = INT64_C(2) * 60 * 24 * 30 * 1000 + 3000;

		c = (struct energy_counter){.has_meter = 1, .meter_wh = 5000};
		assert_int_equal(energy_count(&c, 5000 + month + beyond, 0, DAY, 60000), beyond ? -1 : month);
		/* And what that left is no more than at any time. */
		assert_int_equal(energy_count(&c, 5000 + month + beyond + 3001, 0, DAY, 60000), -1);
	}
}

static void write_out(struct fixture *f, struct energy_counter *c)
{
	struct error err = {0};

	assert_int_equal(energy_flush(c, f->store, "K1", &err), FC_OK);
	energy_written(c);
	assert_int_equal(energy_pending(c, 0, INT32_MAX), 0);
}

static void what_went_through_while_we_were_away_counts(void **state)
{
	struct fixture *f = *state;
	struct energy_counter c;

	energy_init(&c, f->store, "K1");
	assert_int_equal(energy_count(&c, 1000, 0, DAY, POWER_W), -1);
	assert_int_equal(energy_count(&c, 1500, 60 * second, DAY, POWER_W), 500);
	write_out(f, &c);
	/* Lost by a power cut: 200 more, of which nothing was written. */
	assert_int_equal(energy_count(&c, 1700, 90 * second, DAY, POWER_W), 200);
	/* The next run knows the register up to 1500; its own clock begins anew. */
	energy_init(&c, f->store, "K1");
	assert_int_equal(energy_count(&c, 31700, second, DAY + 1, POWER_W), 30200);
	write_out(f, &c);
	assert_int_equal(stored(f, DAY, DAY), 500);
	assert_int_equal(stored(f, DAY + 1, DAY + 1), 30200);
	assert_int_equal(stored(f, DAY, DAY + 1), 30700);
	assert_int_equal(stored(f, DAY + 2, DAY + 9), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(only_a_believable_advance_counts),
	    cmocka_unit_test(a_register_that_stands_still_for_a_minute),
	    cmocka_unit_test(no_register_counts_more_than_was_possible),
	    cmocka_unit_test_setup_teardown(what_went_through_while_we_were_away_counts, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
