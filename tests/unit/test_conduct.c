/* charge/conduct: whose answer an answer is. The charger is an agent that a test answers for; there is no bus. */
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
#include "charge/durable.h"
#include "charge/policy.h"
#include "charge/set.h"
#include "device/agent.h"
#include "device/seat.h"
#include "device/set.h"
#include "folder.h"

struct fixture {
	char folder[64];
	struct store *store;
	struct loop *loop;
	struct profile profile;
	struct device *device, *on_line[1];
	struct line line, *lines[1];
	struct device_set devices;
	struct config whole;
	struct config_connector config;
	struct config_charger config_charger;
	struct config_station config_station;
	struct connector connector;
	struct charge_set set;
	struct charge charge;
	int orders;
};

/* What the charger was told, in order: a letter a command. */
static char told[32];
/* How it can't be told anything now; FC_OK: it can. */
static int deaf;
static int events_told[8]; /* by enum charge_event_kind */

static void *start(const struct profile *profile, const struct agent_settings *settings, const struct agent_host *host,
		   struct error *err)
{
	(void)profile;
	(void)settings;
	(void)host;
	(void)err;
	return malloc(1);
}

static int command(void *agent, int number, const char *name, struct error *err)
{
	size_t n = strlen(told);

	(void)agent;
	(void)number;
	if (deaf)
		return error_set(err, deaf, "no memory");
	assert_true(n + 1 < sizeof(told));
	told[n] = name[2] == 'a' ? '+' : '-';
	return FC_OK;
}

static const struct agent_kind kind = {.name = "told", .start = start, .stop = free, .command = command};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct error err = {0};
	static const int one[] = {1};

	assert_non_null(f);
	memset(told, 0, sizeof(told));
	deaf = FC_OK;
	folder_make(f->folder, sizeof(f->folder), "conduct");
	f->store = store_open(f->folder, &err);
	f->loop = loop_new(&err);
	assert_true(f->store && f->loop);
	f->profile.agent = &kind;
	f->profile.connectors = 1;
	(void)snprintf(f->profile.points[0].name, sizeof(f->profile.points[0].name), "state");
	f->profile.point_count = 1;
	f->profile.status.point = 0;
	(void)snprintf(f->profile.commands[0].name, sizeof(f->profile.commands[0].name), "start");
	(void)snprintf(f->profile.commands[1].name, sizeof(f->profile.commands[1].name), "stop");
	f->profile.command_count = 2;
	f->device = f->on_line[0] = device_new("c1", &f->profile, one, 1, 1000, 1, &err);
	assert_non_null(f->device);
	f->device->seat->up = 1;
	f->line = (struct line){.devices = f->on_line, .device_count = 1};
	f->lines[0] = &f->line;
	f->devices = (struct device_set){.loop = f->loop, .lines = f->lines, .line_count = 1};
	f->whole.gateway.operator_id = "123456789";
	f->set = (struct charge_set){.conductor = {.store = f->store, .devices = &f->devices, .user = &f->set},
				     .config = &f->whole};
	f->config = (struct config_connector){.connector_id = "K1", .number = 1, .power_w = 60000};
	f->config.meter_source = f->config.bms_source = (struct config_source){"", 1};
	f->connector = (struct connector){.config = &f->config,
					  .charger = &f->config_charger,
					  .station = &f->config_station,
					  .device = f->device,
					  .status = CONNECTOR_OCCUPIED};
	f->charge = (struct charge){.conductor = &f->set.conductor, .connector = &f->connector, .result_s = 50};
	(void)snprintf(f->charge.connector_id, sizeof(f->charge.connector_id), "K1");
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	free(f->charge.order);
	loop_timer_cancel(f->loop, &f->devices.due_timer);
	device_free(f->device);
	loop_free(f->loop);
	store_close(f->store);
	folder_remove(f->folder);
	free(f);
	return 0;
}

static void order(struct fixture *f)
{
	struct order *o = calloc(1, sizeof(*o));

	assert_non_null(o);
	(void)snprintf(o->seq, sizeof(o->seq), "12345678900000000000000%u", (unsigned)++f->orders % 10);
	(void)snprintf(o->connector_id, sizeof(o->connector_id), "K1");
	policy_free_of_charge(clock_wall(), &o->tariff);
	assert_int_equal(conduct(&f->charge, SESSION_START, o, NULL), FC_OK);
}

static void see(struct fixture *f, enum connector_status status)
{
	f->connector.status = status;
	(void)conduct(&f->charge, session_seen(status), NULL, NULL);
}

static void answer(struct fixture *f, enum bus_status status)
{
	command_done(&f->devices.commands, f->device, 1, status);
	conduct_tick(&f->charge);
}

/* An answer that comes when the next charge is under way already confirms nothing of that one: its own command is still to be sent. */
static void an_answer_is_of_its_own_charge(void **state)
{
	struct fixture *f = *state;

	order(f);
	assert_string_equal(told, "+");
	answer(f, BUS_OK);
	see(f, CONNECTOR_CHARGING);
	conduct_stop(&f->charge, SESSION_BY_PLATFORM, 50);
	assert_string_equal(told, "+-");
	/* It is over before the stop is answered, and the next one begins and is to stop, too. */
	see(f, CONNECTOR_OCCUPIED);
	f->charge.closing_since_us -= 60000000;
	conduct_tick(&f->charge);
	assert_null(f->charge.order);
	order(f);
	assert_string_equal(told, "+-+");
	see(f, CONNECTOR_CHARGING);
	conduct_stop(&f->charge, SESSION_BY_PLATFORM, 50);
	assert_string_equal(told, "+-+");
	/* The answers in their order: stop of the first, start and stop of the second. */
	answer(f, BUS_OK);
	assert_string_equal(told, "+-+-");
	answer(f, BUS_OK);
	assert_non_null(f->charge.command);
	answer(f, BUS_OK);
	assert_null(f->charge.command);
	assert_string_equal(told, "+-+-");
	conduct_tick(&f->charge);
	assert_string_equal(told, "+-+-");
}

/* A stop while the start is still being checked: each is answered once, and only its own answer counts. */
static void a_stop_goes_past_the_start(void **state)
{
	struct fixture *f = *state;

	order(f);
	conduct_stop(&f->charge, SESSION_BY_PLATFORM, 50);
	assert_string_equal(told, "+-");
	conduct_tick(&f->charge);
	assert_string_equal(told, "+-");
	answer(f, BUS_DISCONNECTED); /* the start, ended by the stop */
	assert_string_equal(f->charge.command, "stop");
	assert_string_equal(told, "+-");
	answer(f, BUS_TIMEOUT); /* the stop: again */
	assert_string_equal(told, "+--");
	answer(f, BUS_OK);
	assert_null(f->charge.command);
	assert_string_equal(told, "+--");
}

static void note_event(void *user, const struct charge_event *event)
{
	(void)user;
	events_told[event->kind]++;
}

/* Its time runs out, and the platform is told so: a charge that nobody stops costs money, and is told to stop once that can be said. */
static void a_stop_that_could_not_be_said_is_owed(void **state)
{
	struct fixture *f = *state;

	memset(events_told, 0, sizeof(events_told));
	f->set.conductor.hooks.event = note_event;
	order(f);
	answer(f, BUS_OK);
	see(f, CONNECTOR_CHARGING);
	deaf = FC_ENOMEM;
	conduct_stop(&f->charge, SESSION_BY_PLATFORM, 50);
	for (int i = 0; i < 5; i++)
		conduct_tick(&f->charge);
	assert_int_equal(f->charge.state, SESSION_STOPPING);
	assert_int_equal(events_told[CHARGE_NOT_STOPPED], 0);
	f->charge.deadline_us = 1;
	conduct_tick(&f->charge);
	assert_int_equal(f->charge.state, SESSION_CHARGING);
	assert_int_equal(events_told[CHARGE_NOT_STOPPED], 1);
	assert_string_equal(told, "+");
	/* Still not, which is told once only; and then it can. */
	conduct_tick(&f->charge);
	assert_int_equal(f->charge.state, SESSION_STOPPING);
	f->charge.deadline_us = 1;
	conduct_tick(&f->charge);
	conduct_tick(&f->charge);
	assert_int_equal(f->charge.state, SESSION_STOPPING);
	assert_int_equal(events_told[CHARGE_NOT_STOPPED], 1);
	assert_string_equal(told, "+");
	deaf = FC_OK;
	conduct_tick(&f->charge);
	assert_string_equal(told, "+-");
	answer(f, BUS_OK);
	see(f, CONNECTOR_OCCUPIED);
	f->charge.closing_since_us -= 60000000;
	conduct_tick(&f->charge);
	assert_null(f->charge.order);
	assert_int_equal(events_told[CHARGE_STOPPED], 1);
	/* The next one owes nothing. */
	order(f);
	answer(f, BUS_OK);
	see(f, CONNECTOR_CHARGING);
	for (int i = 0; i < 3; i++)
		conduct_tick(&f->charge);
	assert_string_equal(told, "+-+");
	assert_int_equal(f->charge.state, SESSION_CHARGING);
}

/* What the charger was given and ignores is not owed: that is told, and a person's to see to. */
static void a_stop_that_is_ignored_is_told(void **state)
{
	struct fixture *f = *state;

	order(f);
	answer(f, BUS_OK);
	see(f, CONNECTOR_CHARGING);
	conduct_stop(&f->charge, SESSION_BY_PLATFORM, 50);
	answer(f, BUS_OK);
	f->charge.deadline_us = 1;
	conduct_tick(&f->charge);
	conduct_tick(&f->charge);
	assert_int_equal(f->charge.state, SESSION_CHARGING);
	assert_string_equal(told, "+-");
}

/* The car is gone before current flows: the start may be waiting there for the next one. A charger that has nothing to stop says so, and one
 * that says nothing is not told for ever: whoever comes next may begin at the charger, and it would be his charge that ends. */
static void a_charge_that_is_over_is_told_to_stop_for_a_while(void **state)
{
	static const enum bus_status answers[] = {BUS_OK, BUS_EXCEPTION, BUS_TIMEOUT};
	struct fixture *f = *state;
	size_t asked = 0;

	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		see(f, CONNECTOR_OCCUPIED);
		order(f);
		answer(f, BUS_OK);
		see(f, CONNECTOR_IDLE);
		f->charge.closing_since_us -= 60000000;
		conduct_tick(&f->charge);
		assert_null(f->charge.order);
		assert_string_equal(told + asked, "+-");
		asked += 2;
		answer(f, answers[i]);
		if (answers[i] == BUS_TIMEOUT) {
			assert_string_equal(told + asked, "-");
			asked++;
			f->charge.entered_us -= 31000000;
			answer(f, BUS_TIMEOUT);
		}
		for (int j = 0; j < 3; j++)
			conduct_tick(&f->charge);
		assert_null(f->charge.command);
		assert_string_equal(told + asked, "");
	}
}

/* What could not be said of a charge that is over is not owed by the next one. */
static void a_stop_is_owed_by_its_own_charge(void **state)
{
	struct fixture *f = *state;

	order(f);
	answer(f, BUS_OK);
	deaf = FC_ENOMEM;
	see(f, CONNECTOR_IDLE);
	f->charge.closing_since_us -= 60000000;
	for (int i = 0; i < 3; i++)
		conduct_tick(&f->charge);
	assert_null(f->charge.order);
	assert_string_equal(told, "+");
	deaf = FC_OK;
	f->connector.status = CONNECTOR_OCCUPIED;
	order(f);
	answer(f, BUS_OK);
	see(f, CONNECTOR_CHARGING);
	for (int i = 0; i < 3; i++)
		conduct_tick(&f->charge);
	assert_string_equal(told, "++");
	assert_int_equal(f->charge.state, SESSION_CHARGING);
}

/* Reads the status, which is what it was. Each reading is later than the one before. */
static void poll(struct fixture *f)
{
	int64_t before = clock_mono_us(), at_us;

	/* A microsecond of its own: later than all before it, and over before what follows. */
	while ((at_us = clock_mono_us()) <= before)
		;
	device_take_value(f->device, 0, 0, &(struct point_value){.quality = QUALITY_GOOD, .mono_us = at_us});
	while (clock_mono_us() <= at_us)
		;
	conduct_tick(&f->charge);
}

static void time_is_up(struct fixture *f)
{
	f->charge.deadline_us = clock_mono_us();
	conduct_tick(&f->charge);
}

/* poll_ms 30 s: the limit of 40 s goes by before the charger was looked at twice since it took the start. */
static void a_start_is_given_two_looks(void **state)
{
	struct fixture *f = *state;

	order(f);
	poll(f);
	poll(f);
	poll(f);
	/* What was read before the charger confirmed the start says nothing of it. */
	answer(f, BUS_OK);
	assert_null(f->charge.command);
	time_is_up(f);
	assert_int_equal(f->charge.state, SESSION_STARTING);
	poll(f);
	assert_int_equal(f->charge.state, SESSION_STARTING);
	/* Ticks without a reading are no looks. */
	for (int i = 0; i < 5; i++)
		conduct_tick(&f->charge);
	assert_int_equal(f->charge.state, SESSION_STARTING);
	assert_string_equal(told, "+");
	poll(f);
	assert_int_equal(f->charge.state, SESSION_STOPPING);
	assert_true(f->charge.order->failed);
	assert_string_equal(told, "+-");
}

static void the_second_look_sees_it(void **state)
{
	struct fixture *f = *state;

	order(f);
	answer(f, BUS_OK);
	time_is_up(f);
	poll(f);
	see(f, CONNECTOR_CHARGING);
	poll(f);
	assert_int_equal(f->charge.state, SESSION_CHARGING);
	assert_true(f->charge.order->began);
	assert_false(f->charge.order->failed);
	assert_string_equal(told, "+");
}

/* No look is waited for that will not come, nor for a start that nobody took. */
static void a_start_is_not_waited_for_in_vain(void **state)
{
	struct fixture *f = *state;

	order(f);
	time_is_up(f);
	assert_int_equal(f->charge.state, SESSION_STOPPING);
	assert_true(f->charge.order->failed);
	tear_down(state);
	assert_int_equal(set_up(state), 0);
	f = *state;
	order(f);
	answer(f, BUS_OK);
	time_is_up(f);
	assert_int_equal(f->charge.state, SESSION_STARTING);
	see(f, CONNECTOR_OFFLINE);
	time_is_up(f);
	assert_int_equal(f->charge.state, SESSION_STOPPING);
	tear_down(state);
	assert_int_equal(set_up(state), 0);
	f = *state;
	order(f);
	answer(f, BUS_OK);
	time_is_up(f);
	f->charge.taken_us -= 180000000;
	time_is_up(f);
	assert_int_equal(f->charge.state, SESSION_STOPPING);
}

static struct order *found_here(struct charge *charge)
{
	struct order *o = calloc(1, sizeof(*o));

	assert_non_null(o);
	(void)snprintf(o->seq, sizeof(o->seq), "123456789000000000000000%03d", 7);
	(void)snprintf(o->connector_id, sizeof(o->connector_id), "%s", charge->connector_id);
	policy_free_of_charge(clock_wall(), &o->tariff);
	o->asking = 1;
	return o;
}

static int asked;

static int authorise(void *user, const struct charge_wish *wish)
{
	(void)user;
	assert_true(wish->began);
	asked++;
	return FC_OK;
}

/* Where somebody must vouch for a charge, one begins by itself. */
static void begin_on_site(struct fixture *f)
{
	asked = 0;
	f->config_station.local_start = CONFIG_LOCAL_AUTHORISED;
	f->set.conductor.found = found_here;
	f->set.conductor.ask = wish_ask;
	f->set.conductor.hooks.authorise = authorise;
	f->set.charges = &f->charge;
	see(f, CONNECTOR_CHARGING);
	assert_int_equal(f->charge.state, SESSION_CHARGING);
	assert_int_equal(asked, 1);
	assert_true(f->charge.order->asking);
}

static void refuse(struct fixture *f)
{
	charge_decide(&f->set, "K1", f->charge.wish, &(struct charge_grant){0});
	assert_false(f->charge.order->asking);
}

static void read_row(void *user, const struct journal_order *entry)
{
	struct order *o = user;
	struct json_reader *reader = json_reader_new(0);

	assert_non_null(reader);
	assert_int_equal(order_read(reader, entry, o, NULL), FC_OK);
	json_reader_free(reader);
}

/* The refusal comes while its charger is silent: stopped as soon as that is heard, also over a restart, and until it does stop. */
static void refused_while_silent(void **state)
{
	struct fixture *f = *state;

	begin_on_site(f);
	see(f, CONNECTOR_OFFLINE);
	assert_int_equal(f->charge.state, SESSION_UNKNOWN);
	refuse(f);
	assert_string_equal(told, "");
	/* It is on the disk: a power cut would forget it else. */
	struct order *o = calloc(1, sizeof(*o));
	assert_non_null(o);
	assert_int_equal(journal_find(f->store, f->charge.order->seq, read_row, o), FC_OK);
	assert_int_equal(o->unwanted, SESSION_NOT_AUTHORISED);
	assert_false(o->asking);
	free(f->charge.order);
	f->charge.order = NULL;
	conduct_resume(&f->charge, o);
	assert_int_equal(f->charge.state, SESSION_UNKNOWN);
	see(f, CONNECTOR_CHARGING);
	conduct_tick(&f->charge);
	assert_int_equal(f->charge.state, SESSION_STOPPING);
	assert_string_equal(told, "-");
	answer(f, BUS_OK);
	/* The charger ignores it: told again. */
	time_is_up(f);
	assert_int_equal(f->charge.state, SESSION_CHARGING);
	conduct_tick(&f->charge);
	assert_int_equal(f->charge.state, SESSION_STOPPING);
	assert_string_equal(told, "--");
	see(f, CONNECTOR_OCCUPIED);
	assert_int_equal(f->charge.reason, SESSION_NOT_AUTHORISED);
	f->set.charges = NULL;
}

/* Out of the configuration nobody knows what its station wants: that decides when it is back. */
static void refused_where_not_configured(void **state)
{
	struct fixture *f = *state;

	for (int free_for_all = 1; free_for_all >= 0; free_for_all--) {
		begin_on_site(f);
		f->charge.connector = NULL;
		refuse(f);
		f->charge.connector = &f->connector;
		f->config_station.local_start = free_for_all ? CONFIG_LOCAL_ALLOW : CONFIG_LOCAL_AUTHORISED;
		conduct_tick(&f->charge);
		assert_int_equal(f->charge.state, free_for_all ? SESSION_CHARGING : SESSION_STOPPING);
		assert_string_equal(told, free_for_all ? "" : "-");
		f->set.charges = NULL;
		tear_down(state);
		assert_int_equal(set_up(state), 0);
		f = *state;
	}
}

/* The answer was under way when the power was cut. */
static void asked_again_after_a_restart(void **state)
{
	struct fixture *f = *state;

	begin_on_site(f);
	durable_note(&f->charge);
	struct order *o = calloc(1, sizeof(*o));
	assert_non_null(o);
	assert_int_equal(journal_find(f->store, f->charge.order->seq, read_row, o), FC_OK);
	assert_true(o->asking && o->metered);
	free(f->charge.order);
	f->charge = (struct charge){.conductor = &f->set.conductor, .connector = &f->connector, .result_s = 50};
	(void)snprintf(f->charge.connector_id, sizeof(f->charge.connector_id), "K1");
	conduct_resume(&f->charge, o);
	wish_look(&f->charge);
	assert_int_equal(asked, 1);
	see(f, CONNECTOR_CHARGING);
	wish_look(&f->charge);
	wish_look(&f->charge);
	assert_int_equal(asked, 2);
	refuse(f);
	assert_int_equal(f->charge.state, SESSION_STOPPING);
	assert_string_equal(told, "-");
	f->set.charges = NULL;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(a_start_is_given_two_looks, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(the_second_look_sees_it, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(a_start_is_not_waited_for_in_vain, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(refused_while_silent, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(refused_where_not_configured, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(asked_again_after_a_restart, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(an_answer_is_of_its_own_charge, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(a_stop_goes_past_the_start, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(a_stop_that_could_not_be_said_is_owed, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(a_stop_that_is_ignored_is_told, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(a_charge_that_is_over_is_told_to_stop_for_a_while, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(a_stop_is_owed_by_its_own_charge, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
