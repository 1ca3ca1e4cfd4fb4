/* charge/trace: bounded, exact where prices change, and the same prices make the same bill again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buffer.h"
#include "charge/order.h"

enum { MIDNIGHT_DAY = 20778, ROUNDS = 200 };
static const int64_t midnight = 1795190400;
static unsigned seed = 11;

static int random_to(int most)
{
	seed = seed * 1664525u + 1013904223u;
	return (int)((seed >> 8) % (unsigned)(most + 1));
}

/* Never two in one call: in which order arguments are worked out differs from machine to machine. */
static void fill_tariff(struct tariff *t, int periods)
{
	memset(t, 0, sizeof(*t));
	(void)snprintf(t->policy, sizeof(t->policy), "x");
	(void)snprintf(t->version, sizeof(t->version), "y");
	t->first_day = MIDNIGHT_DAY;
	for (int d = 0; d < TARIFF_DAYS; d++) {
		t->days[d].count = periods;
		for (int i = 0; i < periods; i++)
			t->days[d].periods[i] =
			    (struct tariff_period){i * (86400 / periods), 5000 + random_to(3) * 1000, 4000};
	}
	t->minute_e4 = random_to(1) * 500;
	t->free_wh = random_to(1) * 3000;
}

/* A charge of so many readings, with everything that a register does. */
static void charge(struct order *o, int readings, int step_s)
{
	int64_t wall, wh = 5000;

	memset(o, 0, sizeof(*o));
	(void)snprintf(o->seq, sizeof(o->seq), "123456789000000000000000001");
	(void)snprintf(o->connector_id, sizeof(o->connector_id), "C");
	fill_tariff(&o->tariff, 1 + random_to(23));
	wall = o->start_wall = midnight + random_to(86399);
	o->metered = o->began = 1;
	split_begin(&o->split, &o->tariff, wall, wh);
	for (int i = 0; i < readings; i++) {
		wall += random_to(step_s);
		wh = random_to(200) ? wh + random_to(100 + step_s * 30) : random_to(500);
		(void)split_reading(&o->split, &o->tariff, wall, wh, 120000);
		trace_follow(&o->trace, &o->split);
		assert_true(o->trace.count <= TRACE_POINTS);
	}
	o->end_wall = wall;
	o->occupied_s = random_to(4000);
}

static void assert_same_bill(const struct order *o, const struct tariff *tariff)
{
	struct split *again = malloc(sizeof(*again));
	struct bill was, is;

	assert_non_null(again);
	trace_split(&o->trace, tariff, o->split.start_wall, again);
	order_bill(o, &was);
	bill_make(&is, again, tariff, o->occupied_s);
	assert_int_equal(is.count, was.count);
	assert_memory_equal(is.lines, was.lines, sizeof(is.lines[0]) * (size_t)is.count);
	assert_int_equal(is.total_money_e4, was.total_money_e4);
	free(again);
}

static struct order *new_order(void)
{
	struct order *o = malloc(sizeof(*o));

	assert_non_null(o);
	return o;
}

static void the_same_prices_make_the_same_bill(void **state)
{
	struct order *o = new_order();
	int longest = 0, parts = 0;

	(void)state;
	for (int i = 0; i < ROUNDS; i++) {
		int step_s = 1 + random_to(40), readings = random_to(4000);
		charge(o, readings, step_s);
		if (!o->trace.count)
			continue;
		assert_true(trace_fits(&o->trace, &o->split));
		assert_same_bill(o, &o->tariff);
		longest = o->split.last_wall - o->split.start_wall > longest
			      ? (int)(o->split.last_wall - o->split.start_wall)
			      : longest;
		parts = o->split.count > parts ? o->split.count : parts;
	}
	printf("longest charge %d s, most parts %d\n", longest, parts);
	assert_true(longest > 80000 && parts > 10);
	free(o);
}

static void it_goes_through_the_record(void **state)
{
	struct order *o = new_order(), *back = new_order();
	struct json_reader *reader = json_reader_new(0);
	struct buffer record;
	size_t longest = 0;

	(void)state;
	buffer_init(&record, ORDER_RECORD_MAX);
	for (int i = 0; i < ROUNDS; i++) {
		struct error err = {0};

		int step_s = 1 + random_to(20), readings = 1 + random_to(3000);
		charge(o, readings, step_s);
		buffer_clear(&record);
		assert_int_equal(order_write(o, &record), FC_OK);
		longest = record.len > longest ? record.len : longest;
		struct journal_order entry = order_entry(o, record.data);
		assert_int_equal(order_read(reader, &entry, back, &err), FC_OK);
		assert_int_equal(back->trace.count, o->trace.count);
		assert_memory_equal(back->trace.points, o->trace.points,
				    sizeof(o->trace.points[0]) * (size_t)o->trace.count);
		/* Not while it runs: the journal is written often then. */
		o->end_wall = 0;
		buffer_clear(&record);
		assert_int_equal(order_write(o, &record), FC_OK);
		assert_null(strstr(record.data, "trace"));
	}
	printf("longest record %zu bytes\n", longest);
	buffer_fini(&record);
	json_reader_free(reader);
	free(back);
	free(o);
}

/* One that does not fit its split is as if it was not there; the order stays. */
static void a_harmed_trace_harms_no_order(void **state)
{
	static const char *const harmed[] = {"\"trace\":[0,0,1",     "\"trace\":[-1,0", "\"trace\":[\"x\"",
					     "\"trace\":[0,5000000", "\"trace\":[0",    "\"trace\":{\"a\":1},\"x\":["};
	struct order *o = new_order(), *back = new_order();
	struct json_reader *reader = json_reader_new(0);
	struct buffer record, changed;

	(void)state;
	charge(o, 100, 5);
	buffer_init(&record, ORDER_RECORD_MAX);
	buffer_init(&changed, ORDER_RECORD_MAX);
	assert_int_equal(order_write(o, &record), FC_OK);
	char *at = strstr(record.data, "\"trace\":[");
	assert_non_null(at);
	for (size_t i = 0; i < sizeof(harmed) / sizeof(harmed[0]); i++) {
		struct error err = {0};

		buffer_clear(&changed);
		(void)buffer_add(&changed, record.data, (size_t)(at - record.data));
		(void)buffer_text(&changed, harmed[i]);
		(void)buffer_text(&changed, i == 5 ? "" : ",");
		(void)buffer_text(&changed, at + strlen("\"trace\":["));
		struct journal_order entry = order_entry(o, changed.data);
		assert_int_equal(order_read(reader, &entry, back, &err), FC_OK);
		assert_int_equal(back->trace.count, 0);
		assert_int_equal(back->split.total_wh, o->split.total_wh);
	}
	buffer_fini(&changed);
	buffer_fini(&record);
	json_reader_free(reader);
	free(back);
	free(o);
}

/* A restart loses the points, not the borders; and an order of old has its parts. */
static void from_the_parts_alone(void **state)
{
	struct order *o = new_order();

	(void)state;
	for (int i = 0; i < ROUNDS; i++) {
		int step_s = 1 + random_to(60), readings = 10 + random_to(1000);
		charge(o, readings, step_s);
		trace_from_parts(&o->trace, &o->split);
		assert_true(trace_fits(&o->trace, &o->split));
		assert_same_bill(o, &o->tariff);
		/* Taken up again in the middle, it goes on. */
		for (int k = 0; k < 50; k++) {
			int more_wh = random_to(300), later_s = random_to(1800);
			(void)split_reading(&o->split, &o->tariff, o->split.last_wall + later_s,
					    o->split.last_register_wh + more_wh, 120000);
			trace_follow(&o->trace, &o->split);
		}
		assert_same_bill(o, &o->tariff);
	}
	free(o);
}

/* Points lie on the curve: other borders get nearly what they would have got. */
static void other_borders_are_near(void **state)
{
	struct order *o = new_order();
	struct tariff other;
	struct split *live = malloc(sizeof(*live)), *again = malloc(sizeof(*again));
	int64_t worst = 0;

	(void)state;
	assert_true(live && again);
	for (int i = 0; i < 20; i++) {
		int64_t wall = midnight + random_to(80000), wh = 0;
		int power_w = 60000;

		memset(o, 0, sizeof(*o));
		fill_tariff(&o->tariff, 2);
		fill_tariff(&other, 24);
		for (int k = 0; k < 24; k++)
			other.days[0].periods[k].elec_e4 = other.days[1].periods[k].elec_e4 = k * 10;
		split_begin(&o->split, &o->tariff, wall, 0);
		split_begin(live, &other, wall, 0);
		for (int k = 0; k < 7200; k++) {
			wall++;
			if (k % 60 == 0 && power_w > 3000)
				power_w -= random_to(1000);
			wh += power_w / 3600;
			(void)split_reading(&o->split, &o->tariff, wall, wh, 120000);
			(void)split_reading(live, &other, wall, wh, 120000);
			trace_follow(&o->trace, &o->split);
		}
		trace_split(&o->trace, &other, o->split.start_wall, again);
		assert_int_equal(again->count, live->count);
		assert_int_equal(again->total_wh, live->total_wh);
		for (int k = 0; k < live->count; k++) {
			int64_t off = llabs(again->parts[k].wh - live->parts[k].wh);

			assert_int_equal(again->parts[k].start_wall, live->parts[k].start_wall);
			worst = off > worst ? off : worst;
		}
	}
	printf("a border elsewhere is off by %lld Wh at most\n", (long long)worst);
	assert_true(worst < 60);
	free(again);
	free(live);
	free(o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_same_prices_make_the_same_bill),
	    cmocka_unit_test(it_goes_through_the_record),
	    cmocka_unit_test(a_harmed_trace_harms_no_order),
	    cmocka_unit_test(from_the_parts_alone),
	    cmocka_unit_test(other_borders_are_near),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
