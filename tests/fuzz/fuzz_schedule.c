/* Which read of a line is next, whatever its units do: reads of several units and periods, then what came of each, in simulated time.
 *
 * There is always a next time, and it comes; no read is chosen that there is none of, no time-out is longer than the line's; times and
 * counters do not run away. With a first bit of 0 all answer, in so short a time that the line is half free: then each read is made about
 * as often as it is wanted. */
#include "base/error.h"
#include "bus/schedule.h"
#include "bytes.h"

enum { READS = 24, TURNS = 400, SHORTEST = 6, LINE_TIMEOUT_US = 1000000, WAITS = 4096 };

static struct bus_read reads[READS];
static int64_t made_us[READS];
static uint32_t count;

static void plan(struct fuzz_input *in)
{
	static const uint32_t periods[] = {100, 200, 500, 1000, 2000, 5000, 10000, 60000, 600000, 3600000};

	count = 1 + fuzz_pick(in, READS);
	for (uint32_t i = 0; i < count; i++) {
		uint8_t what = take_u8(in);

		reads[i] =
		    (struct bus_read){.unit = what & 7, .function = 3, .address = (uint16_t)i, .count = 1, .tag = i};
		reads[i].period_ms = periods[(what >> 3) % (sizeof(periods) / sizeof(periods[0]))];
		reads[i].steady = what >> 7;
		reads[i].timeout_ms = what == 0xff ? 20 : 0;
		made_us[i] = 0;
	}
}

/* So that all of it takes half of the line's time at most. */
static int64_t calm_cost(void)
{
	double share = 0;

	for (uint32_t i = 0; i < count; i++)
		share += 1.0 / (reads[i].period_ms * 1000.0);
	return (int64_t)(0.5 / share) < 20000 ? (int64_t)(0.5 / share) : 20000;
}

/* The first one is made soon, those behind it about when they are due. */
static void check_calm(const struct schedule *s, int64_t now_us, int64_t begun_us, int64_t cost_us)
{
	for (uint32_t i = 0; i < s->count; i++) {
		int64_t period_us = (int64_t)s->entries[i].read.period_ms * 1000;
		int64_t since_us = made_us[i] ? made_us[i] : begun_us;

		fuzz_check(now_us - since_us <= 2 * period_us + (int64_t)count * cost_us + 2000000);
	}
	fuzz_check(!schedule_slow_count(s) && !schedule_all_failing(s));
}

static void take_over(struct schedule *s, int64_t now_us, struct fuzz_input *in)
{
	struct schedule fresh;

	plan(in);
	fuzz_check(!schedule_init(&fresh, reads, count, now_us, take_u8(in)));
	schedule_take_over(&fresh, s);
	schedule_fini(s);
	*s = fresh;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = {.data = data, .left = size};
	struct schedule s;
	int64_t now_us = 1000000, begun_us = now_us;
	int waits = 0;

	if (size < SHORTEST)
		return -1;
	uint8_t mode = take_u8(&in);
	int is_calm = !(mode & 1);
	plan(&in);
	fuzz_check(!schedule_init(&s, reads, count, now_us, mode));
	int64_t cost_us = calm_cost();
	for (int turn = 0; turn < TURNS && (is_calm || in.left); turn++) {
		struct schedule_choice c = schedule_next(&s, now_us, LINE_TIMEOUT_US);

		fuzz_check(c.entry >= -1 && c.entry < (int)s.count);
		fuzz_check(schedule_planned(&s) < 1000000000u);
		if (c.entry < 0) {
			fuzz_check(c.wait_us > 0 && c.wait_us <= 3600000000LL && ++waits < WAITS);
			now_us += c.wait_us;
			continue;
		}
		waits = 0;
		fuzz_check(c.timeout_us > 0 && c.timeout_us <= LINE_TIMEOUT_US);
		if (is_calm) {
			now_us += cost_us;
			schedule_spent(&s, c.entry, cost_us);
			fuzz_check(schedule_done(&s, c.entry, now_us, SCHEDULE_ANSWERED) == SCHEDULE_SAME && !c.probe);
			made_us[s.entries[c.entry].read.tag] = now_us;
			check_calm(&s, now_us, begun_us, cost_us);
			continue;
		}
		uint8_t what = take_u8(&in);
		int64_t took_us = what & 0x80 ? c.timeout_us : 1000 + (what >> 2 & 31) * 7000;
		enum schedule_outcome outcome = what & 0x80 ? SCHEDULE_LOST
						: what & 3  ? SCHEDULE_ANSWERED
							    : SCHEDULE_BUSY;
		now_us += took_us;
		schedule_spent(&s, c.entry, took_us);
		int units_before = (int)schedule_slow_count(&s);
		enum schedule_change change = schedule_done(&s, c.entry, now_us, outcome);
		int more = (int)schedule_slow_count(&s) - units_before;
		fuzz_check(change == SCHEDULE_SLOW ? more == 1 : change == SCHEDULE_BACK ? more == -1 : !more);
		fuzz_check(schedule_slow_count(&s) <= s.unit_count);
		if (what == 0x83)
			(void)schedule_heard(&s, take_u8(&in) & 7, now_us);
		if (what == 0x84) {
			now_us += (int64_t)take_u8(&in) * 1000000;
			schedule_resume(&s, now_us, what & 1);
		}
		if (what == 0x85)
			take_over(&s, now_us, &in);
		fuzz_check(schedule_wait_us(&s, now_us) <= 3600000000LL);
	}
	schedule_fini(&s);
	return 0;
}
