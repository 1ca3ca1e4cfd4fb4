/* device/: what a charger refuses is found and left alone, what it must hear again and again is written, commands of several steps
 * give one result. */
#include "device_fixture.h"

#include "device/set.h"

static int64_t register_of(struct fixture *f, int server, int at)
{
	return atomic_load(&f->servers[server].registers[at]);
}

#define RULES "status = { point = 'state', map = { [0] = 1, [1] = 2, [2] = 3 } }"

/* Refused ------------------------------------------------------------------------------------------------------------- */

static void row_28_one_refused_point_blinds_no_other(void **state)
{
	struct fixture *f = *state;

	write_profile(f, "one",
		      "points = { state = { address = 0, type = 'u16' }, odd = { address = 1, type = 'u16' },"
		      " power = { address = 2, type = 'u16' }, soc = { address = 3, type = 'u16' } }, " RULES);
	atomic_store(&f->servers[0].refused_at, 1);
	atomic_store(&f->servers[0].registers[2], 7);
	apply(f);
	UNTIL(f, is_good(f, "a", 1, "power", 7000) && is_good(f, "a", 1, "soc", 0) && is_good(f, "a", 1, "state", 0));
	/* The others come together again, never across it; it is still asked by itself. */
	struct device *d = device_find(f->set, "a");
	UNTIL(f, d->plan.count == 3 && d->suspects == 0);
	assert_int_equal(d->plan.blocks[0].count, 1);
	assert_int_equal(d->plan.blocks[2].address, 2);
	assert_int_equal(d->plan.blocks[2].count, 2);
	assert_int_equal(value_of(f, "a", 1, "odd").quality, QUALITY_UNKNOWN);
	assert_int_equal(status_of(f, "a", 1), CONNECTOR_IDLE);
	/* One connection all the time. */
	assert_int_equal(atomic_load(&f->servers[0].accepted), 1);
	/* It is mended: one read again. */
	atomic_store(&f->servers[0].refused_at, -1);
	UNTIL(f, is_good(f, "a", 1, "odd", 0) && d->plan.count == 1);
}

static void row_30_an_optional_group_is_left_out(void **state)
{
	struct fixture *f = *state;

	write_profile(
	    f, "two",
	    "connectors = { count = 2, stride = 100 }, groups = { meter = { optional = true } },"
	    "points = { state = { address = 0, type = 'u16' }, m1 = { address = 1, type = 'u16', group = 'meter' },"
	    " m2 = { address = 2, type = 'u16', group = 'meter' }, extra = { address = 3, type = 'u16', optional = "
	    "true },"
	    " power = { address = 4, type = 'u16' } }, " RULES);
	atomic_store(&f->servers[1].refused_at, 102);
	apply(f);
	struct device *d = device_find(f->set, "b");
	UNTIL(f, is_good(f, "b", 1, "m2", 0) && is_good(f, "b", 2, "power", 0) && is_good(f, "b", 2, "extra", 0) &&
		     d->suspects == 0 && !d->replan);
	/* Of the second connector the whole group is gone, of the first nothing. */
	assert_int_equal(value_of(f, "b", 2, "m1").quality, QUALITY_UNKNOWN);
	assert_int_equal(value_of(f, "b", 2, "m2").quality, QUALITY_UNKNOWN);
	for (uint32_t i = 0; i < d->plan.count; i++)
		assert_false(d->plan.blocks[i].address <= 102 &&
			     d->plan.blocks[i].address + d->plan.blocks[i].count > 101);
	assert_int_equal(d->plan.count, 3);
	assert_int_equal(atomic_load(&f->servers[1].accepted), 1);
}

/* A device that takes fewer words than the profile says: each point by itself, for good. */
static void too_large_a_block_is_taken_apart(void **state)
{
	struct fixture *f = *state;

	write_profile(f, "one",
		      "points = { state = { address = 0, type = 'u16' }, a = { address = 1, type = 'u16' },"
		      " b = { address = 2, type = 'u16' } }, " RULES);
	atomic_store(&f->servers[0].most, 2);
	apply(f);
	struct device *d = device_find(f->set, "a");
	UNTIL(f, is_good(f, "a", 1, "state", 0) && is_good(f, "a", 1, "a", 0) && is_good(f, "a", 1, "b", 0));
	UNTIL(f, !d->suspects && d->plan.count == 3);
	/* No more exceptions from now on. */
	struct bus_line_stats stats;
	const char *name;
	assert_int_equal(device_bus_line(f->set, 0, &name, &stats), FC_OK);
	uint64_t exceptions = stats.exceptions, polls = stats.polls;
	UNTIL(f, device_bus_line(f->set, 0, &name, &stats) == FC_OK && stats.polls > polls + 9);
	assert_true(stats.exceptions == exceptions);
}

static void row_29_registers_move_with_the_firmware(void **state)
{
	struct fixture *f = *state;

	write_profile(
	    f, "one",
	    "firmware = 'version', points = { version = { address = 9, type = 'u16' },"
	    " state = { address = 0, type = 'u16' },"
	    " power = { address = 1, type = 'u16', variants = { { firmware = '>=3', address = 5 } } } }, " RULES);
	atomic_store(&f->servers[0].registers[1], 11);
	atomic_store(&f->servers[0].registers[5], 55);
	atomic_store(&f->servers[0].registers[9], 2);
	apply(f);
	UNTIL(f, is_good(f, "a", 1, "power", 11000));
	/* Updated while we look on. */
	atomic_store(&f->servers[0].registers[9], 3);
	UNTIL(f, is_good(f, "a", 1, "power", 55000));
	assert_int_equal(atomic_load(&f->servers[0].accepted), 1);
}

/* Upkeep -------------------------------------------------------------------------------------------------------------- */

static void a_life_bit_is_written_again_and_again(void **state)
{
	struct fixture *f = *state;

	write_profile(
	    f, "one",
	    "points = { state = { address = 0, type = 'u16' }, life = { address = 30, type = 'u16' } }, " RULES
	    ", keep_alive = { address = 30, value = 1, period_ms = 200, unless = { life = 2 } }");
	apply(f);
	for (int i = 0; i < 3; i++) {
		UNTIL(f, register_of(f, 0, 30) == 1);
		atomic_store(&f->servers[0].registers[30], 0);
	}
	/* It reads 2: nothing is written until it does no more. */
	atomic_store(&f->servers[0].registers[30], 2);
	UNTIL(f, is_good(f, "a", 1, "life", 2000));
	int requests = atomic_load(&f->servers[0].requests);
	UNTIL(f, atomic_load(&f->servers[0].requests) > requests + 6);
	assert_int_equal(register_of(f, 0, 30), 2);
	atomic_store(&f->servers[0].registers[30], 0);
	UNTIL(f, register_of(f, 0, 30) == 1);
	/* An older firmware has no such register: it is left alone. */
	atomic_store(&f->servers[0].refused_at, 30);
	struct device *d = device_find(f->set, "a");
	UNTIL(f, d->each[0].slots[0].is_off);
	int writes = atomic_load(&f->servers[0].writes);
	requests = atomic_load(&f->servers[0].requests);
	UNTIL(f, atomic_load(&f->servers[0].requests) > requests + 9);
	assert_int_equal(atomic_load(&f->servers[0].writes), writes);
}

/* KEBA's fail-safe: its own time is written back to it, and nothing while it has none. */
static void a_keep_alive_says_what_the_charger_said(void **state)
{
	struct fixture *f = *state;

	write_profile(
	    f, "one",
	    "points = { state = { address = 0, type = 'u16' }, wait = { address = 31, type = 'u16' } }, " RULES
	    ", keep_alive = { address = 40, value_from = 'wait', period_ms = 200, unless = { wait = 0 } }");
	apply(f);
	UNTIL(f, is_good(f, "a", 1, "wait", 0));
	int requests = atomic_load(&f->servers[0].requests);
	UNTIL(f, atomic_load(&f->servers[0].requests) > requests + 6);
	assert_int_equal(atomic_load(&f->servers[0].writes), 0);
	atomic_store(&f->servers[0].registers[31], 37);
	UNTIL(f, register_of(f, 0, 40) == 37);
}

#define LIMIT                                                                                                \
	", setpoint = { address = 70, type = 'u16', scale = 0.1, unit = 'A', min = 6, max = 32, pause = 0, " \
	"refresh_ms = 500 }"

static void row_31_a_setpoint_is_held(void **state)
{
	struct fixture *f = *state;
	struct error err = {0};
	int64_t milli;

	write_profile(f, "two", POINTS LIMIT);
	run(f);
	struct device *b = device_find(f->set, "b");
	assert_int_equal(device_limit_held(b, 2, &milli), FC_ENOENT);
	assert_int_equal(device_limit(f->set, b, 2, 16500, &err), FC_OK);
	UNTIL(f, register_of(f, 1, 170) == 165);
	assert_int_equal(device_limit_held(b, 2, &milli), FC_OK);
	assert_int_equal(milli, 16500);
	assert_int_equal(register_of(f, 1, 70), 0);
	/* Forgotten by the charger: there again within the refresh. */
	atomic_store(&f->servers[1].registers[170], 999);
	UNTIL(f, register_of(f, 1, 170) == 165);
	/* The pause value counts though it is below the least. */
	assert_int_equal(device_limit(f->set, b, 2, 0, &err), FC_OK);
	UNTIL(f, register_of(f, 1, 170) == 0);
	assert_int_equal(device_limit(f->set, b, 2, 5000, &err), FC_EINVAL);
	assert_non_null(strstr(err.text, "5.000 A"));
	assert_int_equal(device_limit(f->set, b, 2, 33000, &err), FC_EINVAL);
	assert_int_equal(device_limit(f->set, b, 3, 16000, &err), FC_ENOENT);
	assert_int_equal(device_limit(f->set, device_find(f->set, "a"), 1, 16000, &err), FC_ENOENT);
}

/* The charger says how long it keeps a limit. */
static void a_setpoint_is_refreshed_as_the_charger_says(void **state)
{
	struct fixture *f = *state;

	write_profile(
	    f, "one",
	    "points = { state = { address = 0, type = 'u16' }, keeps = { address = 31, type = 'u16' } }, " RULES
	    ", setpoint = { address = 70, type = 'u16', unit = 'A', min = 6, max = 32, initial = 10,"
	    " refresh_ms = 3600000, refresh_from = 'keeps', refresh_share = 0.25 }");
	atomic_store(&f->servers[0].registers[31], 1);
	apply(f);
	/* The first one may come before the value is known: then the next would be an hour away. */
	struct device *d = device_find(f->set, "a");
	struct error err = {0};
	UNTIL(f, is_good(f, "a", 1, "keeps", 1000) && register_of(f, 0, 70) == 10);
	assert_int_equal(device_limit(f->set, d, 1, 12000, &err), FC_OK);
	UNTIL(f, register_of(f, 0, 70) == 12);
	atomic_store(&f->servers[0].registers[70], 0);
	UNTIL(f, register_of(f, 0, 70) == 12);
}

static void row_35_a_setpoint_is_written_again_after_a_restart(void **state)
{
	struct fixture *f = *state;

	write_profile(
	    f, "one",
	    "points = { state = { address = 0, type = 'u16' }, uptime = { address = 5, type = 'u16' } }, " RULES
	    ", setpoint = { address = 70, type = 'u16', unit = 'A', min = 6, max = 32, initial = 10 }");
	atomic_store(&f->servers[0].registers[5], 1000);
	apply(f);
	UNTIL(f, register_of(f, 0, 70) == 10 && is_good(f, "a", 1, "uptime", 1000000));
	/* No refresh here: only that its uptime goes back tells. */
	atomic_store(&f->servers[0].registers[70], 0);
	atomic_store(&f->servers[0].registers[5], 3);
	UNTIL(f, register_of(f, 0, 70) == 10);
}

/* Sequences ----------------------------------------------------------------------------------------------------------- */

static void note_answer(void *user, enum bus_status status)
{
	*(int *)user = (int)status;
}

#define SEQUENCE                                                                                                    \
	POINTS LIMIT ", commands = { start = { steps = { { address = 50, value = 5 }, { wait_ms = 20 }, "           \
		     "{ limit = 16 }, { address = 51, value = 1 }, "                                                \
		     "{ check = 'state', equals = { 1, 2 }, within_ms = 30000 }, { address = 52, value = 3 } } }, " \
		     "stop = { steps = { { pause = true }, { check = 'state', equals = 0, within_ms = 300 } } } }"

static void a_sequence_goes_step_by_step(void **state)
{
	struct fixture *f = *state;
	struct error err = {0};
	int answer = -1, other = -1;
	int64_t milli;

	write_profile(f, "two", SEQUENCE);
	run(f);
	struct device *b = device_find(f->set, "b");
	assert_int_equal(device_command(f->set, b, 2, "start", note_answer, &answer, &err), FC_OK);
	UNTIL(f, register_of(f, 1, 151) == 1);
	assert_int_equal(register_of(f, 1, 150), 5);
	assert_int_equal(register_of(f, 1, 170), 160);
	/* It waits for the state; then comes the rest, and one result. */
	int requests = atomic_load(&f->servers[1].requests);
	UNTIL(f, atomic_load(&f->servers[1].requests) > requests + 6);
	assert_int_equal(answer, -1);
	assert_int_equal(register_of(f, 1, 152), 0);
	atomic_store(&f->servers[1].registers[100], 2);
	UNTIL(f, answer >= 0);
	assert_int_equal(answer, BUS_OK);
	assert_int_equal(register_of(f, 1, 152), 3);
	assert_int_equal(device_limit_held(b, 2, &milli), FC_OK);
	assert_int_equal(milli, 16000);
	/* A check that does not come true: the sequence failed, what was written stands and is held. */
	answer = -1;
	assert_int_equal(device_command(f->set, b, 2, "stop", note_answer, &answer, &err), FC_OK);
	UNTIL(f, answer >= 0);
	assert_int_equal(answer, BUS_TIMEOUT);
	assert_int_equal(register_of(f, 1, 170), 0);
	/* A stop while a start is under way ends the start. */
	atomic_store(&f->servers[1].registers[100], 0);
	atomic_store(&f->servers[1].registers[151], 0);
	UNTIL(f, is_good(f, "b", 2, "state", 0));
	answer = -1;
	assert_int_equal(device_command(f->set, b, 2, "start", note_answer, &answer, &err), FC_OK);
	UNTIL(f, register_of(f, 1, 151) == 1);
	assert_int_equal(device_command(f->set, b, 2, "stop", note_answer, &other, &err), FC_OK);
	UNTIL(f, answer >= 0 && other >= 0);
	assert_int_equal(answer, BUS_DISCONNECTED);
	assert_int_equal(other, BUS_OK);
	/* A refused step ends it. */
	atomic_store(&f->servers[1].refused_at, 151);
	answer = -1;
	assert_int_equal(device_command(f->set, b, 2, "start", note_answer, &answer, &err), FC_OK);
	UNTIL(f, answer >= 0);
	assert_int_equal(answer, BUS_EXCEPTION);
}

/* Where start and stop are limits, an operator's limit is the most that a start may write, and starts nothing. */
static void an_operators_limit_under_steps(void **state)
{
	struct fixture *f = *state;
	struct error err = {0};
	int answer = -1, waiting = 0;
	int64_t milli;

	write_profile(f, "two", POINTS LIMIT ", commands = { start = { limit = 16 }, stop = { pause = true } }");
	run(f);
	struct device *b = device_find(f->set, "b");
	assert_int_equal(device_cap(f->set, b, 2, 10000, &err), FC_OK);
	assert_int_equal(device_capped(b, 2, &milli, &waiting), FC_OK);
	assert_true(milli == 10000 && waiting);
	int requests = atomic_load(&f->servers[1].requests);
	UNTIL(f, atomic_load(&f->servers[1].requests) > requests + 6);
	assert_int_equal(register_of(f, 1, 170), 0);
	assert_int_equal(device_command(f->set, b, 2, "start", note_answer, &answer, &err), FC_OK);
	UNTIL(f, answer == BUS_OK);
	assert_int_equal(register_of(f, 1, 170), 100);
	/* While it runs it is changed at once; what is above the step's own changes nothing. */
	assert_int_equal(device_cap(f->set, b, 2, 8000, &err), FC_OK);
	UNTIL(f, register_of(f, 1, 170) == 80);
	assert_int_equal(device_cap(f->set, b, 2, 30000, &err), FC_OK);
	UNTIL(f, register_of(f, 1, 170) == 160);
	/* Stopped, it stays stopped, with another limit and without. */
	answer = -1;
	assert_int_equal(device_command(f->set, b, 2, "stop", note_answer, &answer, &err), FC_OK);
	UNTIL(f, answer == BUS_OK);
	assert_int_equal(device_cap(f->set, b, 2, 7000, &err), FC_OK);
	assert_int_equal(device_uncap(f->set, b, 2, &err), FC_OK);
	assert_int_equal(device_capped(b, 2, &milli, &waiting), FC_ENOENT);
	requests = atomic_load(&f->servers[1].requests);
	UNTIL(f, atomic_load(&f->servers[1].requests) > requests + 6);
	assert_int_equal(register_of(f, 1, 170), 0);
	answer = -1;
	assert_int_equal(device_command(f->set, b, 2, "start", note_answer, &answer, &err), FC_OK);
	UNTIL(f, answer == BUS_OK);
	assert_int_equal(register_of(f, 1, 170), 160);
	/* Released while it runs: what the step wanted. */
	assert_int_equal(device_cap(f->set, b, 2, 6000, &err), FC_OK);
	UNTIL(f, register_of(f, 1, 170) == 60);
	assert_int_equal(device_uncap(f->set, b, 2, &err), FC_OK);
	UNTIL(f, register_of(f, 1, 170) == 160);
	assert_int_equal(device_cap(f->set, b, 2, 33000, &err), FC_EINVAL);
	assert_int_equal(device_cap(f->set, b, 3, 10000, &err), FC_ENOENT);
}

/* It charges when we come, and no step has said so. */
static void an_operators_limit_of_a_charge_that_runs(void **state)
{
	struct fixture *f = *state;
	struct error err = {0};

	write_profile(f, "two", POINTS LIMIT ", commands = { start = { limit = 16 }, stop = { pause = true } }");
	run(f);
	struct device *b = device_find(f->set, "b");
	atomic_store(&f->servers[1].registers[100], 2);
	UNTIL(f, status_of(f, "b", 2) == CONNECTOR_CHARGING);
	assert_int_equal(device_cap(f->set, b, 2, 9000, &err), FC_OK);
	UNTIL(f, register_of(f, 1, 170) == 90);
}

static void an_operators_limit_without_steps(void **state)
{
	struct fixture *f = *state;
	struct error err = {0};
	struct device_limit limit;
	struct device_range range;

	write_profile(f, "two", POINTS LIMIT ", commands = { start = { address = 50, value = 5 } }");
	run(f);
	struct device *b = device_find(f->set, "b");
	assert_int_equal(device_limit_range(b, &range), FC_OK);
	assert_true(range.min_milli == 6000 && range.max_milli == 32000 && range.has_pause && !range.pause_milli);
	assert_int_equal(device_cap(f->set, b, 2, 9000, &err), FC_OK);
	UNTIL(f, register_of(f, 1, 170) == 90);
	assert_int_equal(device_limit_state(b, 2, &limit), FC_OK);
	/* Released: the most that it may have, and that is nobody's limit. */
	assert_int_equal(device_uncap(f->set, b, 2, &err), FC_OK);
	UNTIL(f, register_of(f, 1, 170) == 320);
	assert_int_equal(device_limit_state(b, 2, &limit), FC_ENOENT);
	assert_int_equal(device_cap(f->set, b, 2, 7000, &err), FC_OK);
	UNTIL(f, register_of(f, 1, 170) == 70);
	assert_int_equal(device_limit_state(b, 2, &limit), FC_OK);
}

static void a_reload_ends_sequences_that_are_others_now(void **state)
{
	struct fixture *f = *state;
	struct error err = {0};
	int answer = -1;

	write_profile(f, "two", SEQUENCE);
	run(f);
	struct device *b = device_find(f->set, "b");
	assert_int_equal(device_command(f->set, b, 1, "start", note_answer, &answer, &err), FC_OK);
	UNTIL(f, register_of(f, 1, 51) == 1);
	/* The same again: it goes on, on the same line. */
	assert_int_equal(device_set_reload_profiles(f->set, NULL), FC_OK);
	assert_int_equal(answer, -1);
	write_profile(f, "two", POINTS LIMIT ", commands = { start = { address = 50, value = 7 } }");
	assert_int_equal(device_set_reload_profiles(f->set, NULL), FC_OK);
	UNTIL(f, answer >= 0);
	assert_int_equal(answer, BUS_DISCONNECTED);
	/* Commands are no reason to open a line again. */
	assert_int_equal(atomic_load(&f->servers[1].accepted), 1);
	assert_true(device_find(f->set, "b") == b);
	/* One that is under way while its line goes is told too. */
	answer = -1;
	assert_int_equal(device_command(f->set, b, 1, "start", note_answer, &answer, &err), FC_OK);
	f->config->bus_count = f->config->charger_count = f->config->connector_count = 1;
	apply(f);
	UNTIL(f, answer >= 0);
}

static void a_changed_hook_acts_on_the_open_line(void **state)
{
	struct fixture *f = *state;

	write_profile(
	    f, "one",
	    "points = { state = { address = 0, type = 'u16', hook = function(raw) return raw end } }, " RULES);
	apply(f);
	UNTIL(f, is_good(f, "a", 1, "state", 0));
	write_profile(
	    f, "one",
	    "points = { state = { address = 0, type = 'u16', hook = function(raw) return raw + 2 end } }, " RULES);
	assert_int_equal(device_set_reload_profiles(f->set, NULL), FC_OK);
	UNTIL(f, is_good(f, "a", 1, "state", 2000));
	assert_int_equal(status_of(f, "a", 1), CONNECTOR_CHARGING);
	assert_int_equal(atomic_load(&f->servers[0].accepted), 1);
}

/* One charger's refused register makes a plan of its whole line anew: the answers that others wait for come with tags of before. */
static void another_plan_holds_up_no_keep_alive(void **state)
{
	struct fixture *f = *state;

	write_profile(f, "one",
		      "points = { state = { address = 0, type = 'u16' } }, "
		      "keep_alive = { fc = 6, address = 30, value = 1, period_ms = 200 }, " RULES);
	apply(f);
	UNTIL(f, atomic_load(&f->servers[0].writes) > 0);
	struct device *d = device_find(f->set, "a");
	struct line *line = f->set->lines[0];
	assert_ptr_equal(line->devices[0], d);
	d->each[0].slots[0].busy_until_us = clock_mono_us() + 3600000000;
	int before = atomic_load(&f->servers[0].writes);
	assert_int_equal(line_refresh(line, d), FC_OK);
	assert_true(d->each[0].slots[0].busy_until_us < clock_mono_us());
	UNTIL(f, atomic_load(&f->servers[0].writes) > before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(row_28_one_refused_point_blinds_no_other, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(row_30_an_optional_group_is_left_out, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(too_large_a_block_is_taken_apart, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(row_29_registers_move_with_the_firmware, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(a_life_bit_is_written_again_and_again, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(another_plan_holds_up_no_keep_alive, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(a_keep_alive_says_what_the_charger_said, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(row_31_a_setpoint_is_held, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(a_setpoint_is_refreshed_as_the_charger_says, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(row_35_a_setpoint_is_written_again_after_a_restart, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(a_sequence_goes_step_by_step, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(an_operators_limit_under_steps, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(an_operators_limit_of_a_charge_that_runs, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(an_operators_limit_without_steps, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(a_reload_ends_sequences_that_are_others_now, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(a_changed_hook_acts_on_the_open_line, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
