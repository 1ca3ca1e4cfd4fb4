/* device/: what goes wrong in the field, row by row of chargers.md section 4, where the charger itself is the cause. Chargers that misbehave
 * behind the real bus (device_fixture.h). Some rows have their tests with their subject: tests/README.md has the table. */
#include "device_fixture.h"

#include "cli/guess.h"

#define RULES "status = { point = 'state', map = { [0] = 1, [1] = 2, [2] = 3 } }"
/* Twelve registers that are one read unless something speaks against it. */
#define TWELVE                                                                                                      \
	"points = { state = { address = 0, type = 'u16' }, b = { address = 1, type = 'u16' }, c = { address = 2, "  \
	"type = 'u16' }, d = { address = 3, type = 'u32' }, e = { address = 5, type = 'u16' }, f = { address = 6, " \
	"type = 'u16' }, g = { address = 7, type = 'u16' }, h = { address = 8, type = 'u16' }, i = { address = 9, " \
	"type = 'u16' }, j = { address = 10, type = 'u16' }, k = { address = 11, type = 'u16' } }, " RULES

static int64_t register_of(struct fixture *f, int server, int at)
{
	return atomic_load(&f->servers[server].registers[at]);
}

static int all_good(struct fixture *f, const char *names)
{
	for (char name[2] = {0}; *names; names++) {
		name[0] = *names;
		if (value_of(f, "a", 1, name).quality != QUALITY_GOOD)
			return 0;
	}
	return value_of(f, "a", 1, "state").quality == QUALITY_GOOD;
}

static uint64_t exceptions_of(struct fixture *f)
{
	struct bus_line_stats stats;
	const char *name;

	assert_int_equal(device_bus_line(f->set, 0, &name, &stats), FC_OK);
	return stats.exceptions;
}

/* So many more requests, and no exception among them. */
static void is_settled(struct fixture *f)
{
	uint64_t before = exceptions_of(f);
	int requests = atomic_load(&f->servers[0].requests);

	UNTIL(f, atomic_load(&f->servers[0].requests) > requests + 20);
	assert_int_equal(exceptions_of(f), before);
}

/* EM2GO: more than three words are refused, and what it says is "device failure". */
static void row_23_most_words_are_learned_from_failures(void **state)
{
	struct fixture *f = *state;

	write_profile(f, "one", TWELVE);
	atomic_store(&f->servers[0].most, 3);
	atomic_store(&f->servers[0].says, 4);
	apply(f);
	struct device *d = device_find(f->set, "a");
	UNTIL(f, d->most_words == 3 && !d->suspects && all_good(f, "bcdefghijk"));
	is_settled(f);
	/* A word of two registers is not torn. */
	for (uint32_t i = 0; i < d->plan.count; i++)
		assert_true(d->plan.blocks[i].count <= 3);
	assert_true(d->plan.count <= 6);
}

/* A charger that is broken says the same: that is no reason to read it in pieces for ever. */
static void row_23_a_failure_is_not_a_length(void **state)
{
	struct fixture *f = *state;

	write_profile(f, "one", TWELVE);
	apply(f);
	UNTIL(f, all_good(f, "bcdefghijk"));
	struct device *d = device_find(f->set, "a");
	atomic_store(&f->servers[0].failing, 4);
	UNTIL(f, d->no_search_us && !d->suspects);
	int requests = atomic_load(&f->servers[0].requests);
	UNTIL(f, atomic_load(&f->servers[0].requests) > requests + 8);
	assert_int_equal(d->plan.count, 1);
	assert_int_equal(d->most_words, 0);
	assert_int_equal(value_of(f, "a", 1, "d").quality, QUALITY_UNKNOWN);
	atomic_store(&f->servers[0].failing, 0);
	UNTIL(f, all_good(f, "bcdefghijk"));
	assert_int_equal(d->plan.count, 1);
}

/* Twelve, six, three: each half is tried once, and what was learned holds while the line runs. max_words stays the upper bound. */
static void row_24_most_words_are_learned_downwards(void **state)
{
	struct fixture *f = *state;

	write_profile(f, "one", TWELVE);
	atomic_store(&f->servers[0].most, 5);
	apply(f);
	struct device *d = device_find(f->set, "a");
	UNTIL(f, d->most_words == 3 && !d->suspects && all_good(f, "bcdefghijk"));
	is_settled(f);
	assert_int_equal(atomic_load(&f->servers[0].accepted), 1);
	/* Another profile of the same charger: nothing is learned anew that is known. */
	write_profile(f, "one", "modbus = { max_words = 2 }, " TWELVE);
	assert_int_equal(device_set_reload_profiles(f->set, NULL), FC_OK);
	UNTIL(f, all_good(f, "bcdefghijk"));
	is_settled(f);
	for (uint32_t i = 0; i < d->plan.count; i++)
		assert_true(d->plan.blocks[i].count <= 2);
}

/* Nothing is read but what the profile names, also while a culprit is looked for; never across what it denies. */
static void row_26_unknown_registers_are_never_probed(void **state)
{
	struct fixture *f = *state;
	static const int known[] = {0, 1, 4, 20, 21, 23};

	write_profile(
	    f, "one",
	    "modbus = { merge_gap = 0, deny = { { 2, 3 }, { 22, 22 } } }, points = { state = { address = 0, type = "
	    "'u16' }, "
	    "b = { address = 1, type = 'u16' }, c = { address = 4, type = 'u16' }, d = { address = 20, type = "
	    "'u32', optional = true }, e = { address = 23, type = 'u16' } }, " RULES);
	write_profile(f, "two",
		      "connectors = { count = 2, stride = 100 }, modbus = { merge_gap = 10, deny = { { 2, 3 } } }, "
		      "points = { state = { address = 0, type = 'u16' }, "
		      "b = { address = 4, type = 'u16' } }, " RULES);
	atomic_store(&f->servers[0].refused_at, 20);
	apply(f);
	struct device *d = device_find(f->set, "a");
	UNTIL(f, all_good(f, "bce") && value_of(f, "b", 1, "b").quality == QUALITY_GOOD);
	UNTIL(f, !d->suspects && d->left_out_us);
	int once = atomic_load(&f->servers[0].touched[20]);
	is_settled(f);
	assert_int_equal(atomic_load(&f->servers[0].touched[20]), once); /* refused and optional: asked no more */
	for (int i = 0, k = 0; i < REGISTERS; i++) {
		int is_known = k < 6 && known[k] == i;

		k += is_known;
		assert_true(!!atomic_load(&f->servers[0].touched[i]) == is_known);
	}
	/* However large the gap is that may be read needlessly. */
	assert_int_equal(atomic_load(&f->servers[1].touched[2]) + atomic_load(&f->servers[1].touched[3]), 0);
	assert_true(atomic_load(&f->servers[1].touched[0]) > 0);
}

/* An older firmware has no such register: one exception, not one every six seconds. */
static void row_27_a_refused_heartbeat_is_left_alone(void **state)
{
	struct fixture *f = *state;

	write_profile(f, "one",
		      "points = { state = { address = 0, type = 'u16' } }, " RULES
		      ", keep_alive = { address = 30, value = 1, period_ms = 200 }");
	atomic_store(&f->servers[0].refused_at, 30);
	apply(f);
	UNTIL(f, atomic_load(&f->servers[0].writes) == 1);
	UNTIL(f, exceptions_of(f) == 1);
	is_settled(f);
	assert_int_equal(atomic_load(&f->servers[0].writes), 1);
	assert_int_equal(status_of(f, "a", 1), CONNECTOR_IDLE);
}

static void note_answer(void *user, enum bus_status status)
{
	*(int *)user = (int)status;
}

/* A firmware that made the register read-only confirms the write all the same: reading back tells. */
static void row_29_writes_are_read_back(void **state)
{
	struct fixture *f = *state;
	struct error err = {0};
	int answer = -1;

	write_profile(
	    f, "one",
	    "points = { state = { address = 0, type = 'u16' }, mode = { address = 50, type = 'u16' } }, " RULES
	    ", commands = { start = { steps = { { address = 50, value = 7 }, { check = 'mode', equals = 7, "
	    "within_ms = 1500 } } } }");
	apply(f);
	UNTIL(f, is_good(f, "a", 1, "mode", 0));
	atomic_store(&f->servers[0].read_only, 1);
	assert_int_equal(device_command(f->set, device_find(f->set, "a"), 1, "start", note_answer, &answer, &err),
			 FC_OK);
	UNTIL(f, answer >= 0);
	assert_int_equal(answer, BUS_TIMEOUT);
	assert_int_equal(atomic_load(&f->servers[0].writes), 1);
	atomic_store(&f->servers[0].read_only, 0);
	answer = -1;
	assert_int_equal(device_command(f->set, device_find(f->set, "a"), 1, "start", note_answer, &answer, &err),
			 FC_OK);
	UNTIL(f, answer >= 0);
	assert_int_equal(answer, BUS_OK);
}

/* A charger whose limit, register 70, reads back at register back. */
static void write_limited(struct fixture *f, int back, const char *more)
{
	char body[900];

	(void)snprintf(
	    body, sizeof(body),
	    "points = { state = { address = 0, type = 'u16' }, limit = { address = %d, type = 'u16', unit = "
	    "'A', scale = 0.1 } }, " RULES ", setpoint = { address = 70, type = 'u16', unit = 'A', scale = "
	    "0.1, min = 6, max = 32, verify = 'limit', verify_ms = 500, %s }, commands = { start = { steps = "
	    "{ { limit = 20 } } } }",
	    back, more);
	write_profile(f, "one", body);
}

static enum limit_state limit_of(struct fixture *f, struct device_limit *limit)
{
	assert_int_equal(device_limit_state(device_find(f->set, "a"), 1, limit), FC_OK);
	return limit->state;
}

static void more_requests(struct fixture *f, int count)
{
	int requests = atomic_load(&f->servers[0].requests);

	UNTIL(f, atomic_load(&f->servers[0].requests) > requests + count);
}

/* The same of a limit, which nobody waits for: it is written once more, then said, and stays said until it counts. */
static void row_29_a_limit_is_read_back(void **state)
{
	struct fixture *f = *state;
	struct device_limit limit;
	struct error err = {0};
	int answer = -1;

	write_limited(f, 70, "initial = 10");
	atomic_store(&f->servers[0].read_only, 1);
	atomic_store(&f->servers[0].registers[70], 320);
	apply(f);
	struct device *d = device_find(f->set, "a");
	UNTIL(f, d->each[0].is_held && limit_of(f, &limit) == LIMIT_NOT_TAKEN);
	assert_int_equal(atomic_load(&f->servers[0].writes), 2);
	assert_int_equal(limit.milli, 10000);
	assert_int_equal(limit.reads_back.milli, 32000);
	assert_string_equal(limit.point, "limit");
	more_requests(f, 20);
	assert_int_equal(atomic_load(&f->servers[0].writes), 2);
	/* Another limit has its two chances; that none was taken stays said meanwhile. */
	assert_int_equal(device_limit(f->set, d, 1, 12000, &err), FC_OK);
	assert_int_equal(limit_of(f, &limit), LIMIT_NOT_TAKEN);
	UNTIL(f, atomic_load(&f->servers[0].writes) == 4);
	more_requests(f, 20);
	assert_int_equal(atomic_load(&f->servers[0].writes), 4);
	assert_int_equal(limit_of(f, &limit), LIMIT_NOT_TAKEN);
	/* It can be written again: a command's limit is looked at as well, and one write is enough. */
	atomic_store(&f->servers[0].read_only, 0);
	assert_int_equal(device_command(f->set, d, 1, "start", note_answer, &answer, &err), FC_OK);
	UNTIL(f, limit_of(f, &limit) == LIMIT_TAKEN);
	assert_int_equal(answer, BUS_OK);
	assert_int_equal(limit.milli, 20000);
	assert_int_equal(atomic_load(&f->servers[0].writes), 5);
	/* Tenths of an ampere: 16.04 is written as 16.0, and that is it. */
	assert_int_equal(device_limit(f->set, d, 1, 16040, &err), FC_OK);
	assert_int_equal(limit_of(f, &limit), LIMIT_HELD);
	UNTIL(f, limit_of(f, &limit) == LIMIT_TAKEN);
	assert_int_equal(register_of(f, 0, 70), 160);
	assert_int_equal(atomic_load(&f->servers[0].writes), 6);
}

/* What is in force may be less than the limit, the cable's for one; more it may not be. */
static void row_29_what_is_in_force_may_be_less(void **state)
{
	struct fixture *f = *state;
	struct device_limit limit;
	struct error err = {0};

	write_limited(f, 80, "initial = 16, verify_at_most = true");
	atomic_store(&f->servers[0].registers[80], 130);
	apply(f);
	struct device *d = device_find(f->set, "a");
	UNTIL(f, d->each[0].is_held && limit_of(f, &limit) == LIMIT_TAKEN);
	assert_int_equal(atomic_load(&f->servers[0].writes), 1);
	assert_int_equal(device_limit(f->set, d, 1, 10000, &err), FC_OK);
	UNTIL(f, limit_of(f, &limit) == LIMIT_NOT_TAKEN);
	assert_int_equal(atomic_load(&f->servers[0].writes), 3);
	assert_int_equal(limit.reads_back.milli, 13000);
}

/* A refresh does not put the verdict off; what can't be read is no verdict; and a limit that is lost later is noticed. */
static void row_29_a_refreshed_limit_is_read_back_each_time(void **state)
{
	struct fixture *f = *state;
	struct device_limit limit;

	write_limited(f, 80, "initial = 16, refresh_ms = 500");
	atomic_store(&f->servers[0].muted_at, 80);
	apply(f);
	struct device *d = device_find(f->set, "a");
	UNTIL(f, atomic_load(&f->servers[0].writes) > 4);
	assert_int_equal(limit_of(f, &limit), LIMIT_HELD);
	atomic_store(&f->servers[0].registers[80], 160);
	atomic_store(&f->servers[0].muted_at, -1);
	UNTIL(f, limit_of(f, &limit) == LIMIT_TAKEN);
	atomic_store(&f->servers[0].registers[80], 320);
	UNTIL(f, limit_of(f, &limit) == LIMIT_NOT_TAKEN);
	assert_int_equal(d->each[0].milli, 16000);
	atomic_store(&f->servers[0].registers[80], 160);
	UNTIL(f, limit_of(f, &limit) == LIMIT_TAKEN);
}

/* One that is refused outright is written no more, and that is seen, too. */
static void row_29_a_refused_limit_is_said(void **state)
{
	struct fixture *f = *state;
	struct device_limit limit;

	write_limited(f, 80, "initial = 16");
	atomic_store(&f->servers[0].refused_at, 70);
	apply(f);
	struct device *d = device_find(f->set, "a");
	UNTIL(f, d->each[0].is_held && limit_of(f, &limit) == LIMIT_REFUSED);
	more_requests(f, 20);
	assert_int_equal(atomic_load(&f->servers[0].writes), 1);
}

/* Sungrow falls back after a minute of silence: the keep-alive keeps its own time, however seldom is read. */
static void row_32_a_keep_alive_needs_no_polls(void **state)
{
	struct fixture *f = *state;

	write_profile(f, "one",
		      "points = { state = { address = 0, type = 'u16', period_ms = 3600000 } }, " RULES
		      ", keep_alive = { { address = 30, value = 1, period_ms = 200 }, { fc = 3, address = 40, words = "
		      "1, period_ms "
		      "= 300 } }");
	apply(f);
	UNTIL(f, value_of(f, "a", 1, "state").quality == QUALITY_GOOD);
	int writes = atomic_load(&f->servers[0].writes), reads = atomic_load(&f->servers[0].touched[40]);
	UNTIL(f, atomic_load(&f->servers[0].writes) > writes + 5);
	UNTIL(f, atomic_load(&f->servers[0].touched[40]) > reads + 3);
	assert_int_equal(atomic_load(&f->servers[0].touched[0]), 1);
}

/* KEBA: one write arms the failsafe for ever. Whether it is armed is read before anything is written. */
static void row_33_the_failsafe_is_read_first(void **state)
{
	struct fixture *f = *state;

	write_profile(
	    f, "one",
	    "points = { state = { address = 0, type = 'u16' }, failsafe_s = { address = 31, type = 'u16', period_ms = "
	    "60000 } }, " RULES
	    ", keep_alive = { address = 30, value = 1, period_ms = 200, unless = { failsafe_s = 0 } }");
	/* Not armed, and its register takes a while to be read. */
	atomic_store(&f->servers[0].muted_at, 31);
	apply(f);
	UNTIL(f, value_of(f, "a", 1, "state").quality == QUALITY_GOOD && atomic_load(&f->servers[0].requests) > 8);
	assert_int_equal(atomic_load(&f->servers[0].writes), 0);
	atomic_store(&f->servers[0].muted_at, -1);
	UNTIL(f, value_of(f, "a", 1, "failsafe_s").quality == QUALITY_GOOD);
	is_settled(f);
	assert_int_equal(atomic_load(&f->servers[0].writes), 0);
}

/* HYC: a limit of 0 aborts the session. What pauses a charge is the profile's to say. */
static void row_34_the_pause_value_is_the_devices(void **state)
{
	struct fixture *f = *state;
	struct error err = {0};
	int answer = -1;

	write_profile(f, "one",
		      "points = { state = { address = 0, type = 'u16' } }, " RULES
		      ", setpoint = { address = 70, type = 'u16', unit = 'W', min = 1000, max = 60000, pause = 500 }, "
		      "commands = { stop = { steps = { { pause = true } } } }");
	apply(f);
	UNTIL(f, value_of(f, "a", 1, "state").quality == QUALITY_GOOD);
	struct device *d = device_find(f->set, "a");
	assert_int_equal(device_command(f->set, d, 1, "stop", note_answer, &answer, &err), FC_OK);
	UNTIL(f, answer >= 0);
	assert_int_equal(register_of(f, 0, 70), 500);
	assert_int_equal(device_limit(f->set, d, 1, 0, &err), FC_EINVAL);
	assert_int_equal(device_limit(f->set, d, 1, 500000, &err), FC_OK);
}

/* 324 read as 21233664: the words are the other way round for this one product, and the range says so. */
static void row_36_swapped_words_are_implausible(void **state)
{
	struct fixture *f = *state;

	write_profile(f, "one",
		      "points = { state = { address = 0, type = 'u16' }, hi = { address = 8, type = 'u32', unit = 's', "
		      "max = 1000000 "
		      "}, lo = { address = 8, type = 'u32', order = 'lo-hi', unit = 's', max = 1000000 } }, " RULES);
	atomic_store(&f->servers[0].registers[8], 324);
	apply(f);
	UNTIL(f, is_good(f, "a", 1, "lo", 324000));
	assert_int_equal(value_of(f, "a", 1, "hi").quality, QUALITY_UNKNOWN);
}

/* A gateway answers for ever with the last values of a device that is dead: they are as old as it says they are. */
static void row_38_values_are_as_old_as_the_device_says(void **state)
{
	struct fixture *f = *state;

	write_profile(f, "one",
		      "points = { state = { address = 0, type = 'u16' }, power = { address = 1, type = 'u16' }, age = "
		      "{ address = 2, "
		      "type = 'u16', unit = 's' } }, " RULES);
	atomic_store(&f->servers[0].registers[2], 1);
	apply(f);
	UNTIL(f, value_of(f, "a", 1, "power").quality == QUALITY_GOOD);
	struct point_value power = value_of(f, "a", 1, "power"), age = value_of(f, "a", 1, "age");
	assert_int_equal(age.mono_us - power.mono_us, 1000000);
	/* Nobody has heard of it for a minute. */
	atomic_store(&f->servers[0].registers[2], 60);
	UNTIL(f, value_of(f, "a", 1, "power").quality == QUALITY_STALE);
	assert_int_equal(status_of(f, "a", 1), CONNECTOR_OFFLINE);
	assert_int_equal(value_of(f, "a", 1, "age").quality, QUALITY_GOOD);
	atomic_store(&f->servers[0].registers[2], 0);
	UNTIL(f, status_of(f, "a", 1) == CONNECTOR_IDLE);
}

/* What it says while it idles is constant or nonsense: good in the states that were named only. */
static void row_40_values_are_valid_by_state(void **state)
{
	struct fixture *f = *state;

	write_profile(f, "one",
		      "points = { state = { address = 0, type = 'u16' }, power = { address = 1, type = 'u16', "
		      "valid_when = { state = "
		      "2 } } }, " RULES);
	atomic_store(&f->servers[0].registers[1], 4711);
	apply(f);
	UNTIL(f, status_of(f, "a", 1) == CONNECTOR_IDLE && atomic_load(&f->servers[0].requests) > 4);
	assert_int_equal(value_of(f, "a", 1, "power").quality, QUALITY_UNKNOWN);
	atomic_store(&f->servers[0].registers[0], 2);
	UNTIL(f, is_good(f, "a", 1, "power", 4711000));
	atomic_store(&f->servers[0].registers[0], 0);
	UNTIL(f, value_of(f, "a", 1, "power").quality == QUALITY_UNKNOWN);
}

/* The profile's address is the one in the request; a table's 40001 is told from it, and said. */
static void row_42_addresses_are_those_on_the_wire(void **state)
{
	struct fixture *f = *state;
	enum guess_base base;
	int table;
	long number;

	write_profile(
	    f, "one",
	    "points = { state = { address = 0, type = 'u16' }, power = { address = 41, type = 'u16' } }, " RULES);
	apply(f);
	UNTIL(f, value_of(f, "a", 1, "power").quality == QUALITY_GOOD);
	assert_true(atomic_load(&f->servers[0].touched[41]) > 0);
	assert_int_equal(atomic_load(&f->servers[0].touched[40]) + atomic_load(&f->servers[0].touched[42]), 0);
	assert_int_equal(guess_address("40001", &base, &table, &number), 0);
	assert_true(base == BASE_FIVE && table == 4);
	assert_int_equal(guess_address("0x1F", &base, &table, &number), 0);
	assert_true(base == BASE_HEX && number == 31);
	assert_int_equal(guess_address("41", &base, &table, &number), 0);
	assert_true(base == BASE_AS_IS && number == 41);
}

/* Not faster than its profile allows, whatever the configuration says; and who starts again all day is told of. */
static void row_43_polls_are_paced_and_restarts_counted(void **state)
{
	struct fixture *f = *state;

	write_profile(f, "one",
		      "modbus = { min_period_ms = 1000 }, points = { state = { address = 0, type = 'u16', period_ms = "
		      "100 }, uptime = { "
		      "address = 5, type = 'u16', unit = 's' } }, " RULES);
	atomic_store(&f->servers[0].registers[5], 100);
	apply(f);
	struct device *d = device_find(f->set, "a");
	for (uint32_t i = 0; i < d->plan.count; i++)
		assert_int_equal(d->plan.blocks[i].period_ms, 1000);
	for (int i = 1; i <= 4; i++) {
		UNTIL(f, value_of(f, "a", 1, "uptime").milli == 100000);
		atomic_store(&f->servers[0].registers[5], 1);
		UNTIL(f, d->restarts == i);
		atomic_store(&f->servers[0].registers[5], 100);
	}
	/* As a configuration that says nothing has it. */
	assert_int_equal(profile_period(d->profile, &(struct point){0}, 1000), 1000);
}

/* Deaf in standby: off line and unknown, asked slowly, and told all it must hear as soon as it answers. */
static void row_44_a_charger_in_standby_comes_back(void **state)
{
	struct fixture *f = *state;

	write_profile(
	    f, "one",
	    "points = { state = { address = 0, type = 'u16' } }, " RULES
	    ", setpoint = { address = 70, type = 'u16', unit = 'A', min = 6, max = 32, initial = 10 }, keep_alive = { "
	    "address = 30, value = 4, period_ms = 500 }");
	apply(f);
	UNTIL(f, register_of(f, 0, 70) == 10 && register_of(f, 0, 30) == 4);
	atomic_store(&f->servers[0].silent, 1);
	UNTIL(f, status_of(f, "a", 1) == CONNECTOR_OFFLINE && !device_online(device_find(f->set, "a")));
	assert_int_equal(value_of(f, "a", 1, "state").quality, QUALITY_UNKNOWN);
	/* Nothing is written into the void. */
	int requests = atomic_load(&f->servers[0].requests);
	atomic_store(&f->servers[0].registers[70], 0);
	atomic_store(&f->servers[0].registers[30], 0);
	UNTIL(f, atomic_load(&f->servers[0].requests) > requests + 1);
	atomic_store(&f->servers[0].silent, 0);
	UNTIL(f, status_of(f, "a", 1) == CONNECTOR_IDLE && register_of(f, 0, 70) == 10 && register_of(f, 0, 30) == 4);
}

/* Three requests in a row without an answer, not a minute. */
static void row_47_a_lost_charger_is_noticed_soon(void **state)
{
	struct fixture *f = *state;

	run(f);
	atomic_store(&f->servers[0].silent, 1);
	int requests = atomic_load(&f->servers[0].requests);
	UNTIL(f, !device_online(device_find(f->set, "a")));
	assert_in_range(atomic_load(&f->servers[0].requests) - requests, 3, 6);
	assert_int_equal(status_of(f, "a", 1), CONNECTOR_OFFLINE);
	/* The other charger is another line's. */
	assert_int_equal(status_of(f, "b", 1), CONNECTOR_IDLE);
}

/* One block is answered no more: what it holds grows old, and nothing else. */
static void row_48_age_is_of_each_value(void **state)
{
	struct fixture *f = *state;

	run(f);
	int64_t before = value_of(f, "a", 1, "power").mono_us;
	atomic_store(&f->servers[0].muted_at, 40);
	UNTIL(f, value_of(f, "a", 1, "power").quality == QUALITY_STALE);
	assert_true(value_of(f, "a", 1, "power").mono_us - before < 3000000);
	assert_int_equal(value_of(f, "a", 1, "state").quality, QUALITY_GOOD);
	assert_int_equal(status_of(f, "a", 1), CONNECTOR_IDLE);
	assert_true(device_online(device_find(f->set, "a")));
	atomic_store(&f->servers[0].muted_at, -1);
	UNTIL(f, value_of(f, "a", 1, "power").quality == QUALITY_GOOD);
}

#define ROW(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    ROW(row_23_most_words_are_learned_from_failures),
	    ROW(row_23_a_failure_is_not_a_length),
	    ROW(row_24_most_words_are_learned_downwards),
	    ROW(row_26_unknown_registers_are_never_probed),
	    ROW(row_27_a_refused_heartbeat_is_left_alone),
	    ROW(row_29_writes_are_read_back),
	    ROW(row_29_a_limit_is_read_back),
	    ROW(row_29_what_is_in_force_may_be_less),
	    ROW(row_29_a_refreshed_limit_is_read_back_each_time),
	    ROW(row_29_a_refused_limit_is_said),
	    ROW(row_32_a_keep_alive_needs_no_polls),
	    ROW(row_33_the_failsafe_is_read_first),
	    ROW(row_34_the_pause_value_is_the_devices),
	    ROW(row_36_swapped_words_are_implausible),
	    ROW(row_38_values_are_as_old_as_the_device_says),
	    ROW(row_40_values_are_valid_by_state),
	    ROW(row_42_addresses_are_those_on_the_wire),
	    ROW(row_43_polls_are_paced_and_restarts_counted),
	    ROW(row_44_a_charger_in_standby_comes_back),
	    ROW(row_47_a_lost_charger_is_noticed_soon),
	    ROW(row_48_age_is_of_each_value),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
