/* charge/session: rules that every row of the table must keep, and the README that shows it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "charge/session.h"

static int has_order(enum session_state s)
{
	return s == SESSION_STARTING || s == SESSION_CHARGING || s == SESSION_STOPPING || s == SESSION_UNKNOWN;
}

/* Before the start is told nobody waits for a stop result; after it, the start result has been given. */
static int is_started(enum session_state s)
{
	return has_order(s) && s != SESSION_STARTING;
}

static void an_order_is_opened_once_and_closed_once(void **state)
{
	int rows = 0;

	(void)state;
	for (int s = 0; s < SESSION_STATES; s++)
		for (int t = 0; t < SESSION_TRIGGERS; t++) {
			enum session_state from = (enum session_state)s;
			struct session_step step = session_next(from, (enum session_trigger)t);
			unsigned a = step.actions;
			int opens = !has_order(from) && has_order(step.next);
			int closes = has_order(from) && !has_order(step.next);

			if (!step.why) {
				assert_int_equal(step.next, from);
				assert_int_equal(a, 0);
				continue;
			}
			rows++;
			assert_int_equal(opens, !!(a & SESSION_OPEN));
			assert_int_equal(closes, !!(a & SESSION_CLOSE));
			/* A reason for each end; given here or by the stop before it. */
			if (closes && from != SESSION_STOPPING)
				assert_true(step.reason >= 0);
			/* The charger is never told to start for an order that is not on the disk. */
			if (a & SESSION_TELL_CHARGER_ON)
				assert_true(a & SESSION_OPEN);
			/* Every start has its result: exactly once, when it leaves "starting". */
			if (from == SESSION_STARTING && step.next != SESSION_STARTING)
				assert_int_equal(!!(a & SESSION_TELL_STARTED) + !!(a & SESSION_TELL_NOT_STARTED), 1);
			else
				assert_false(a & (SESSION_TELL_STARTED | SESSION_TELL_NOT_STARTED));
			/* Every charge that began tells its end, and nobody is told of an end that is none. */
			if (is_started(from) && closes)
				assert_true(a & SESSION_TELL_STOPPED);
			if (a & SESSION_TELL_STOPPED)
				assert_true(a & SESSION_CLOSE);
			/* Energy is counted from where current is first seen. */
			if (!is_started(from) && is_started(step.next))
				assert_true(a & SESSION_METER);
		}
	print_message("%d transitions\n", rows);
	assert_true(rows > 35);
}

static void every_status_has_an_end(void **state)
{
	static const enum connector_status ends[] = {CONNECTOR_IDLE, CONNECTOR_OCCUPIED, CONNECTOR_FAULT};

	(void)state;
	/* Whatever a charge is in, a charger that says "not charging" ends it; nothing hangs but by silence. */
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		static const enum session_state running[] = {SESSION_CHARGING, SESSION_STOPPING, SESSION_UNKNOWN};

		for (size_t k = 0; k < 3; k++)
			assert_false(has_order(session_next(running[k], session_seen(ends[i])).next));
	}
	/* States in which nothing else may come have a time. */
	assert_true(session_timeout(SESSION_STARTING, 50) < 50 && session_timeout(SESSION_STARTING, 50) > 0);
	assert_true(session_timeout(SESSION_STOPPING, 10) < 10 && session_timeout(SESSION_STOPPING, 10) > 0);
	assert_true(session_timeout(SESSION_AUTHORISING, 50) > 0);
	assert_true(session_timeout(SESSION_UNKNOWN, 50) > 3600);
	assert_int_equal(session_timeout(SESSION_CHARGING, 50), 0);
	assert_int_equal(session_next(SESSION_STARTING, SESSION_TIMEOUT).reason, SESSION_NOT_STARTED);
	assert_int_equal(session_next(SESSION_STOPPING, SESSION_TIMEOUT).next, SESSION_CHARGING);
	/* A start is refused wherever a charge is under way: the table has no row for it. */
	assert_null(session_next(SESSION_CHARGING, SESSION_START).why);
	assert_null(session_next(SESSION_STARTING, SESSION_START).why);
	assert_null(session_next(SESSION_UNKNOWN, SESSION_STOP).why);
}

static void the_standards_numbers(void **state)
{
	(void)state;
	assert_int_equal(session_seq_stat(SESSION_STARTING), 1);
	assert_int_equal(session_seq_stat(SESSION_CHARGING), 2);
	assert_int_equal(session_seq_stat(SESSION_STOPPING), 3);
	assert_int_equal(session_seq_stat(SESSION_ENDED), 4);
	assert_int_equal(session_seq_stat(SESSION_UNKNOWN), 5);
	assert_int_equal(session_seen(CONNECTOR_CHARGING), SESSION_SEEN_CHARGING);
	assert_int_equal(session_seen(CONNECTOR_OFFLINE), SESSION_SEEN_OFFLINE);
	assert_int_equal(session_seen((enum connector_status)77), SESSION_SEEN_OFFLINE);
	assert_string_equal(session_state_name(SESSION_ENDED), "ended");
	assert_string_equal(session_trigger_name(SESSION_TIMEOUT), "time is up");
}

static void the_readme_shows_the_table(void **state)
{
	static char table[32768], readme[65536];
	FILE *to = fmemopen(table, sizeof(table), "w"), *from = fopen("core/charge/README.md", "rb");

	(void)state;
	assert_non_null(to);
	assert_non_null(from);
	session_describe(to);
	(void)fclose(to);
	readme[fread(readme, 1, sizeof(readme) - 1, from)] = '\0';
	(void)fclose(from);
	if (!strstr(readme, table))
		fail_msg("core/charge/README.md does not show this:\n%s", table);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(an_order_is_opened_once_and_closed_once),
	    cmocka_unit_test(every_status_has_an_end),
	    cmocka_unit_test(the_standards_numbers),
	    cmocka_unit_test(the_readme_shows_the_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
