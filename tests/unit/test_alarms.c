/* control/alarms: one alarm while a fault lasts, with its beginning and its count; flapping; bounded; and what the fixture's station says. */
#include "base/clock.h"
#include "control/alarms_inside.h"
#include "control_fixture.h"
#include "store/events.h"

static const int64_t second = 1000000;

/* What a test says is wrong. */
static struct {
	struct alarm_fault faults[ALARMS_MAX + 8];
	char names[ALARMS_MAX + 8][16];
	int count;
	int began, ended;
	unsigned ended_count;
} says;

static void say_all(void *user, struct alarms *alarms, int64_t now_us)
{
	(void)user, (void)now_us;
	for (int i = 0; i < says.count; i++)
		alarms_say(alarms, &says.faults[i]);
}

static void on_began(void *user, const struct alarm *alarm)
{
	(void)user, (void)alarm;
	says.began++;
}

static void on_ended(void *user, const struct alarm *alarm)
{
	(void)user;
	says.ended++;
	says.ended_count = alarm->count;
}

static struct alarms *make(struct fixture *f, int quiet)
{
	const struct alarms_hooks hooks = {on_began, on_ended, NULL};
	struct control_sources sources = {.store = f->store, .stations = &f->stations};
	struct alarms *a;

	memset(&says, 0, sizeof(says));
	if (quiet)
		for (int i = 0; i < FIXTURE_CONNECTORS; i++)
			f->stations.live[i].status = CONNECTOR_IDLE;
	a = alarms_new(NULL, &sources, &hooks, &f->err);
	assert_non_null(a);
	assert_int_equal(alarms_add_source(a, say_all, NULL), FC_OK);
	return a;
}

static void say(enum alarm_kind kind, const char *object)
{
	says.faults[says.count++] = (struct alarm_fault){.kind = kind,
							 .object = object,
							 .key = "config.pending",
							 .cause = "a change waits",
							 .arguments = {{"who", "somebody"}}};
}

struct first {
	const struct alarm *alarm;
	int count;
};

static void take(void *user, const struct alarm *alarm)
{
	struct first *first = user;

	first->alarm = first->count++ ? first->alarm : alarm;
}

static const struct alarm *only(const struct alarms *a)
{
	struct first first = {0};

	alarms_each(a, take, &first);
	assert_int_equal(first.count, 1);
	return first.alarm;
}

static int told(const struct alarms *a)
{
	struct first first = {0};

	alarms_each(a, take, &first);
	assert_int_equal(first.count, alarms_count(a, ALARM_ERROR) + alarms_count(a, ALARM_WARNING));
	return first.count;
}

static void note_event(void *user, const struct event *event)
{
	struct event *last = user;

	if (!last->id)
		*last = (struct event){.id = 1, .from = *event->from ? "config_pending" : NULL};
	assert_non_null(strstr(event->text, "a change waits"));
	assert_string_equal(*event->from ? event->from : event->to, "config_pending");
	last->at++;
}

static void one_while_it_lasts(void **state)
{
	struct fixture *f = *state;
	struct alarms *a = make(f, 1);
	int64_t now = 1000 * second, wall = clock_wall();

	say(ALARM_CONFIG_PENDING, "");
	for (int i = 0; i < 100; i++)
		alarms_look(a, now + i * second);
	const struct alarm *alarm = only(a);
	assert_string_equal(alarm->id, "config_pending");
	assert_string_equal(alarm->key, "config.pending");
	assert_true(alarm->since_us == now && alarm->count == 1 && !alarm->is_fading);
	assert_in_range(alarm->since_wall, wall - 1, clock_wall() + 1);
	assert_int_equal(says.began, 1);
	/* Not seen any more: it stays for a moment, then it is over. */
	says.count = 0;
	alarms_look(a, now + 101 * second);
	assert_true(only(a)->is_fading);
	alarms_look(a, now + (100 + ALARM_FADE_S) * second);
	assert_int_equal(told(a), 0);
	assert_true(says.began == 1 && says.ended == 1);
	/* Its beginning and its end are in the list of what happened. */
	struct event last = {0};
	int64_t below = 0;
	(void)events_page(f->store, &(struct event_query){.kinds = 1u << EVENT_ALARM, .most = 10}, &below, note_event,
			  &last);
	assert_int_equal(last.at, 2);
	assert_non_null(last.from);
	alarms_free(a);
}

static void what_flaps_is_one_with_a_count(void **state)
{
	struct fixture *f = *state;
	struct alarms *a = make(f, 1);
	int64_t now = 1000 * second;

	say(ALARM_CONFIG_PENDING, "");
	for (int i = 0; i < 60; i++) {
		says.count = i % 3 == 0;
		alarms_look(a, now + i * second);
	}
	assert_int_equal(only(a)->count, 20);
	assert_true(only(a)->since_us == now);
	assert_int_equal(says.began, 1);
	says.count = 0;
	alarms_look(a, now + 80 * second);
	assert_int_equal(told(a), 0);
	assert_true(says.ended == 1 && says.ended_count == 20);
	/* Later it is another one. */
	says.count = 1;
	alarms_look(a, now + 200 * second);
	assert_true(only(a)->since_us == now + 200 * second && only(a)->count == 1);
	alarms_free(a);
}

/* A charger that is off line for a moment is no news, and nobody hears that it is back. */
static void what_wants_a_while(void **state)
{
	struct fixture *f = *state;
	struct alarms *a = make(f, 1);
	int64_t now = 1000 * second;

	say(ALARM_PLATFORM_DOWN, "p");
	alarms_look(a, now);
	alarms_look(a, now + 5 * second);
	assert_int_equal(told(a), 0);
	says.count = 0;
	alarms_look(a, now + 6 * second);
	says.count = 1;
	alarms_look(a, now + 10 * second);
	alarms_look(a, now + 20 * second);
	assert_int_equal(told(a), 0);
	alarms_look(a, now + 25 * second);
	assert_true(only(a)->since_us == now + 10 * second);
	assert_int_equal(says.began, 1);
	alarms_free(a);
}

static void errors_first_then_the_oldest(void **state)
{
	struct fixture *f = *state;
	struct alarms *a = make(f, 1);
	struct first first = {0};

	say(ALARM_CONFIG_PENDING, "");
	alarms_look(a, 10 * second);
	say(ALARM_SCRIPT_REFUSED, "policies/x");
	say(ALARM_SCRIPT_REFUSED, "policies/x");
	alarms_look(a, 20 * second);
	alarms_each(a, take, &first);
	assert_int_equal(first.count, 2);
	assert_string_equal(first.alarm->id, "script_refused:policies/x");
	alarms_free(a);
}

/* More than there is room for: counted, and there again when others have gone. */
static void it_is_bounded(void **state)
{
	struct fixture *f = *state;
	struct alarms *a = make(f, 1);

	for (int i = 0; i < ALARMS_MAX + 5; i++) {
		(void)snprintf(says.names[i], sizeof(says.names[i]), "f%d", i);
		say(ALARM_SCRIPT_REFUSED, says.names[i]);
	}
	alarms_look(a, 10 * second);
	assert_int_equal(told(a), ALARMS_MAX);
	assert_int_equal(alarms_left_out(a), 5);
	says.count = 3;
	alarms_look(a, 40 * second);
	assert_int_equal(told(a), 3);
	assert_int_equal(alarms_left_out(a), 0);
	alarms_free(a);
}

/* Long texts and half characters. */
static void hostile_texts(void **state)
{
	struct fixture *f = *state;
	struct alarms *a = make(f, 1);
	char text[2000];
	struct value *tree;
	struct arena arena;

	for (size_t i = 0; i + 3 < sizeof(text); i += 3)
		memcpy(text + i, "\xe5\x85\x85", 4);
	says.faults[says.count++] = (struct alarm_fault){.kind = ALARM_SCRIPT_REFUSED,
							 .object = text,
							 .cause = text,
							 .key = "script.refused",
							 .arguments = {{"why", text}}};
	alarms_look(a, 10 * second);
	alarms_look(a, 11 * second);
	assert_int_equal(only(a)->count, 1);
	arena_init(&arena, 1 << 16);
	tree = alarm_tree(only(a), &arena);
	assert_non_null(tree);
	const char *cause = value_text(value_get(tree, "cause"));
	assert_int_equal(strlen(cause) % 3, 0);
	assert_true(strlen(cause) > ALARM_CAUSE - 5 && strlen(cause) < ALARM_CAUSE);
	assert_string_equal(value_text(value_get(tree, "level")), "error");
	assert_string_equal(value_text(value_get(tree, "object_kind")), "lua");
	assert_int_equal(strlen(value_text(value_get(value_get(tree, "args"), "why"))) % 3, 0);
	arena_fini(&arena);
	alarms_free(a);
}

/* Connectors of chargers whose profile is not there are off line, and a fault is told from its own beginning. */
static void the_station_is_looked_at(void **state)
{
	struct fixture *f = *state;
	struct alarms *a = make(f, 1);
	int64_t now = 1000 * second;

	f->stations.live[0].status = CONNECTOR_FAULT;
	f->stations.live[0].status_mono_us = now - 5 * second;
	f->stations.live[1].status = CONNECTOR_OFFLINE;
	f->stations.live[1].status_mono_us = now - 100 * second;
	alarms_look(a, now);
	assert_int_equal(told(a), 2);
	struct first first = {0};
	alarms_each(a, take, &first);
	/* The oldest first. */
	assert_string_equal(first.alarm->id, "connector_offline:C12");
	assert_string_equal(first.alarm->key, "offline.profile");
	f->stations.live[1].status = CONNECTOR_IDLE;
	alarms_look(a, now + 20 * second);
	assert_string_equal(only(a)->id, "connector_fault:C11");
	assert_true(only(a)->since_us == now - 5 * second);
	assert_string_equal(only(a)->key, "fault.unknown");
	alarms_free(a);
}

static void every_kind_has_its_names(void **state)
{
	(void)state;
	for (int i = 0; i < ALARM_KINDS; i++) {
		assert_non_null(alarm_kind_name((enum alarm_kind)i));
		assert_non_null(alarm_object_kind((enum alarm_kind)i));
		for (int k = 0; k < i; k++)
			assert_string_not_equal(alarm_kind_name((enum alarm_kind)i),
						alarm_kind_name((enum alarm_kind)k));
	}
}

#define T(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    T(one_while_it_lasts),
	    T(what_flaps_is_one_with_a_count),
	    T(what_wants_a_while),
	    T(errors_first_then_the_oldest),
	    T(it_is_bounded),
	    T(hostile_texts),
	    T(the_station_is_looked_at),
	    cmocka_unit_test(every_kind_has_its_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
