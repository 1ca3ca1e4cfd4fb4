/* device/: what results do to quality, age and status, and what an apply or a reload leaves alone. The chargers are
 * small Modbus TCP servers in this file, asked through the real bus. */
#include "device_fixture.h"

/* Results ------------------------------------------------------------------------------------------------------------- */

enum { SECOND = 1000000 };

/* A device by itself: block 0 is state and fault, block 1 is power. */
static struct device *lone_device(struct fixture *f, struct profile **profile)
{
	struct error err = {0};

	*profile = profile_load(&f->host, "one", &err);
	assert_non_null(*profile);
	struct device *d = device_new("x", *profile, (const int[]){1}, 1, 60000, 1, NULL);
	assert_non_null(d);
	assert_int_equal(d->plan.count, 2);
	return d;
}

static struct bus_result result_of(enum bus_status status, int64_t age_us)
{
	return (struct bus_result){.status = (uint8_t)status, .count = 2, .mono_us = clock_mono_us() - age_us};
}

static enum quality quality_of(const struct device *d, const char *name)
{
	struct point_value v;

	assert_int_equal(device_point_by_name(d, 1, name, &v), FC_OK);
	return v.quality;
}

static void quality_and_age(void **state)
{
	struct profile *p;
	struct device *d = lone_device(*state, &p);
	struct bus_result r;

	assert_int_equal(quality_of(d, "power"), QUALITY_UNKNOWN);
	assert_int_equal(device_status(d, 1), CONNECTOR_OFFLINE);
	/* A poll a minute: good for three minutes. */
	d->poll_ms = 60000;
	r = result_of(BUS_OK, 100 * SECOND);
	device_take(d, 0, &r);
	device_take(d, 1, &r);
	assert_int_equal(quality_of(d, "state"), QUALITY_GOOD);
	assert_int_equal(device_status(d, 1), CONNECTOR_IDLE);
	assert_int_equal(device_stale(d, 1), 0);
	r = result_of(BUS_OK, 181 * SECOND);
	device_take(d, 1, &r);
	assert_int_equal(quality_of(d, "power"), QUALITY_STALE);
	assert_int_equal(device_stale(d, 1), 1);
	assert_int_equal(device_status(d, 1), CONNECTOR_IDLE);
	device_take(d, 0, &r);
	assert_int_equal(quality_of(d, "state"), QUALITY_STALE);
	assert_int_equal(device_status(d, 1), CONNECTOR_OFFLINE);
	/* Quick polls: three seconds all the same (here the machine may lose two of them). */
	d->poll_ms = 100;
	r = result_of(BUS_OK, SECOND);
	device_take(d, 0, &r);
	assert_int_equal(quality_of(d, "state"), QUALITY_GOOD);
	r = result_of(BUS_OK, 4 * SECOND);
	device_take(d, 0, &r);
	assert_int_equal(quality_of(d, "state"), QUALITY_STALE);
	device_free(d);
	profile_free(p);
}

static void row_39_failures_are_unknown_never_zero(void **state)
{
	struct profile *p;
	struct device *d = lone_device(*state, &p);
	struct bus_result good = result_of(BUS_OK, 0), r;
	struct point_value v;

	good.words[0] = 1;
	good.words[1] = 0x0E74;
	device_take(d, 1, &good);
	good.words[1] = 0;
	device_take(d, 0, &good);
	/* A lost or torn answer, or a gateway that says so: the value stands until its age runs out. */
	for (int i = 0; i < 4; i++) {
		r = result_of(i == 1 ? BUS_BAD_ANSWER : i ? BUS_EXCEPTION : BUS_TIMEOUT, 0);
		r.exception = i == 2 ? 10 : i == 3 ? 11 : 0;
		device_take(d, 1, &r);
		assert_int_equal(device_point_by_name(d, 1, "power", &v), FC_OK);
		assert_int_equal(v.quality, QUALITY_GOOD);
		assert_int_equal(v.milli, (65536 + 0x0E74) * 1000);
	}
	/* The device itself says no: that block is unknown, the other is not. */
	r = result_of(BUS_EXCEPTION, 0);
	r.exception = 2;
	device_take(d, 1, &r);
	assert_int_equal(quality_of(d, "power"), QUALITY_UNKNOWN);
	assert_int_equal(device_status(d, 1), CONNECTOR_OCCUPIED);
	assert_true(device_online(d));
	/* Out of its range: unknown as well. */
	good.words[0] = 2;
	device_take(d, 1, &good);
	assert_int_equal(quality_of(d, "power"), QUALITY_UNKNOWN);
	good.words[0] = 1;
	device_take(d, 1, &good);
	assert_int_equal(quality_of(d, "power"), QUALITY_GOOD);
	/* No way to the device: all is unknown, and it is off line. */
	r = result_of(BUS_DISCONNECTED, 0);
	device_take(d, 1, &r);
	assert_int_equal(quality_of(d, "power"), QUALITY_UNKNOWN);
	assert_int_equal(quality_of(d, "state"), QUALITY_UNKNOWN);
	assert_int_equal(device_status(d, 1), CONNECTOR_OFFLINE);
	assert_false(device_online(d));
	/* A gateway's word does not make it answer again. */
	r = result_of(BUS_EXCEPTION, 0);
	r.exception = 11;
	device_take(d, 0, &r);
	assert_false(device_online(d));
	assert_int_equal(device_point_by_name(d, 2, "power", &v), FC_ENOENT);
	assert_int_equal(device_point_by_name(d, 1, "soc", &v), FC_ENOENT);
	device_free(d);
	profile_free(p);
}

/* Age is noticed without any result: the set's own timer says so. Nobody listens at the port of bus a. */
static void age_is_told_without_results(void **state)
{
	struct fixture *f = *state;

	server_stop(&f->servers[0]);
	server_stop(&f->servers[1]);
	/* A port that was just closed: refused at once, told once per read, and not again for some time. */
	f->config->buses[0].port = 1;
	f->config->charger_count = f->config->bus_count = f->config->connector_count = 1;
	/* The state is good for five minutes, the power for three seconds. */
	write_profile(f, "one",
		      "points = { state = { address = 0, type = 'u16', period_ms = 100000 }, "
		      "power = { address = 40, type = 'u32', period_ms = 1000 } }, "
		      "status = { point = 'state', map = { [0] = 1 } }");
	assert_int_equal(device_set_apply(f->set, f->config, NULL), FC_OK);
	UNTIL(f, f->changes[0] >= 2);
	/* Results of line 1, made here. Blocks come by period: 0 is the power. */
	struct bus_result r = result_of(BUS_OK, 0);
	r.line = 1;
	device_set_result(f->set, &r);
	r.tag = 1;
	device_set_result(f->set, &r);
	int before = f->changes[0];
	UNTIL(f, f->changes[0] > before);
	assert_int_equal(value_of(f, "a", 1, "power").quality, QUALITY_STALE);
	assert_int_equal(status_of(f, "a", 1), CONNECTOR_IDLE);
	/* The state some seconds before its end: now the status changes by time alone. */
	r.mono_us -= 290 * SECOND;
	device_set_result(f->set, &r);
	before = f->changes[0];
	UNTIL(f, f->changes[0] > before);
	assert_int_equal(status_of(f, "a", 1), CONNECTOR_OFFLINE);
	assert_int_equal(value_of(f, "a", 1, "state").quality, QUALITY_STALE);
	assert_false(value_of(f, "a", 1, "state").mono_us == 0);
	/* A result of a line or a read that there is not. */
	r.tag = 77;
	device_set_result(f->set, &r);
	r.line = 77;
	device_set_result(f->set, &r);
}

/* On the bus ----------------------------------------------------------------------------------------------------------- */

static void values_come_from_the_bus(void **state)
{
	struct fixture *f = *state;

	run(f);
	assert_int_equal(device_count(f->set), 2);
	assert_string_equal(device_name(device_at(f->set, 1)), "b");
	assert_null(device_at(f->set, 2));
	assert_null(device_find(f->set, "c"));
	atomic_store(&f->servers[1].registers[100], 2);
	atomic_store(&f->servers[1].registers[141], 22000);
	UNTIL(f, status_of(f, "b", 2) == CONNECTOR_CHARGING && is_good(f, "b", 2, "power", 22000000));
	UNTIL(f, status_of(f, "b", 1) == CONNECTOR_IDLE);
	assert_true(f->changes[0] && f->changes[1] && f->changes[2]);
	atomic_store(&f->servers[1].registers[101], 5);
	UNTIL(f, status_of(f, "b", 2) == CONNECTOR_FAULT);
	/* The device refuses one block. */
	atomic_store(&f->servers[1].refused_at, 141);
	UNTIL(f, value_of(f, "b", 2, "power").quality == QUALITY_UNKNOWN);
	UNTIL(f, status_of(f, "b", 2) == CONNECTOR_FAULT && is_good(f, "b", 1, "power", 0));
}

static void note_answer(void *user, enum bus_status status)
{
	*(int *)user = (int)status;
}

static void a_command_reaches_its_connector(void **state)
{
	struct fixture *f = *state;
	struct error err = {0};
	int answers[2] = {-1, -1};

	write_profile(f, "two",
		      POINTS ", commands = { start = { address = 50, value = 7 }, "
			     "all = { address = 60, value = 9, shared = true } }");
	run(f);
	struct device *b = device_find(f->set, "b");
	assert_true(device_can(b, "start"));
	assert_false(device_can(b, "unlock"));
	assert_false(device_can(device_find(f->set, "a"), "start"));
	assert_int_equal(device_command(f->set, b, 2, "start", note_answer, &answers[0], &err), FC_OK);
	assert_int_equal(device_command(f->set, b, 2, "all", note_answer, &answers[1], &err), FC_OK);
	UNTIL(f, answers[0] == BUS_OK && answers[1] == BUS_OK);
	assert_int_equal(atomic_load(&f->servers[1].registers[150]), 7);
	assert_int_equal(atomic_load(&f->servers[1].registers[60]), 9);
	assert_int_equal(device_command(f->set, b, 2, "unlock", note_answer, &answers[0], &err), FC_ENOENT);
	assert_int_equal(device_command(f->set, b, 3, "start", note_answer, &answers[0], &err), FC_ENOENT);
	assert_non_null(strstr(err.text, "charger b"));
	/* A charger that is gone: the answer comes all the same. */
	server_stop(&f->servers[1]);
	answers[0] = -1;
	assert_int_equal(device_command(f->set, b, 1, "start", note_answer, &answers[0], &err), FC_OK);
	UNTIL(f, answers[0] > 0);
}

static void a_silent_and_a_gone_charger_are_off_line(void **state)
{
	struct fixture *f = *state;

	run(f);
	atomic_store(&f->servers[0].silent, 1);
	server_stop(&f->servers[1]);
	UNTIL(f, status_of(f, "a", 1) == CONNECTOR_OFFLINE && status_of(f, "b", 1) == CONNECTOR_OFFLINE);
	UNTIL(f, value_of(f, "a", 1, "power").quality == QUALITY_UNKNOWN &&
		     value_of(f, "b", 2, "power").quality == QUALITY_UNKNOWN);
	assert_false(device_online(device_find(f->set, "b")));
	atomic_store(&f->servers[0].silent, 0);
	UNTIL(f, status_of(f, "a", 1) == CONNECTOR_IDLE && is_good(f, "a", 1, "power", 0));
}

/* Apply ---------------------------------------------------------------------------------------------------------------- */

static void only_what_changed_is_touched(void **state)
{
	struct fixture *f = *state;

	run(f);
	int accepted = atomic_load(&f->servers[0].accepted);
	/* Display data, and nothing at all. */
	f->config->chargers[0].equipment_name = "another name";
	f->config->connectors[0].power_w = 7;
	uint64_t a = polls_of(f, 0), b = polls_of(f, 1);
	apply(f);
	assert_true(polls_of(f, 0) >= a && polls_of(f, 1) >= b);
	assert_true(remembers(f, "a", 1));
	/* The period of b: its line is a new one, a's goes on. */
	f->config->chargers[1].poll_ms = 300;
	apply(f);
	assert_true(polls_of(f, 0) >= a);
	assert_true(remembers(f, "a", 1));
	assert_false(remembers(f, "b", 1));
	UNTIL(f, is_good(f, "b", 1, "state", 0));
	/* The same for unit, connectors and the bus itself. */
	for (int i = 0; i < 3; i++) {
		f->config->chargers[1].unit = i == 0 ? 9 : 1;
		f->config->connector_count = i == 1 ? 2 : 3;
		f->config->buses[1].gap_ms = i == 2;
		apply(f);
		assert_false(remembers(f, "b", 1));
		UNTIL(f, is_good(f, "b", 1, "state", 0));
	}
	/* b goes, then comes back. */
	f->config->bus_count = f->config->charger_count = f->config->connector_count = 1;
	apply(f);
	assert_int_equal(device_count(f->set), 1);
	assert_null(device_find(f->set, "b"));
	apply(f);
	UNTIL(f, is_good(f, "b", 1, "state", 0));
	assert_int_equal(atomic_load(&f->servers[0].accepted), accepted);
	assert_true(remembers(f, "a", 1));
}

/* A meter comes to a charger's own line while it runs, and goes: the line is not opened again, the charger forgets nothing. */
static void a_device_comes_to_a_running_line(void **state)
{
	struct fixture *f = *state;
	struct config_device meter = {.name = "m", .bus = 0, .unit = 7, .profile = "one", .poll_ms = 200};

	run(f);
	int accepted = atomic_load(&f->servers[0].accepted);
	struct device *a = device_find(f->set, "a");
	uint64_t polls = polls_of(f, 0);
	f->config->devices = &meter;
	f->config->device_count = 1;
	apply(f);
	assert_ptr_equal(device_find(f->set, "a"), a);
	assert_true(remembers(f, "a", 1));
	assert_int_equal(device_count(f->set), 3);
	assert_false(remembers(f, "m", 1));
	/* All that its profile has, whoever refers to it. */
	UNTIL(f, is_good(f, "m", 1, "power", 0) && is_good(f, "m", 2, "power", 0));
	apply(f); /* without it */
	assert_null(device_find(f->set, "m"));
	assert_ptr_equal(device_find(f->set, "a"), a);
	assert_true(remembers(f, "a", 1));
	assert_true(polls_of(f, 0) >= polls);
	UNTIL(f, polls_of(f, 0) > polls + 3);
	assert_int_equal(atomic_load(&f->servers[0].accepted), accepted);
	/* A period of its own is another device, on the same connection. */
	f->config->chargers[0].poll_ms = 400;
	apply(f);
	assert_false(remembers(f, "a", 1));
	UNTIL(f, is_good(f, "a", 1, "power", 0));
	assert_int_equal(atomic_load(&f->servers[0].accepted), accepted);
}

static void a_refused_apply_changes_nothing(void **state)
{
	struct fixture *f = *state;
	struct error err = {0};

	run(f);
	int accepted[] = {atomic_load(&f->servers[0].accepted), atomic_load(&f->servers[1].accepted)};
	f->config->chargers[0].poll_ms = 400;
	f->config->connectors[2].number = 3;
	assert_int_equal(device_set_apply(f->set, f->config, &err), FC_EINVAL);
	assert_non_null(strstr(err.text, "charger b"));
	assert_non_null(strstr(err.text, "number 3"));
	f->config->connectors[2].number = 2;
	f->config->chargers[1].profile = "absent";
	assert_int_equal(device_set_apply(f->set, f->config, &err), FC_EINVAL);
	assert_non_null(strstr(err.text, "absent.lua"));
	write_profile(f, "two", "points = { state = { address = 0, type = 'u17' } }");
	assert_int_equal(device_set_reload_profiles(f->set, &err), FC_EINVAL);
	assert_non_null(strstr(err.text, "points.state.type"));
	assert_true(remembers(f, "a", 1) && remembers(f, "b", 2));
	atomic_store(&f->servers[1].registers[0], 1);
	UNTIL(f, status_of(f, "b", 1) == CONNECTOR_OCCUPIED);
	assert_int_equal(atomic_load(&f->servers[0].accepted), accepted[0]);
	assert_int_equal(atomic_load(&f->servers[1].accepted), accepted[1]);
}

static void a_changed_profile_keeps_its_line(void **state)
{
	struct fixture *f = *state;

	run(f);
	int accepted[] = {atomic_load(&f->servers[0].accepted), atomic_load(&f->servers[1].accepted)};
	const struct device *b = device_find(f->set, "b");
	/* Twice without a change: nothing is touched. */
	assert_int_equal(device_set_reload_profiles(f->set, NULL), FC_OK);
	assert_int_equal(device_set_reload_profiles(f->set, NULL), FC_OK);
	assert_true(remembers(f, "b", 1));
	/* What the new profile reads like the old one stays known, what it reads otherwise does not. */
	const char *more = "points = { power = { address = 50, type = 'u32', unit = 'W' }, "
			   "fault = { address = 1, type = 'u16' }, state = { address = 0, type = 'u16' } }, "
			   "status = { point = 'state', map = { [0] = 1, [1] = 2, [2] = 3 }, "
			   "faults = { { point = 'fault', ['not'] = 0 } } }, "
			   "connectors = { count = 2, stride = 100 }";
	write_profile(f, "two", more);
	assert_int_equal(device_set_reload_profiles(f->set, NULL), FC_OK);
	assert_true(remembers(f, "b", 1) && remembers(f, "b", 2));
	assert_int_equal(value_of(f, "b", 1, "power").quality, QUALITY_UNKNOWN);
	assert_int_equal(status_of(f, "b", 1), CONNECTOR_IDLE);
	UNTIL(f, is_good(f, "b", 2, "power", 0));
	atomic_store(&f->servers[1].registers[0], 1);
	UNTIL(f, status_of(f, "b", 1) == CONNECTOR_OCCUPIED);
	/* The status itself is read otherwise: what was told last holds until it has been read, and the line is not left. */
	write_profile(f, "two",
		      "points = { state = { address = 0, type = 'u16', offset = 1 } }, "
		      "status = { point = 'state', map = { [1] = 4 } }, connectors = { count = 2, stride = 100 }");
	assert_int_equal(device_set_reload_profiles(f->set, NULL), FC_OK);
	/* An answer to the profile before, still on its way, means nothing to this one. */
	device_set_result(f->set,
			  &(struct bus_result){.line = 2, .unit = 1, .status = BUS_OK, .count = 1, .mono_us = 1});
	assert_false(remembers(f, "b", 1));
	assert_int_equal(status_of(f, "b", 1), CONNECTOR_OCCUPIED);
	assert_int_equal(status_of(f, "b", 2), CONNECTOR_IDLE);
	atomic_store(&f->servers[1].registers[0], 0);
	UNTIL(f, status_of(f, "b", 1) == CONNECTOR_RESERVED);
	assert_true(remembers(f, "a", 1));
	assert_ptr_equal(device_find(f->set, "b"), b);
	assert_int_equal(atomic_load(&f->servers[0].accepted), accepted[0]);
	assert_int_equal(atomic_load(&f->servers[1].accepted), accepted[1]);
	/* A charger that goes silent meanwhile is not held for ever. */
	write_profile(f, "two",
		      "points = { state = { address = 9000, type = 'u16' } }, "
		      "status = { point = 'state', map = { [1] = 4 } }, connectors = { count = 2, stride = 100 }");
	server_stop(&f->servers[1]);
	assert_int_equal(device_set_reload_profiles(f->set, NULL), FC_OK);
	UNTIL(f, status_of(f, "b", 1) == CONNECTOR_OFFLINE);
}

/* The file is the same, a module that it requires is not. */
static void a_changed_module_counts_as_a_change(void **state)
{
	struct fixture *f = *state;

	write_file(f, "lib/place", "return { address = 3, first = 0 }");
	write_file(f, "profiles/two",
		   "local place = require('place')\n"
		   "return { forecourt = 1, kind = 'profile', connectors = { count = 2, stride = 100 },\n"
		   "  points = { state = { address = place.address, type = 'u16' } },\n"
		   "  status = { point = 'state', map = { [0] = 1, [6] = 4 } } }");
	atomic_store(&f->servers[1].registers[7], 6);
	apply(f);
	UNTIL(f, status_of(f, "b", 1) == CONNECTOR_IDLE && is_good(f, "a", 1, "state", 0));
	int accepted = atomic_load(&f->servers[0].accepted);
	write_file(f, "lib/place", "return { address = 7, first = 0 }");
	assert_int_equal(device_set_reload_profiles(f->set, NULL), FC_OK);
	UNTIL(f, status_of(f, "b", 1) == CONNECTOR_RESERVED);
	assert_int_equal(atomic_load(&f->servers[0].accepted), accepted);
}

static void a_bus_may_change_its_name_and_keep_its_endpoint(void **state)
{
	struct fixture *f = *state;
	struct bus_line_stats total;

	run(f);
	f->config->buses[0].name = "renamed";
	f->config->buses[1].port = f->servers[0].port;
	f->config->buses[0].port = f->servers[1].port;
	apply(f);
	UNTIL(f, is_good(f, "a", 1, "state", 0) && is_good(f, "b", 2, "state", 0));
	device_bus_totals(f->set, &total);
	assert_int_equal(total.connected, 2);
	assert_int_equal(total.units, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(quality_and_age, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(row_39_failures_are_unknown_never_zero, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(age_is_told_without_results, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(values_come_from_the_bus, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(a_command_reaches_its_connector, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(a_silent_and_a_gone_charger_are_off_line, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(only_what_changed_is_touched, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(a_device_comes_to_a_running_line, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(a_refused_apply_changes_nothing, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(a_changed_profile_keeps_its_line, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(a_changed_module_counts_as_a_change, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(a_bus_may_change_its_name_and_keep_its_endpoint, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
