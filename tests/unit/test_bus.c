/* bus/: the schedule with a fake clock, the queue under threads, lines that find nobody. Runs under TSan too. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "bus/bus.h"
#include "bus/queue.h"
#include "bus/schedule.h"

static const int64_t ms = 1000;
static const int64_t timeout = 1000000;

static struct bus_read read_of(uint8_t unit, uint32_t period_ms, uint32_t tag)
{
	return (struct bus_read){.unit = unit, .function = 3, .count = 1, .period_ms = period_ms, .tag = tag};
}

static void polls_are_staggered_and_keep_their_period(void **state)
{
	const struct bus_read reads[] = {read_of(1, 1000, 0), read_of(2, 1000, 1), read_of(3, 1000, 2),
					 read_of(4, 1000, 3)};
	struct schedule s;
	int made[4] = {0};

	(void)state;
	assert_int_equal(schedule_init(&s, reads, 4, 0, 1), FC_OK);
	for (int64_t now = 0; now < 10000 * ms; now += ms) {
		struct schedule_choice c = schedule_next(&s, now, timeout);

		if (c.entry < 0) {
			assert_true(c.wait_us > 0);
			continue;
		}
		/* Each at its own quarter of the second. */
		assert_int_equal(now / ms % 1000, 250 * c.entry);
		made[c.entry]++;
		assert_int_equal(schedule_done(&s, c.entry, now, 1), 0);
	}
	for (int i = 0; i < 4; i++)
		assert_int_equal(made[i], 10);
	assert_int_equal(s.due, 40);
	assert_int_equal(s.missed, 0);
	assert_int_equal(s.late, 0);
	schedule_fini(&s);
}

static void what_could_not_be_made_is_counted(void **state)
{
	const struct bus_read reads[] = {read_of(1, 1000, 0)};
	struct schedule s;

	(void)state;
	assert_int_equal(schedule_init(&s, reads, 1, 0, 1), FC_OK);
	assert_int_equal(schedule_next(&s, 0, timeout).entry, 0);
	/* The loop of the worker was held up for 3.6 s: three were due, two of them are lost, one is made late. */
	assert_int_equal(schedule_next(&s, 3600 * ms, timeout).entry, 0);
	assert_int_equal(s.due, 4);
	assert_int_equal(s.missed, 2);
	assert_int_equal(s.late, 1);
	/* The next one comes at its old time. */
	struct schedule_choice c = schedule_next(&s, 3700 * ms, timeout);
	assert_int_equal(c.entry, -1);
	assert_int_equal(c.wait_us, 300 * ms);
	schedule_fini(&s);
}

static void a_dead_unit_goes_to_the_slow_lane(void **state)
{
	const struct bus_read reads[] = {read_of(1, 1000, 0), read_of(2, 1000, 1)};
	struct schedule s;
	int64_t now = 0, last_probe = 0, expected = 1000 * ms;
	int probes = 0, healthy = 0, entered = 0;

	(void)state;
	assert_int_equal(schedule_init(&s, reads, 2, 0, 7), FC_OK);
	for (; now < 600000 * ms; now += ms) {
		struct schedule_choice c = schedule_next(&s, now, 300 * ms);

		if (c.entry == 0) {
			healthy++;
			assert_int_equal(schedule_done(&s, 0, now, 1), 0);
		} else if (c.entry == 1 && !c.probe) {
			entered += schedule_done(&s, 1, now, 0) == SCHEDULE_SLOW;
			last_probe = now;
		} else if (c.entry == 1) {
			/* 1, 2, 4 ... 60 s, each within 20 %, and a second at most to find a gap. */
			assert_in_range(now - last_probe, expected * 8 / 10, expected * 12 / 10 + 1000 * ms);
			assert_in_range(c.timeout_us, 100 * ms, 300 * ms);
			expected = expected * 2 < 60000 * ms ? expected * 2 : 60000 * ms;
			last_probe = now;
			probes++;
			assert_int_equal(schedule_done(&s, 1, now, 0), 0);
		}
	}
	assert_int_equal(entered, 1);
	assert_in_range(probes, 12, 18);
	assert_int_equal(healthy, 600); /* not one poll of the neighbour was lost */
	assert_int_equal(s.missed, 0);
	assert_int_equal(schedule_slow_count(&s), 1);
	/* Any good answer brings it back. */
	assert_int_equal(schedule_done(&s, 1, now, 1), 2);
	assert_int_equal(schedule_slow_count(&s), 0);
	schedule_fini(&s);
}

static void a_probe_without_a_gap_is_forced_at_last(void **state)
{
	const struct bus_read reads[] = {read_of(1, 100, 0), read_of(2, 1000, 1)};
	struct schedule s;
	int64_t forced = 0;

	(void)state;
	assert_int_equal(schedule_init(&s, reads, 2, 0, 7), FC_OK);
	for (int i = 0; i < SCHEDULE_FAILURES; i++)
		(void)schedule_done(&s, 1, 0, 0);
	/* The healthy unit is due at every moment: there is never room. */
	for (int64_t now = 0; !forced && now < 20000 * ms; now += 50 * ms) {
		struct schedule_choice c = schedule_next(&s, now, timeout);

		if (c.probe)
			forced = now;
	}
	assert_in_range(forced, 3000 * ms, 5000 * ms);
	schedule_fini(&s);
}

enum { PRODUCERS = 4, EACH = 2000 };

static void *produce(void *user)
{
	struct queue *q = user;

	for (int i = 0; i < EACH;)
		i += queue_put(q, &i, 0) == FC_OK;
	return NULL;
}

static void queue_loses_nothing(void **state)
{
	struct queue q;
	pthread_t threads[PRODUCERS];
	long sum = 0;
	int value, taken = 0;

	(void)state;
	assert_int_equal(queue_init(&q, sizeof(int), 64), FC_OK);
	assert_int_equal(queue_take(&q, &value), FC_ENOENT);
	for (int i = 0; i < PRODUCERS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, produce, &q), 0);
	while (taken < PRODUCERS * EACH)
		if (!queue_take(&q, &value)) {
			sum += value;
			taken++;
		}
	for (int i = 0; i < PRODUCERS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	assert_int_equal(sum, (long)PRODUCERS * EACH * (EACH - 1) / 2);
	/* The reserve is kept for what may not be dropped. */
	for (int i = 0; i < 60; i++)
		assert_int_equal(queue_put(&q, &i, 4), FC_OK);
	assert_int_equal(queue_put(&q, &value, 4), FC_EBUSY);
	assert_int_equal(queue_put(&q, &value, 0), FC_OK);
	queue_fini(&q);
}

struct seen {
	int results, writes;
};

static void take(void *user, const struct bus_result *result)
{
	struct seen *seen = user;

	assert_int_equal(result->status, BUS_DISCONNECTED);
	assert_int_equal(result->count, 0);
	seen->results += !result->is_write;
	seen->writes += result->is_write;
}

static struct bus_line_config nobody(int i)
{
	struct bus_line_config c = {.kind = BUS_TCP,
				    .port = 1 + i,
				    .connect_timeout_ms = 500,
				    .response_timeout_ms = 200,
				    .byte_timeout_ms = 50};

	(void)snprintf(c.name, sizeof(c.name), "line%d", i);
	(void)snprintf(c.host, sizeof(c.host), "127.0.0.1");
	return c;
}

static void lines_that_find_nobody(void **state)
{
	enum { LINES = 16 };
	const struct bus_read reads[] = {read_of(1, 100, 0), read_of(2, 100, 1)};
	const struct bus_write write = {.unit = 1, .function = 6, .count = 1, .tag = 5, .deadline_ms = 60000};
	struct bus_line_stats stats;
	struct error err = {0};
	struct seen seen = {0};

	(void)state;
	struct loop *loop = loop_new(&err);
	assert_non_null(loop);
	struct bus *bus = bus_new(loop, take, &seen, &err);
	assert_non_null(bus);
	struct bus_line *lines[LINES];
	for (int i = 0; i < LINES; i++) {
		struct bus_line_config c = nobody(i);

		lines[i] = bus_line_open(bus, &c, reads, 2, &err);
		assert_non_null(lines[i]);
		assert_int_equal(bus_line_write(lines[i], &write), FC_OK);
	}
	/* Exactly one line an endpoint. */
	struct bus_line_config again = nobody(3);
	assert_null(bus_line_open(bus, &again, reads, 2, &err));
	assert_int_equal(err.code, FC_EEXIST);
	const struct bus_read bad = {.unit = 250, .function = 3, .count = 1, .period_ms = 1000};
	struct bus_line_config other = nobody(40);
	assert_null(bus_line_open(bus, &other, &bad, 1, &err));
	assert_int_equal(err.code, FC_EINVAL);
	/* Every write is answered, every read told that there is no getting through. */
	while (seen.writes < LINES || seen.results < 2 * LINES)
		assert_int_equal(loop_step(loop, 50), FC_OK);
	for (int i = 0; i < LINES; i++) {
		bus_line_get_stats(lines[i], &stats);
		assert_int_equal(stats.connected, 0);
		assert_int_equal(stats.polls, 0);
	}
	bus_line_close(lines[0]);
	bus_free(bus);
	loop_free(loop);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(polls_are_staggered_and_keep_their_period),
	    cmocka_unit_test(what_could_not_be_made_is_counted),
	    cmocka_unit_test(a_dead_unit_goes_to_the_slow_lane),
	    cmocka_unit_test(a_probe_without_a_gap_is_forced_at_last),
	    cmocka_unit_test(queue_loses_nothing),
	    cmocka_unit_test(lines_that_find_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
