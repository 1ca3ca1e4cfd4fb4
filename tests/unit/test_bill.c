/* charge/: tariffs, the split of energy by period, and bills; 100 000 random charges against a second computation. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "charge/bill.h"

enum { CHARGES = 100000, DAY_S = 86400, CST_S = 28800 };
/* 2026-11-21 00:00:00 in Shanghai. */
static const int64_t midnight = 1795190400;

static uint64_t seed;

static int64_t random_to(int64_t most)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (int64_t)(seed % (uint64_t)(most + 1));
}

static void set_day(struct tariff_day *day, int count, const int32_t *values)
{
	day->count = count;
	for (int i = 0; i < count; i++)
		day->periods[i] = (struct tariff_period){values[3 * i], values[3 * i + 1], values[3 * i + 2]};
}

/* Sharp, peak, flat, valley; the same every day. */
static struct tariff four_periods(void)
{
	static const int32_t values[] = {0,     4000, 8000, 25200, 8000,  8000, 36000, 12000, 8000,
					 54000, 8000, 8000, 64800, 15000, 6000, 75600, 8000,  8000};
	struct tariff t = {.policy = "four", .first_day = (int32_t)((midnight + CST_S) / DAY_S)};

	for (int i = 0; i < TARIFF_DAYS; i++)
		set_day(&t.days[i], 6, values);
	return t;
}

static void periods_of_the_day(void **state)
{
	struct tariff t = four_periods();

	(void)state;
	assert_int_equal(tariff_check(&t, NULL), FC_OK);
	struct tariff_span s = tariff_at(&t, midnight);
	assert_int_equal(s.start_wall, midnight);
	assert_int_equal(s.end_wall, midnight + 25200);
	assert_int_equal(s.elec_e4, 4000);
	assert_int_equal(tariff_at(&t, midnight + 25199).elec_e4, 4000);
	assert_int_equal(tariff_at(&t, midnight + 25200).elec_e4, 8000);
	assert_int_equal(tariff_at(&t, midnight - 1).end_wall, midnight);
	assert_int_equal(tariff_at(&t, midnight - 1).start_wall, midnight - DAY_S + 75600);
	/* Another price on the second day, and that of the third for ever after. */
	t.days[1].periods[0].elec_e4 = 1;
	t.days[2].periods[0].elec_e4 = 2;
	assert_int_equal(tariff_at(&t, midnight + DAY_S).elec_e4, 1);
	assert_int_equal(tariff_at(&t, midnight + 2 * DAY_S).elec_e4, 2);
	assert_int_equal(tariff_at(&t, midnight + 9 * DAY_S).elec_e4, 2);
	assert_int_equal(tariff_at(&t, midnight - 9 * DAY_S).elec_e4, 4000);
}

static void tariffs_that_are_refused(void **state)
{
	struct error err;

	(void)state;
	for (int i = 0; i < 8; i++) {
		struct tariff t = four_periods();

		switch (i) {
		case 0:
			t.days[2].count = 0;
			break;
		case 1:
			t.days[0].periods[0].start_s = 1;
			break;
		case 2:
			t.days[1].periods[3].start_s = t.days[1].periods[2].start_s;
			break;
		case 3:
			t.days[0].periods[5].start_s = DAY_S;
			break;
		case 4:
			t.days[0].periods[5].elec_e4 = -1;
			break;
		case 5:
			t.days[0].periods[5].service_e4 = 10000001;
			break;
		case 6:
			t.minimum_e4 = 2, t.maximum_e4 = 1;
			break;
		default:
			t.free_wh = -1;
			break;
		}
		err = (struct error){0};
		assert_int_equal(tariff_check(&t, &err), FC_EINVAL);
		assert_true(strlen(err.text) > 10);
	}
}

static void a_charge_over_two_borders(void **state)
{
	struct tariff t = four_periods();
	struct split s;
	struct bill b;

	(void)state;
	/* 06:50 to 10:10, 60 kW all the time: 10 minutes, 3 hours, 10 minutes. */
	split_begin(&s, &t, midnight + 24600, 1000);
	assert_int_equal(split_reading(&s, &t, midnight + 36600, 201000, 60000), 200000);
	assert_int_equal(s.count, 3);
	assert_int_equal(s.parts[0].wh, 10000);
	assert_int_equal(s.parts[1].wh, 180000);
	assert_int_equal(s.parts[2].wh, 10000);
	assert_int_equal(s.parts[1].start_wall, midnight + 25200);
	assert_int_equal(s.parts[1].end_wall, midnight + 36000);
	assert_int_equal(s.repairs, SPLIT_GAP);
	bill_make(&b, &s, &t, 0);
	assert_int_equal(b.lines[0].elec_money_e4, 40000);
	assert_int_equal(b.lines[1].elec_money_e4, 1440000);
	assert_int_equal(b.lines[2].elec_money_e4, 120000);
	assert_int_equal(b.total_money_e4, 1600000 + 1600000);
	assert_int_equal(b.energy_e2, 20000);
}

/* Read once a second, brought up to date once a minute: 120 kW are 2 kWh a step. What no minute can have brought is no energy. */
static void a_register_that_stands_still_for_a_minute(void **state)
{
	struct tariff t = four_periods();
	struct split s;
	int64_t wh = 50000;

	(void)state;
	split_begin(&s, &t, midnight, wh);
	for (int i = 1; i <= 600; i++) {
		wh += i % 60 ? 0 : 2000;
		assert_int_equal(split_reading(&s, &t, midnight + i, wh, 120000), i % 60 ? 0 : 2000);
	}
	assert_int_equal(s.total_wh, 20000);
	assert_int_equal(s.repairs, 0);
	for (int i = 601; i <= 4200; i++)
		assert_int_equal(split_reading(&s, &t, midnight + i, wh, 120000), 0);
	assert_int_equal(split_reading(&s, &t, midnight + 4201, wh + 6000, 120000), 0);
	assert_int_equal(split_reading(&s, &t, midnight + 4202, wh + 8000, 120000), 0);
	assert_int_equal(s.repairs, SPLIT_JUMP);
	assert_int_equal(s.total_wh, 20000);
}

static void registers_that_misbehave(void **state)
{
	struct tariff t = four_periods();
	struct split s;

	(void)state;
	split_begin(&s, &t, midnight, 50000);
	assert_int_equal(split_reading(&s, &t, midnight + 60, 50900, 60000), 900);
	/* Back to zero: what it counts from there is ours. */
	assert_int_equal(split_reading(&s, &t, midnight + 120, 300, 60000), 300);
	assert_int_equal(s.repairs, SPLIT_RESET);
	/* Another meter with another reading, or garbage: no connector delivers that. */
	assert_int_equal(split_reading(&s, &t, midnight + 180, 7000000, 60000), 0);
	assert_int_equal(s.repairs, SPLIT_RESET | SPLIT_JUMP);
	assert_int_equal(split_reading(&s, &t, midnight + 240, 7000500, 60000), 500);
	/* Back, but to a value too high to have been counted from zero. */
	assert_int_equal(split_reading(&s, &t, midnight + 300, 6000000, 60000), 0);
	/* A clock that was set back. */
	assert_int_equal(split_reading(&s, &t, midnight + 10, 6000010, 60000), 10);
	assert_int_equal(s.last_wall, midnight + 300);
	assert_int_equal(s.total_wh, 900 + 300 + 500 + 10);
	assert_int_equal(s.parts[0].wh, s.total_wh);
}

/* Any register, even one that is against us: never more than twice what the connector delivers, a minute of it and 1 kWh once. */
static void no_register_bills_more_than_was_possible(void **state)
{
	enum { POWER_W = 60000, LIVES = 3000 };
	static const int64_t odd[] = {0,          1,    -1,       1000,     999,           INT64_MAX,         INT64_MIN,
				      1000000000, 5,    50000000, 50000900, SPLIT_MOST_WH, SPLIT_MOST_WH + 1, 49999500,
				      50001001,   65536};
	struct tariff t = four_periods();
	uint64_t random = 88172645463325252u;
	int64_t most_of_all = 0;

	(void)state;
	for (int i = 0; i < LIVES; i++) {
		struct split s;
		int64_t wall = midnight, wh = odd[i % (int)(sizeof(odd) / sizeof(odd[0]))];

		split_begin(&s, &t, wall, wh);
		for (int k = 0; k < 200; k++) {
			random = random * 6364136223846793005u + 1442695040888963407u;
			unsigned kind = (unsigned)(random >> 60), much = (unsigned)(random >> 33);

			wall += kind < 12 ? kind & 3 : (int64_t)(much % 7200);
			wh = kind < 6    ? (wh > INT64_MAX - 2000 ? 0 : wh + (int64_t)(much % 2000))
			     : kind < 8  ? wh / 2
			     : kind < 10 ? (wh < 2000 ? 0 : wh - (int64_t)(much % 2000))
					 : odd[much % (sizeof(odd) / sizeof(odd[0]))];
			assert_true(split_reading(&s, &t, wall, wh, POWER_W) >= 0);
			int64_t limit =
			    (2 * (int64_t)POWER_W * (wall - midnight + SPLIT_STILL_S)) / 3600 + SPLIT_SLACK_WH;

			assert_true(s.total_wh <= limit);
			most_of_all = s.total_wh > most_of_all ? s.total_wh : most_of_all;
		}
		int64_t sum = 0;
		for (int p = 0; p < s.count; p++) {
			assert_true(s.parts[p].wh >= 0);
			sum += s.parts[p].wh;
		}
		assert_int_equal(sum, s.total_wh);
	}
	assert_true(most_of_all > 0);
}

/* The borders, each with the reading just within and the one just beyond. 60 kW: 33 Wh a second are believed, 3 kWh at first. */
static void the_borders_of_belief(void **state)
{
	struct tariff t = four_periods();
	struct split s;

	(void)state;
	for (int beyond = 0; beyond < 2; beyond++) {
		/* The first reading, in the second of the start. */
		split_begin(&s, &t, midnight, 50000000);
		assert_int_equal(split_reading(&s, &t, midnight, 50003000 + beyond, 60000), beyond ? 0 : 3000);
		assert_int_equal(s.repairs, beyond ? SPLIT_JUMP : 0);
		/* A register that is used up is believed by the time that goes by, not by the reading. */
		split_begin(&s, &t, midnight, 50000000);
		assert_int_equal(split_reading(&s, &t, midnight, 50003000, 60000), 3000);
		assert_int_equal(split_reading(&s, &t, midnight + 3, 50003100 + beyond, 60000), beyond ? 0 : 100);
		/* Silent for five hours, and back: twice what five hours deliver. */
		split_begin(&s, &t, midnight, 50000000);
		assert_int_equal(split_reading(&s, &t, midnight, 50003000, 60000), 3000);
		assert_int_equal(split_reading(&s, &t, midnight + 18000, 50603000 + beyond, 60000),
				 beyond ? 0 : 600000);
		assert_int_equal(s.repairs, SPLIT_GAP | (beyond ? SPLIT_JUMP : 0));
		/* Where the clock does not tell: a day. */
		split_begin(&s, &t, midnight, 50000000);
		s.away = 1;
		assert_int_equal(split_reading(&s, &t, midnight, 52883000 + beyond, 60000), beyond ? 0 : 2883000);
		/* Back to zero: as much from there, and no more. */
		split_begin(&s, &t, midnight, 50000000);
		assert_int_equal(split_reading(&s, &t, midnight, 3000 + beyond, 60000), beyond ? 0 : 3000);
		assert_int_equal(s.repairs, SPLIT_RESET | (beyond ? SPLIT_JUMP : 0));
		/* A step back: up to 1 kWh it is no new register, and what it counts again is not billed again. */
		split_begin(&s, &t, midnight, 50000000);
		assert_int_equal(split_reading(&s, &t, midnight + 1, 49999000 - beyond, 60000), 0);
		assert_int_equal(split_reading(&s, &t, midnight + 60, 50000100, 60000), beyond ? 1101 : 100);
	}
}

/* 1e6 kWh more, and what comes of it. */
static void a_jump_is_one_wrong_reading_or_a_new_register(void **state)
{
	struct tariff t = four_periods();
	struct split s;

	(void)state;
	split_begin(&s, &t, midnight, 50000000);
	assert_int_equal(split_reading(&s, &t, midnight + 10, 50000100, 60000), 100);
	/* One wrong reading: what was delivered meanwhile is not lost. */
	assert_int_equal(split_reading(&s, &t, midnight + 11, 1050000000, 60000), 0);
	assert_int_equal(split_reading(&s, &t, midnight + 12, 50000130, 60000), 30);
	assert_int_equal(s.repairs, SPLIT_JUMP);
	/* A new register: it goes on from there, also when the old number comes once more later. */
	assert_int_equal(split_reading(&s, &t, midnight + 13, 1050000000, 60000), 0);
	assert_int_equal(split_reading(&s, &t, midnight + 14, 1050000010, 60000), 10);
	assert_int_equal(split_reading(&s, &t, midnight + 15, 50000140, 60000), 0);
	assert_int_equal(s.repairs, SPLIT_JUMP | SPLIT_RESET);
	assert_int_equal(split_reading(&s, &t, midnight + 16, 50000150, 60000), 10);
	assert_int_equal(s.total_wh, 150);
	/* To and fro, each second: 1 kWh a time, were each looked at by itself. */
	split_begin(&s, &t, midnight, 0);
	for (int i = 1; i <= 3600; i++)
		(void)split_reading(&s, &t, midnight + i, i & 1 ? 1000 : 0, 60000);
	assert_true(s.total_wh <= 123000);
	/* No number of a register: nothing is counted from it, or to it. */
	split_begin(&s, &t, midnight, 50000000);
	assert_int_equal(split_reading(&s, &t, midnight + 1, -1, 60000), 0);
	assert_int_equal(split_reading(&s, &t, midnight + 2, INT64_MAX, 60000), 0);
	assert_int_equal(split_reading(&s, &t, midnight + 3, INT64_MIN, 60000), 0);
	assert_int_equal(split_reading(&s, &t, midnight + 4, 50000040, 60000), 40);
	/* Not even at the start, where any register is taken for one. */
	split_begin(&s, &t, midnight, 0);
	s.unread = 1;
	assert_int_equal(split_reading(&s, &t, midnight + 1, INT64_MAX, 60000), 0);
	assert_true(s.unread);
	assert_int_equal(split_reading(&s, &t, midnight + 2, 50000000, 60000), 0);
	assert_int_equal(split_reading(&s, &t, midnight + 3, 50000020, 60000), 20);
	split_begin(&s, &t, midnight, INT64_MIN);
	assert_int_equal(split_reading(&s, &t, midnight + 1, 50000000, 60000), 0);
	assert_int_equal(split_reading(&s, &t, midnight + 2, 50000020, 60000), 20);
}

/* A register that nobody could read at the start, and one that takes over. */
static void registers_that_come_late(void **state)
{
	struct tariff t = four_periods();
	struct split s;

	(void)state;
	split_begin(&s, &t, midnight, 0);
	s.unread = 1;
	assert_int_equal(split_reading(&s, &t, midnight + 60, 600, 60000), 0);
	assert_int_equal(s.start_register_wh, 600);
	assert_int_equal(split_reading(&s, &t, midnight + 120, 1000, 60000), 400);
	assert_int_equal(s.repairs, SPLIT_LATE);
	split_register(&s, 5000000);
	assert_int_equal(s.total_wh, 400);
	assert_int_equal(split_reading(&s, &t, midnight + 180, 5000100, 60000), 100);
	assert_int_equal(s.total_wh, 500);
	assert_int_equal(s.repairs, SPLIT_LATE | SPLIT_METER);
	assert_int_equal(s.last_wall, midnight + 180);
}

static void fees_and_limits(void **state)
{
	struct tariff t = four_periods();
	struct split s;
	struct bill b;

	(void)state;
	split_begin(&s, &t, midnight, 0);
	(void)split_reading(&s, &t, midnight + 61, 1000, 60000);
	/* 0.40 + 0.80 yuan, two begun minutes at 0.10, 3 of 5 occupied minutes at 0.50. */
	t.minute_e4 = 1000;
	t.occupancy_minute_e4 = 5000;
	t.occupancy_free_min = 2;
	bill_make(&b, &s, &t, 300);
	assert_int_equal(b.total_money_e4, 4000 + 8000 + 2000 + 15000);
	assert_int_equal(b.elec_money_e4, 4000);
	t.minimum_e4 = 50000;
	bill_make(&b, &s, &t, 0);
	assert_int_equal(b.total_money_e4, 50000);
	t.minimum_e4 = 0;
	t.maximum_e4 = 3000;
	bill_make(&b, &s, &t, 300);
	assert_int_equal(b.total_money_e4, 3000);
	assert_int_equal(b.service_money_e4, 0);
	t.maximum_e4 = 0;
	t.free_wh = 400;
	t.minute_e4 = 0;
	bill_make(&b, &s, &t, 0);
	assert_int_equal(b.total_money_e4, 2400 + 4800);
	/* Nothing delivered costs no minimum. */
	split_begin(&s, &t, midnight, 0);
	t.minimum_e4 = 50000;
	bill_make(&b, &s, &t, 0);
	assert_int_equal(b.total_money_e4, 0);
	assert_int_equal(b.count, 1);
}

static struct tariff random_tariff(void)
{
	struct tariff t = {.first_day = (int32_t)((midnight + CST_S) / DAY_S)};

	for (int d = 0; d < TARIFF_DAYS; d++) {
		int count = 1 + (int)random_to(TARIFF_PERIODS - 1);
		int32_t at = 0;

		t.days[d].count = 0;
		for (int i = 0; i < count && at < DAY_S; i++) {
			t.days[d].periods[t.days[d].count++] = (struct tariff_period){
			    at, (int32_t)random_to(20000), (int32_t)random_to(3) ? (int32_t)random_to(8000) : 0};
			at += 1 + (int32_t)random_to(2 * DAY_S / count);
		}
	}
	return t;
}

/* The price of a second, found in another way than tariff.c does. */
static const struct tariff_period *price_of(const struct tariff *t, int64_t wall)
{
	int64_t local = wall + CST_S, day = local / DAY_S - t->first_day, second = local % DAY_S;
	const struct tariff_day *d = &t->days[day > TARIFF_DAYS - 1 ? TARIFF_DAYS - 1 : day];
	const struct tariff_period *found = NULL;

	for (int i = 0; i < d->count; i++)
		if (d->periods[i].start_s <= second)
			found = &d->periods[i];
	return found;
}

static void check_parts(const struct tariff *t, const struct split *s)
{
	int64_t sum = 0;

	assert_int_equal(s->parts[0].start_wall, s->start_wall);
	assert_int_equal(s->parts[s->count - 1].end_wall, s->last_wall);
	for (int i = 0; i < s->count; i++) {
		const struct split_part *p = &s->parts[i];

		assert_true(p->wh >= 0);
		sum += p->wh;
		assert_true(p->end_wall >= p->start_wall);
		if (i)
			assert_int_equal(p->start_wall, s->parts[i - 1].end_wall);
		if (s->repairs & SPLIT_MERGED || p->end_wall == p->start_wall)
			continue;
		/* At both ends and somewhere between them the prices are the part's. */
		const int64_t at[] = {p->start_wall, p->end_wall - 1,
				      p->start_wall + random_to(p->end_wall - 1 - p->start_wall)};
		for (int k = 0; k < 3; k++) {
			assert_int_equal(price_of(t, at[k])->elec_e4, p->elec_e4);
			assert_int_equal(price_of(t, at[k])->service_e4, p->service_e4);
		}
	}
	assert_int_equal(sum, s->total_wh);
}

static int64_t half_up(int64_t n, int64_t d)
{
	return (2 * n + d) / (2 * d);
}

static void check_bill(const struct split *s, const struct bill *b)
{
	int64_t elec = 0, service = 0, energy = 0, wh = 0;

	assert_int_equal(b->count, s->count);
	for (int i = 0; i < b->count; i++) {
		const struct bill_line *l = &b->lines[i];

		assert_int_equal(l->wh, s->parts[i].wh);
		assert_int_equal(l->elec_money_e4, half_up(l->wh * l->elec_e4, 100000) * 100);
		assert_int_equal(l->service_money_e4, half_up(l->wh * l->service_e4, 100000) * 100);
		assert_true(l->energy_e2 >= 0 && labs((long)(l->energy_e2 * 10 - l->wh)) <= 10);
		elec += l->elec_money_e4;
		service += l->service_money_e4;
		energy += l->energy_e2;
		wh += l->wh;
	}
	assert_int_equal(b->elec_money_e4, elec);
	assert_int_equal(b->service_money_e4, service);
	assert_int_equal(b->total_money_e4, elec + service);
	assert_int_equal(b->energy_e2, energy);
	assert_int_equal(energy, half_up(wh, 10));
	assert_int_equal(b->wh, wh);
}

static void random_charges(void **state)
{
	int64_t parts = 0, readings = 0, merged = 0;

	(void)state;
	seed = 88172645463325252ull;
	for (int i = 0; i < CHARGES; i++) {
		struct tariff t = random_tariff();
		struct split s;
		struct bill b;
		int64_t wall = midnight + random_to(DAY_S - 1), meter = random_to(100000000), start = meter;
		int n = (int)random_to(40), steps = (int)random_to(3);

		split_begin(&s, &t, wall, meter);
		for (int k = 0; k < n; k++) {
			wall += random_to(steps ? 600 : 7200);
			/* At most what 120 kW give in the time; 0 now and then. */
			int64_t most = 120000 * (wall - s.last_wall) / 3600;
			int64_t step = random_to(3) ? random_to(most) : 0;
			meter += step;
			assert_int_equal(split_reading(&s, &t, wall, meter, 120000), step);
		}
		assert_int_equal(s.total_wh, meter - start);
		check_parts(&t, &s);
		bill_make(&b, &s, &t, 0);
		check_bill(&s, &b);
		parts += s.count;
		readings += n;
		merged += (s.repairs & SPLIT_MERGED) != 0;
	}
	print_message("%d charges, %lld readings, %lld parts, %lld with more periods than lines\n", CHARGES,
		      (long long)readings, (long long)parts, (long long)merged);
}

/* Fees, allowances and limits at random: sums stay exact and nothing goes below zero. */
static void random_fees(void **state)
{
	(void)state;
	seed = 1234567;
	for (int i = 0; i < CHARGES / 10; i++) {
		struct tariff t = random_tariff();
		struct split s;
		struct bill b;
		int64_t wall = midnight + random_to(DAY_S - 1), meter = 0, elec = 0, service = 0;

		t.minute_e4 = random_to(1) ? random_to(3000) : 0;
		t.occupancy_minute_e4 = random_to(5000);
		t.occupancy_free_min = (int32_t)random_to(30);
		t.free_wh = random_to(1) ? random_to(20000) : 0;
		t.minimum_e4 = random_to(1) ? random_to(100000) : 0;
		t.maximum_e4 = random_to(1) ? t.minimum_e4 + random_to(300000) : 0;
		if (!t.maximum_e4)
			t.maximum_e4 = 0;
		assert_int_equal(tariff_check(&t, NULL), FC_OK);
		split_begin(&s, &t, wall, 0);
		for (int k = (int)random_to(10); k; k--) {
			wall += random_to(3600);
			meter += random_to(60000 * (wall - s.last_wall) / 3600);
			(void)split_reading(&s, &t, wall, meter, 60000);
		}
		bill_make(&b, &s, &t, random_to(7200));
		for (int k = 0; k < b.count; k++) {
			assert_true(b.lines[k].elec_money_e4 >= 0 && b.lines[k].service_money_e4 >= 0);
			assert_int_equal(b.lines[k].elec_money_e4 % 100 + b.lines[k].service_money_e4 % 100, 0);
			elec += b.lines[k].elec_money_e4;
			service += b.lines[k].service_money_e4;
		}
		assert_int_equal(b.elec_money_e4, elec);
		assert_int_equal(b.service_money_e4, service);
		assert_int_equal(b.total_money_e4, elec + service);
		if (b.wh)
			assert_true(b.total_money_e4 + 50 >= t.minimum_e4);
		if (t.maximum_e4 && b.total_money_e4 > t.maximum_e4)
			assert_true(b.total_money_e4 - 50 <= t.minimum_e4);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(periods_of_the_day),
	    cmocka_unit_test(tariffs_that_are_refused),
	    cmocka_unit_test(a_charge_over_two_borders),
	    cmocka_unit_test(a_register_that_stands_still_for_a_minute),
	    cmocka_unit_test(registers_that_misbehave),
	    cmocka_unit_test(no_register_bills_more_than_was_possible),
	    cmocka_unit_test(the_borders_of_belief),
	    cmocka_unit_test(a_jump_is_one_wrong_reading_or_a_new_register),
	    cmocka_unit_test(registers_that_come_late),
	    cmocka_unit_test(fees_and_limits),
	    cmocka_unit_test(random_charges),
	    cmocka_unit_test(random_fees),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
