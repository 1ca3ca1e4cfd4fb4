/* bus/: who is asked next, at which pace, and what the figures say: pure logic with a clock of the test's own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bus/figures.h"
#include "bus/pace.h"
#include "bus/requests.h"
#include "bus/schedule.h"
#include "bus/wire.h"

static const int64_t ms = 1000, second = 1000000;

enum { READS = 64 };

/* A line with a clock: each read takes cost_us, and what is dead takes the time-out. */
struct world {
	struct schedule s;
	struct bus_read reads[READS];
	uint32_t count;
	int64_t now, cost_us[READS], timeout_us;
	int dead[READS];                                   /* by tag: never answered */
	int made[READS];                                   /* by tag */
	int64_t first[READS], last[READS], longest[READS]; /* when; longest time between two */
	int told_slow;
};

static void add(struct world *w, uint8_t unit, uint32_t period_ms, int64_t cost_us)
{
	w->reads[w->count] = (struct bus_read){.unit = unit,
					       .function = 3,
					       .address = (uint16_t)w->count,
					       .count = 1,
					       .period_ms = period_ms,
					       .tag = w->count};
	w->cost_us[w->count++] = cost_us;
}

static void begin(struct world *w)
{
	w->timeout_us = second;
	for (int i = 0; i < READS; i++)
		w->first[i] = w->last[i] = -1;
	assert_int_equal(schedule_init(&w->s, w->reads, w->count, w->now, 7), FC_OK);
}

static void note(struct world *w, uint32_t tag)
{
	w->made[tag]++;
	if (w->first[tag] < 0)
		w->first[tag] = w->now;
	else if (w->now - w->last[tag] > w->longest[tag])
		w->longest[tag] = w->now - w->last[tag];
	w->last[tag] = w->now;
}

/* What was asked, or -1 when time passed. */
static int step(struct world *w, int64_t end)
{
	struct schedule_choice c = schedule_next(&w->s, w->now, w->timeout_us);

	if (c.entry < 0) {
		assert_true(c.wait_us > 0);
		w->now = c.wait_us < end - w->now ? w->now + c.wait_us : end;
		return -1;
	}
	uint32_t tag = w->s.entries[c.entry].read.tag;
	int64_t cost = w->dead[tag] ? c.timeout_us : w->cost_us[tag];
	note(w, tag);
	w->now += cost;
	schedule_spent(&w->s, c.entry, cost);
	enum schedule_change change =
	    schedule_done(&w->s, c.entry, w->now, w->dead[tag] ? SCHEDULE_LOST : SCHEDULE_ANSWERED);
	w->told_slow += change == SCHEDULE_SLOW;
	return (int)tag;
}

static void pass(struct world *w, int64_t us)
{
	for (int64_t end = w->now + us; w->now < end;)
		(void)step(w, end);
}

/* Twenty blocks of one unit want four times what the line has; the other's single one loses nothing. */
static void many_blocks_do_not_starve_a_few(void **state)
{
	struct world w = {0};

	(void)state;
	for (int i = 0; i < 20; i++)
		add(&w, 1, 500, 100 * ms);
	add(&w, 2, 500, 50 * ms);
	begin(&w);
	pass(&w, 100 * second);
	assert_in_range(w.made[20], 195, 201);
	assert_true(w.longest[20] <= 800 * ms);
	/* And the line is never idle: the rest is the other's, block by block alike. */
	for (int i = 0; i < 20; i++)
		assert_in_range(w.made[i], 43, 47);
	schedule_fini(&w.s);
}

/* Two that both want more than half get half each, whatever their reads cost. */
static void time_is_shared_not_requests(void **state)
{
	struct world w = {0};
	int64_t used[2] = {0};

	(void)state;
	for (int i = 0; i < 8; i++)
		add(&w, 1, 200, 150 * ms);
	for (int i = 0; i < 8; i++)
		add(&w, 2, 200, 75 * ms);
	begin(&w);
	pass(&w, 120 * second);
	for (int i = 0; i < 16; i++)
		used[i / 8] += w.made[i] * w.cost_us[i];
	assert_in_range(used[0] * 100 / (used[0] + used[1]), 45, 67);
	schedule_fini(&w.s);
}

/* Some blocks of a unit time out again and again, and it answers others: that is its own time. */
static void time_outs_are_the_units_own(void **state)
{
	struct world w = {0};

	(void)state;
	for (int i = 0; i < 6; i++)
		add(&w, 1, 500, 20 * ms);
	add(&w, 2, 500, 20 * ms);
	w.dead[0] = w.dead[1] = w.dead[2] = 1;
	begin(&w);
	pass(&w, 100 * second);
	assert_in_range(w.told_slow, 0, 1); /* before it is known that it is these blocks only */
	assert_true(w.made[6] >= 150);
	assert_true(w.longest[6] <= 2 * second);
	schedule_fini(&w.s);
}

/* Forty slow blocks, due together, beside one that is a hundred times as fast: it never waits for more than one of them. */
static void slow_blocks_go_in_the_gaps(void **state)
{
	struct world w = {0};

	(void)state;
	add(&w, 1, 200, 20 * ms);
	for (int i = 0; i < 40; i++)
		add(&w, (uint8_t)(2 + i % 5), 20000, 100 * ms);
	begin(&w);
	pass(&w, 200 * second);
	assert_in_range(w.made[0], 990, 1001);
	assert_true(w.longest[0] <= 200 * ms + 100 * ms + ms);
	assert_int_equal(w.s.missed, 0);
	for (int i = 1; i <= 40; i++)
		assert_in_range(w.made[i], 9, 12);
	schedule_fini(&w.s);
}

/* The line is full of fast ones: the slow ones are made all the same, never two in a row while a fast one waits. */
static void a_full_line_still_makes_slow_reads(void **state)
{
	struct world w = {0};
	int slow_in_a_row = 0, before = 0;

	(void)state;
	for (int i = 0; i < 5; i++)
		add(&w, 1, 100, 40 * ms);
	for (int i = 0; i < 3; i++)
		add(&w, 1, 10000, 40 * ms);
	begin(&w);
	/* Their periods end together. */
	for (int i = 5; i < 8; i++) {
		w.s.entries[i].due_us = 0;
		w.s.entries[i].fresh = 0;
	}
	for (int64_t end = 200 * second; w.now < end;) {
		int tag = step(&w, end);

		slow_in_a_row += tag >= 5 && before >= 5;
		before = tag;
	}
	assert_int_equal(slow_in_a_row, 0);
	for (int i = 5; i < 8; i++)
		assert_in_range(w.made[i], 9, 23); /* it has half of the time that all of them want */
	schedule_fini(&w.s);
}

static void all_within(const struct world *w, int from, int to, int64_t begin_us)
{
	for (int i = from; i < to; i++) {
		assert_true(w->first[i] >= begin_us);
		assert_true(w->first[i] - begin_us < 3 * second);
	}
}

/* A serial number is known two seconds after the start, not somewhere in its first minute; then the minute's reads are spread. */
static void slow_reads_are_made_soon_once(void **state)
{
	struct world w = {0};
	int64_t phases[20];

	(void)state;
	for (int i = 0; i < 20; i++)
		add(&w, (uint8_t)(1 + i % 4), 60000, 20 * ms);
	begin(&w);
	pass(&w, 10 * second);
	all_within(&w, 0, 20, 0);
	for (int i = 0; i < 20; i++)
		assert_int_equal(w.made[i], 1);
	pass(&w, 300 * second);
	int64_t least = INT64_MAX, most = 0;
	for (int i = 0; i < 20; i++) {
		assert_in_range(w.made[i], 5, 7);
		assert_true(w.longest[i] <= 61 * second);
		phases[i] = w.last[i] % (60 * second);
		least = phases[i] < least ? phases[i] : least;
		most = phases[i] > most ? phases[i] : most;
	}
	assert_true(most - least > 15 * second);
	/* The unit goes and comes back: the same at once again. */
	for (int i = 0; i < 20; i += 4)
		w.dead[i] = 1;
	pass(&w, 400 * second);
	assert_int_equal(w.told_slow, 1);
	for (int i = 0; i < 20; i++) {
		w.dead[i] = 0;
		w.first[i] = -1;
	}
	while (w.first[0] < 0 && w.first[4] < 0 && w.first[8] < 0 && w.first[12] < 0 && w.first[16] < 0)
		(void)step(&w, w.now + second);
	int64_t back = w.now;
	for (int i = 0; i < 20; i++)
		w.first[i] = -1;
	pass(&w, 10 * second);
	for (int i = 0; i < 20; i += 4)
		assert_true(w.first[i] >= 0 && w.first[i] - back < 3 * second);
	schedule_fini(&w.s);
}

/* chargers.md 4, row 45: a long text that times out is tried again soon, then ever more seldom; the unit stays what it is. */
static void row_45_identity_reads_are_retried_slowly(void **state)
{
	struct world w = {0};

	(void)state;
	add(&w, 1, 1000, 20 * ms);
	add(&w, 1, 60000, 200 * ms);
	w.dead[1] = 1;
	begin(&w);
	pass(&w, 30 * second);
	assert_in_range(w.made[1], 3, 5); /* lost at 1 s: again after 2, 4 and 8 */
	pass(&w, 3600 * second);
	assert_in_range(w.made[1], 9, 20);
	assert_int_equal(w.told_slow, 0);
	assert_true(w.made[0] >= 3600);
	/* It answers at last: once a minute again. */
	w.dead[1] = 0;
	pass(&w, 700 * second);
	int made = w.made[1];
	pass(&w, 600 * second);
	assert_in_range(w.made[1] - made, 9, 11);
	schedule_fini(&w.s);
}

/* chargers.md 4, row 46: what is silent is asked again and again, for ever, and any valid answer brings it back. */
static void row_46_dead_units_are_asked_slowly_for_ever(void **state)
{
	struct world w = {0};

	(void)state;
	add(&w, 1, 1000, 20 * ms);
	add(&w, 2, 1000, 20 * ms);
	w.dead[1] = 1;
	begin(&w);
	pass(&w, 3600 * second);
	int before = w.made[1];
	pass(&w, 3600 * second);
	assert_in_range(w.made[1] - before, 45, 80);
	/* Not a poll: a command that it answers. */
	assert_int_equal(schedule_heard(&w.s, 2, w.now), SCHEDULE_BACK);
	assert_int_equal(schedule_heard(&w.s, 2, w.now), SCHEDULE_SAME);
	assert_int_equal(schedule_heard(&w.s, 99, w.now), SCHEDULE_SAME); /* a source that we don't know */
	w.dead[1] = 0;
	before = w.made[1];
	pass(&w, 10 * second);
	assert_in_range(w.made[1] - before, 9, 12);
	assert_int_equal(schedule_slow_count(&w.s), 0);
	schedule_fini(&w.s);
}

static void a_busy_unit_is_asked_again_after_a_pause(void **state)
{
	struct world w = {0};
	int64_t times[8];
	int n = 0;

	(void)state;
	add(&w, 1, 60000, 20 * ms);
	add(&w, 1, 60000, 20 * ms);
	add(&w, 2, 60000, 20 * ms);
	begin(&w);
	for (w.now = 0; w.now < 10 * second; w.now += ms) {
		struct schedule_choice c = schedule_next(&w.s, w.now, second);

		if (c.entry < 0)
			continue;
		uint8_t unit = w.s.entries[c.entry].read.unit;
		if (unit == 1 && n < 3) {
			times[n++] = w.now;
			assert_int_equal(schedule_done(&w.s, c.entry, w.now, SCHEDULE_BUSY), SCHEDULE_AGAIN);
			continue;
		}
		note(&w, w.s.entries[c.entry].read.tag);
		assert_int_equal(schedule_done(&w.s, c.entry, w.now, SCHEDULE_ANSWERED), SCHEDULE_SAME);
	}
	/* The unit's other reads waited with it, the other unit's did not; all were made once. */
	assert_true(times[1] - times[0] >= 250 * ms && times[2] - times[1] >= 250 * ms);
	for (int i = 0; i < 3; i++)
		assert_int_equal(w.made[i], 1);
	assert_true(w.first[2] < 2 * second);
	/* One that is busy for ever gets its answer told at last. */
	int again = 0;
	enum schedule_change change = SCHEDULE_AGAIN;
	for (; change == SCHEDULE_AGAIN; again++)
		change = schedule_done(&w.s, 0, w.now, SCHEDULE_BUSY);
	assert_int_equal(again, 4);
	schedule_fini(&w.s);
}

/* chargers.md 4, row 5: answers come later and later: half as often, a quarter; as planned again when they are fast. What a device
 * counts on keeps its pace. */
static void row_05_pace_follows_latency(void **state)
{
	struct world w = {0};
	struct pace p = {0};
	int lowered = 0, back = 0;

	(void)state;
	for (int i = 0; i < 100; i++)
		assert_int_equal(pace_take(&p, 20 * ms + i % 7 * ms), PACE_SAME);
	/* A long text now and then is no trend. */
	for (int i = 0; i < 200; i++)
		assert_int_equal(pace_take(&p, i % 60 ? 20 * ms : 300 * ms), PACE_SAME);
	for (int i = 0; i < 60; i++)
		lowered += pace_take(&p, (20 + 20 * i) * ms) == PACE_LOWERED;
	assert_int_equal(lowered, 1);
	assert_int_equal(p.shift, 2);
	/* Never so slow that values of three periods, or three seconds, grow stale. */
	assert_int_equal(pace_period_us(&p, second), 2 * second);
	assert_int_equal(pace_period_us(&p, 200 * ms), 800 * ms);
	for (int i = 0; i < 100; i++)
		back += pace_take(&p, 22 * ms) == PACE_BACK;
	assert_int_equal(back, 1);
	assert_int_equal(p.shift, 0);
	/* What stays slow is usual in the end: it is not asked half as often for ever. */
	for (int i = 0; i < 20000; i++)
		(void)pace_take(&p, 400 * ms);
	assert_int_equal(p.shift, 0);

	add(&w, 1, 1000, 20 * ms);
	add(&w, 1, 1000, 20 * ms);
	w.reads[1].steady = 1;
	begin(&w);
	w.s.units[0].pace.shift = 1;
	pass(&w, 100 * second);
	assert_in_range(w.made[0], 49, 51);
	assert_in_range(w.made[1], 99, 101);
	assert_int_equal(w.s.missed, 0);
	schedule_fini(&w.s);
}

static void what_the_plan_needs_is_known(void **state)
{
	struct world w = {0};

	(void)state;
	add(&w, 1, 1000, 100 * ms);
	add(&w, 2, 500, 150 * ms);
	add(&w, 3, 100, 100 * ms);
	w.dead[2] = 1;
	begin(&w);
	pass(&w, 60 * second);
	/* 10 % and 30 %; a unit that is away needs nothing. */
	assert_in_range(schedule_planned(&w.s), 395, 405);
	w.dead[2] = 0;
	pass(&w, 200 * second);
	assert_in_range(schedule_planned(&w.s), 1350, 1405);
	schedule_fini(&w.s);
}

static struct request write_of(uint8_t unit, uint32_t tag, int64_t deadline_us)
{
	return (struct request){.write = {.unit = unit, .function = 6, .count = 1, .tag = tag},
				.deadline_us = deadline_us};
}

static void requests_keep_their_order_within_a_unit(void **state)
{
	struct requests q = {0};
	int64_t wait, now = second;

	(void)state;
	assert_int_equal(requests_next(&q, now, &wait), -1);
	assert_true(wait == INT64_MAX);
	const struct request all[] = {write_of(1, 10, 10 * second), write_of(1, 11, 10 * second),
				      write_of(2, 12, 10 * second)};
	for (int i = 0; i < 3; i++)
		assert_int_equal(requests_put(&q, &all[i]), FC_OK);
	assert_int_equal(requests_next(&q, now, &wait), 0);
	/* Unit 1 is busy: its second one waits too, unit 2's does not. */
	assert_true(requests_again(&q, 0, now));
	assert_int_equal(requests_next(&q, now, &wait), 2);
	requests_remove(&q, 2);
	assert_int_equal(requests_next(&q, now, &wait), -1);
	assert_int_equal(wait, 250 * ms);
	now += wait;
	assert_int_equal(requests_next(&q, now, &wait), 0);
	assert_int_equal(q.list[0].write.tag, 10);
	/* Four tries, and not beyond its time. */
	assert_true(requests_again(&q, 0, now));
	assert_true(requests_again(&q, 0, now));
	assert_false(requests_again(&q, 0, now));
	requests_remove(&q, 0);
	assert_int_equal(q.list[requests_next(&q, now, &wait)].write.tag, 11);
	assert_false(requests_again(&q, 0, 10 * second));
	struct request more = write_of(3, 13, 10 * second);
	while (q.count < REQUESTS_MAX)
		assert_int_equal(requests_put(&q, &more), FC_OK);
	assert_int_equal(requests_put(&q, &more), FC_EBUSY);
}

static void figures_of_a_unit(void **state)
{
	const struct bus_read reads[] = {{.unit = 9}, {.unit = 2}, {.unit = 9}};
	struct figures f = {0};
	struct bus_unit_stats s;
	uint32_t count;

	(void)state;
	struct figures_unit *units = figures_units(reads, 3, &count);
	assert_int_equal(count, 2);
	assert_null(figures_adopt(&f, units, count));
	assert_int_equal(f.units[0].stats.unit, 2);
	struct bus_result r = {.unit = 9, .status = BUS_OK};
	for (int i = 1; i <= 1000; i++) {
		r.latency_us = (uint32_t)i * 100;
		r.mono_us = i * 100 * ms;
		figures_take(&f, &r, 50 * ms, 10 * ms);
	}
	figures_get_unit(figures_find(&f, 9), 101 * second, &s);
	assert_int_equal(s.answers, 1000);
	assert_in_range(s.latency_p50_us, 40000, 62500);
	assert_in_range(s.latency_p90_us, 72000, 112500);
	assert_in_range(s.latency_p99_us, 79000, 100000);
	assert_int_equal(s.latency_max_us, 100000);
	assert_int_equal(s.answer_age_us, second);
	const struct bus_result odd[] = {{.unit = 9, .status = BUS_TIMEOUT},
					 {.unit = 9, .status = BUS_EXCEPTION, .exception = 6},
					 {.unit = 9, .status = BUS_EXCEPTION, .exception = 77},
					 {.unit = 9, .status = BUS_EXCEPTION, .exception = 11},
					 {.unit = 9, .status = BUS_BAD_ANSWER},
					 {.unit = 77, .status = BUS_OK}};
	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++)
		figures_take(&f, &odd[i], 0, 0);
	figures_retry(&f, 9);
	figures_get_unit(figures_find(&f, 9), 0, &s);
	assert_int_equal(s.timeouts, 1);
	assert_int_equal(s.bad, 1);
	assert_int_equal(s.exceptions[6], 1);
	assert_int_equal(s.exceptions[11], 1);
	assert_int_equal(s.exceptions[0], 1);
	assert_int_equal(s.retries, 1);
	assert_int_equal(s.requests, 1005);
	figures_get_unit(figures_find(&f, 2), 0, &s);
	assert_int_equal(s.answer_age_us, -1);
	assert_int_equal(s.latency_p99_us, 0);
	assert_int_equal(s.pace, 100);
	assert_null(figures_find(&f, 77));
	/* Another plan: what stays is known. */
	const struct bus_read other[] = {{.unit = 3}, {.unit = 9}};
	units = figures_units(other, 2, &count);
	free(figures_adopt(&f, units, count));
	figures_get_unit(figures_find(&f, 9), 0, &s);
	assert_int_equal(s.answers, 1000);
	assert_null(figures_find(&f, 2));
	free(f.units);
}

/* Half of the time, of the last minute; nothing of the hour before. */
static void load_is_of_the_last_minute(void **state)
{
	struct figures f = {0};
	struct bus_line_stats s;
	struct bus_result r = {.unit = 1, .status = BUS_OK};
	int64_t now = 1000 * second;

	(void)state;
	figures_get_line(&f, now, &s);
	assert_int_equal(s.load, 0);
	for (int i = 0; i < 2000; i++, now += 100 * ms) {
		r.mono_us = now;
		figures_take(&f, &r, 90 * ms, 60 * ms);
	}
	figures_get_line(&f, now, &s);
	assert_in_range(s.load, 880, 905);
	assert_in_range(s.wire, 580, 605);
	for (int i = 0; i < 1000; i++, now += 100 * ms) {
		r.mono_us = now;
		figures_take(&f, &r, 50 * ms, 20 * ms);
	}
	figures_get_line(&f, now, &s);
	assert_in_range(s.load, 490, 505);
	assert_in_range(s.wire, 195, 205);
	/* Silence since: it fades, and is gone. */
	figures_get_line(&f, now + 30 * second, &s);
	assert_in_range(s.load, 200, 300);
	figures_get_line(&f, now + 120 * second, &s);
	assert_int_equal(s.load, 0);
}

static void time_on_the_wire(void **state)
{
	struct bus_line_config c = {.kind = BUS_RTU, .baud = 9600, .data_bits = 8, .stop_bits = 1, .parity = 'E'};

	(void)state;
	/* chargers.md 3.4: 255 bytes of 11 bits are 292 ms; 8 bytes of request before. */
	assert_in_range(wire_us(&c, 3, 125) - wire_request_us(&c, 3, 125), 292000, 292300);
	assert_in_range(wire_request_us(&c, 3, 125), 9160, 9170);
	assert_in_range(wire_refused_us(&c, 3, 125), 14890, 14900);
	/* 16 writes of two words: 13 bytes there, 8 back; coils by the byte. */
	assert_in_range(wire_us(&c, 16, 2), 24060, 24070);
	assert_in_range(wire_us(&c, 1, 9), 17180, 17190);
	assert_in_range(wire_silence_us(&c), 4005, 4015);
	c.baud = 115200;
	assert_int_equal(wire_silence_us(&c), 1750);
	c.kind = BUS_TCP;
	assert_int_equal(wire_us(&c, 3, 125), 0);
	assert_int_equal(wire_silence_us(&c), 0);
	/* DL/T 645: 20 ms; t3.5 where that is longer. */
	c.framing = BUS_FRAMING_DLT645;
	assert_int_equal(wire_silence_us(&c), 20000);
	c.kind = BUS_RTU;
	c.baud = 2400;
	assert_int_equal(wire_silence_us(&c), 20000);
	c.baud = 1200;
	assert_in_range(wire_silence_us(&c), 32080, 32090);
}

/* A meter's other identifier, or another meter in its place, is another read: what was never answered before is no reason to wait. */
static void another_identifier_is_another_read(void **state)
{
	struct bus_read reads[2] = {{.unit = 1, .function = 3, .count = 2, .period_ms = 60000, .identifier = 0x10000},
				    {.unit = 1, .function = 3, .address = 8, .count = 2, .period_ms = 1000}};
	struct schedule old, next;

	(void)state;
	assert_int_equal(schedule_init(&old, reads, 2, 0, 1), FC_OK);
	old.entries[0].failures = 20;
	old.entries[0].due_us = 600 * second;
	assert_int_equal(schedule_init(&next, reads, 2, 5 * second, 1), FC_OK);
	schedule_take_over(&next, &old);
	assert_int_equal(next.entries[0].due_us, 600 * second);
	schedule_fini(&next);
	reads[0].identifier = 0x20000;
	assert_int_equal(schedule_init(&next, reads, 2, 5 * second, 1), FC_OK);
	schedule_take_over(&next, &old);
	assert_int_equal(next.entries[0].failures, 0);
	assert_true(next.entries[0].due_us < 10 * second);
	schedule_fini(&next);
	reads[0].identifier = 0x10000;
	reads[0].meter[0] = 0x12;
	assert_int_equal(schedule_init(&next, reads, 2, 5 * second, 1), FC_OK);
	schedule_take_over(&next, &old);
	assert_int_equal(next.entries[0].failures, 0);
	schedule_fini(&next);
	schedule_fini(&old);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(another_identifier_is_another_read),
	    cmocka_unit_test(many_blocks_do_not_starve_a_few),
	    cmocka_unit_test(time_is_shared_not_requests),
	    cmocka_unit_test(time_outs_are_the_units_own),
	    cmocka_unit_test(slow_blocks_go_in_the_gaps),
	    cmocka_unit_test(a_full_line_still_makes_slow_reads),
	    cmocka_unit_test(slow_reads_are_made_soon_once),
	    cmocka_unit_test(row_45_identity_reads_are_retried_slowly),
	    cmocka_unit_test(row_46_dead_units_are_asked_slowly_for_ever),
	    cmocka_unit_test(a_busy_unit_is_asked_again_after_a_pause),
	    cmocka_unit_test(row_05_pace_follows_latency),
	    cmocka_unit_test(what_the_plan_needs_is_known),
	    cmocka_unit_test(requests_keep_their_order_within_a_unit),
	    cmocka_unit_test(figures_of_a_unit),
	    cmocka_unit_test(load_is_of_the_last_minute),
	    cmocka_unit_test(time_on_the_wire),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
