/* charge/order: what goes into the journal comes back as it was, and a record that was harmed is refused. */
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

enum { MIDNIGHT_DAY = 20778, ROUNDS = 300 };
static const int64_t midnight = 1795190400;
static unsigned seed = 7;

static int random_to(int most)
{
	seed = seed * 1664525u + 1013904223u;
	return (int)((seed >> 8) % (unsigned)(most + 1));
}

static void fill(struct order *o, int metered)
{
	memset(o, 0, sizeof(*o));
	(void)snprintf(o->seq, sizeof(o->seq), "123456789%018d", random_to(1000000));
	(void)snprintf(o->connector_id, sizeof(o->connector_id), "K-%d", random_to(99));
	(void)snprintf(o->platform, sizeof(o->platform), "city");
	(void)snprintf(o->user_class, sizeof(o->user_class), "gold \"x\"");
	o->mode = ORDER_BY_CARD;
	/* The first records had no profile. */
	if (random_to(2)) {
		(void)snprintf(o->profile, sizeof(o->profile), "dc-120");
		memset(o->profile_version, 'b', sizeof(o->profile_version) - 1);
	}
	(void)snprintf(o->tariff.policy, sizeof(o->tariff.policy), "four-period");
	memset(o->tariff.version, 'a', TARIFF_NAME);
	o->tariff.first_day = MIDNIGHT_DAY;
	for (int d = 0; d < TARIFF_DAYS; d++) {
		o->tariff.days[d].count = 1 + random_to(TARIFF_PERIODS - 1);
		for (int i = 0; i < o->tariff.days[d].count; i++)
			o->tariff.days[d].periods[i] =
			    (struct tariff_period){i * 2000, random_to(20000), random_to(9000)};
	}
	o->tariff.minute_e4 = random_to(100);
	o->tariff.maximum_e4 = 5000000;
	o->start_wall = midnight + random_to(86399);
	o->has_idle = random_to(1);
	o->idle_wh = o->has_idle ? random_to(1000000) : 0;
	o->stopping = random_to(1);
	/* Nor a meter, nor what the car said. */
	if (random_to(2)) {
		(void)snprintf(o->meter, sizeof(o->meter), "m1:%d", 1 + random_to(15));
		(void)snprintf(o->vin, sizeof(o->vin), "LTESTCAR%09d", random_to(1000));
		(void)snprintf(o->cause_code, sizeof(o->cause_code), "soc_reached");
		(void)snprintf(o->cause, sizeof(o->cause), "wanted \"state\" of charge");
		o->has_soc = random_to(1);
		o->soc_start_milli = o->has_soc ? random_to(100000) : 0;
		o->soc_end_milli = o->has_soc ? random_to(100000) : 0;
	}
	if (!metered)
		return;
	int64_t wall = o->start_wall, meter = random_to(1000000);
	o->metered = 1;
	split_begin(&o->split, &o->tariff, wall, meter);
	for (int i = random_to(20); i; i--) {
		wall += random_to(1800);
		meter += random_to(500);
		(void)split_reading(&o->split, &o->tariff, wall, meter, 1000000);
	}
	o->split.unread = o->split.last_wall == o->split.start_wall && !o->split.total_wh && random_to(1);
	o->end_wall = random_to(1) ? wall : 0;
	o->reason = o->end_wall ? 3 : 0;
}

static void what_goes_in_comes_out(void **state)
{
	struct json_reader *reader = json_reader_new(0);
	struct order *in = malloc(sizeof(*in)), *out = malloc(sizeof(*out));
	size_t longest = 0;

	(void)state;
	assert_true(reader && in && out);
	for (int i = 0; i < ROUNDS; i++) {
		struct error err = {0};
		struct buffer record;

		fill(in, i % 4);
		buffer_init(&record, ORDER_RECORD_MAX);
		assert_int_equal(order_write(in, &record), FC_OK);
		struct journal_order entry = order_entry(in, record.data);
		if (order_read(reader, &entry, out, &err))
			fail_msg("%s: %s", err.text, record.data);
		/* Fields that the journal keeps of closed orders only. */
		out->end_wall = in->end_wall;
		/* After a restart the register is believed as at the start. */
		assert_true((!out->metered || out->split.spare_ws < 0) && !out->split.doubted);
		out->split.spare_ws = in->split.spare_ws;
		out->split.before_wh = in->split.before_wh;
		out->split.doubted = in->split.doubted;
		assert_memory_equal(in, out, sizeof(*in));
		longest = record.len > longest ? record.len : longest;
		buffer_fini(&record);
	}
	print_message("longest record %zu bytes\n", longest);
	free(in);
	free(out);
	json_reader_free(reader);
}

/* Every record that lost a part, or has a wrong one, is refused or gives an order whose parts still sum up. */
static void a_harmed_record_is_refused(void **state)
{
	struct json_reader *reader = json_reader_new(0);
	struct order *o = malloc(sizeof(*o));
	struct buffer record;
	int refused = 0;

	(void)state;
	assert_true(reader && o);
	fill(o, 1);
	buffer_init(&record, ORDER_RECORD_MAX);
	assert_int_equal(order_write(o, &record), FC_OK);
	char *text = malloc(record.len + 1);
	assert_non_null(text);
	struct journal_order entry = order_entry(o, text);
	for (size_t i = 0; i < record.len; i++) {
		struct error err = {0};

		memcpy(text, record.data, record.len + 1);
		if (i % 2)
			text[i] = '\0';
		else
			text[i] = (char)('0' + i % 10);
		if (order_read(reader, &entry, o, &err)) {
			assert_true(strlen(err.text) > 10);
			refused++;
			continue;
		}
		int64_t sum = 0;
		for (int k = 0; k < o->split.count; k++)
			sum += o->split.parts[k].wh;
		assert_int_equal(sum, o->split.total_wh);
		assert_int_equal(tariff_check(&o->tariff, NULL), FC_OK);
	}
	print_message("%zu harmed records, %d refused\n", record.len, refused);
	assert_true(refused * 2 > (int)record.len);
	free(text);
	free(o);
	buffer_fini(&record);
	json_reader_free(reader);
}

/* An order of 1970 takes the time and the prices that it really had; what was delivered stays, to the Wh. */
static void a_clock_that_is_set_late(void **state)
{
	struct order *before = malloc(sizeof(*before)), *o = malloc(sizeof(*o)), *now = malloc(sizeof(*now));

	(void)state;
	assert_true(before && o && now);
	for (int i = 0; i < ROUNDS; i++) {
		const int64_t by = midnight + random_to(86399);

		fill(before, i % 4);
		fill(now, 0);
		before->start_wall -= midnight;
		before->split.start_wall -= midnight;
		before->split.last_wall -= midnight;
		*o = *before;
		order_move(o, by, &now->tariff);
		assert_int_equal(o->start_wall, before->start_wall + by);
		assert_memory_equal(&o->tariff, &now->tariff, sizeof(o->tariff));
		if (!o->metered)
			continue;
		int64_t sum = 0, at = before->split.start_wall + by;
		for (int k = 0; k < o->split.count; k++) {
			const struct split_part *part = &o->split.parts[k];

			assert_int_equal(part->start_wall, at);
			assert_true(part->end_wall >= at);
			at = part->end_wall;
			sum += part->wh;
		}
		assert_int_equal(at, before->split.last_wall + by);
		assert_int_equal(o->split.last_wall, at);
		assert_int_equal(sum, before->split.total_wh);
		assert_int_equal(o->split.total_wh, sum);
		assert_int_equal(o->split.start_register_wh, before->split.start_register_wh);
		assert_int_equal(o->split.last_register_wh, before->split.last_register_wh);
		assert_int_equal(o->split.repairs & before->split.repairs, before->split.repairs);
	}
	free(before);
	free(o);
	free(now);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_goes_in_comes_out),
	    cmocka_unit_test(a_harmed_record_is_refused),
	    cmocka_unit_test(a_clock_that_is_set_late),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
