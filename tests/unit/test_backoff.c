/* When a platform is tried again: pauses that are spread, rests that are asked for; and the header that asks. */
#include "upstream/backoff.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "loop/retry_after.h"

enum { GATEWAYS = 1000, RETRY_MS = 60000 };

static struct backoff fresh(uint64_t seed)
{
	struct backoff b;

	backoff_init(&b, seed);
	return b;
}

static void pauses_are_spread_upwards(void **state)
{
	int tenths[10] = {0};

	(void)state;
	for (uint64_t n = 1; n <= GATEWAYS; n++) {
		struct backoff b = fresh(n * 7919);
		int64_t pause = backoff_spread_ms(&b, RETRY_MS);

		for (int i = 0; i < 9; i++)
			pause = backoff_spread_ms(&b, RETRY_MS);
		assert_in_range(pause, RETRY_MS, RETRY_MS * 3 / 2);
		tenths[(pause - RETRY_MS) * 10 / (RETRY_MS / 2 + 1)]++;
	}
	/* Each tenth of the range has about a tenth of them: 100, and 9.5 is a standard deviation. */
	for (int i = 0; i < 10; i++)
		assert_in_range(tenths[i], 60, 140);
}

static void no_pause_is_none(void **state)
{
	struct backoff b = fresh(0);

	(void)state;
	assert_int_equal(backoff_spread_ms(&b, 0), 0);
	assert_in_range(backoff_spread_ms(&b, 1), 1, 1);
}

static void processes_have_dice_of_their_own(void **state)
{
	(void)state;
	assert_true(backoff_seed() != backoff_seed());
}

static void what_is_asked_for_is_given(void **state)
{
	static const int statuses[] = {429, 503, 502, 504};

	(void)state;
	for (uint64_t n = 1; n <= 4; n++) {
		struct backoff b = fresh(n);
		int64_t pause = backoff_answered(&b, statuses[n - 1], 20, RETRY_MS, 1000);

		assert_in_range(pause, 20000, 30000);
		assert_int_equal(backoff_left_ms(&b, 1000), pause);
		assert_int_equal(backoff_left_ms(&b, 1000 + pause), 0);
		/* Those that were under way with it say the same, and change nothing. */
		assert_int_equal(backoff_answered(&b, statuses[n - 1], 20, RETRY_MS, 1001), 0);
	}
}

static void nobody_is_kept_away_for_a_day(void **state)
{
	struct backoff b = fresh(5);

	(void)state;
	assert_in_range(backoff_answered(&b, 503, 86400, RETRY_MS, 0), BACKOFF_ASKED_MOST_S * 1000,
			BACKOFF_ASKED_MOST_S * 1500);
}

/* One method that is broken behind a proxy says 503 for ever: the others, which work, go on. */
static void one_broken_method_stops_nothing(void **state)
{
	struct backoff b = fresh(3);

	(void)state;
	for (int i = 0; i < 100; i++) {
		assert_int_equal(backoff_answered(&b, 503, 0, RETRY_MS, i), 0);
		assert_int_equal(backoff_answered(&b, 503, 0, RETRY_MS, i), 0);
		assert_int_equal(backoff_answered(&b, 200, 0, RETRY_MS, i), 0);
	}
}

static void a_crowded_platform_is_left_alone_longer_and_longer(void **state)
{
	struct backoff b = fresh(9);
	int64_t now = 0, least = RETRY_MS;

	(void)state;
	for (int i = 1; i < BACKOFF_CROWDED; i++)
		assert_int_equal(backoff_answered(&b, 503, 0, RETRY_MS, now), 0);
	for (int i = 0; i < 8; i++) {
		int64_t pause = backoff_answered(&b, i % 2 ? 502 : 504, 0, RETRY_MS, now);

		assert_in_range(pause, least, least * 3 / 2);
		now += pause;
		least = least * 2 < BACKOFF_REST_MOST_S * 1000 ? least * 2 : BACKOFF_REST_MOST_S * 1000;
	}
	/* It took something: the next trouble begins small, and with the fourth answer. */
	assert_int_equal(backoff_answered(&b, 200, 0, RETRY_MS, now), 0);
	assert_int_equal(backoff_answered(&b, 503, 0, RETRY_MS, now), 0);
	assert_in_range(backoff_answered(&b, 429, 0, RETRY_MS, now), RETRY_MS, RETRY_MS * 3 / 2);
}

static void a_long_retry_s_is_kept(void **state)
{
	struct backoff b = fresh(2);
	int64_t now = 0, pause = 0;

	(void)state;
	for (int i = 0; i < 5; i++, now += pause) {
		pause = backoff_answered(&b, 429, 0, 3600000, now);
		assert_in_range(pause, 3600000, 5400000);
	}
}

static void silence_says_nothing(void **state)
{
	struct backoff b = fresh(4);

	(void)state;
	for (int i = 0; i < 100; i++)
		assert_int_equal(backoff_answered(&b, 0, 0, RETRY_MS, i), 0);
	assert_int_equal(b.crowded, 0);
}

static void retry_after_in_seconds(void **state)
{
	(void)state;
	assert_int_equal(retry_after_s("120", 0), 120);
	assert_int_equal(retry_after_s("0", 0), 0);
	assert_int_equal(retry_after_s("999999999", 0), 999999999);
	assert_int_equal(retry_after_s("99999999999999999999", 0), 0);
	assert_int_equal(retry_after_s("", 0), 0);
	assert_int_equal(retry_after_s("-5", 0), 0);
	assert_int_equal(retry_after_s("5s", 0), 0);
	assert_int_equal(retry_after_s("soon", 0), 0);
}

static void retry_after_as_a_date(void **state)
{
	static const char date[] = "Sun, 06 Nov 1994 08:49:37 GMT";
	enum { AT = 784111777 };

	(void)state;
	assert_int_equal(retry_after_s(date, AT - 90), 90);
	assert_int_equal(retry_after_s(date, AT), 0);
	assert_int_equal(retry_after_s(date, AT + 1), 0);
	/* No clock, no date. */
	assert_int_equal(retry_after_s(date, 0), 0);
	assert_int_equal(retry_after_s("Sun, 06 Xyz 1994 08:49:37 GMT", 1), 0);
	assert_int_equal(retry_after_s("Sun, 06 anF 1994 08:49:37 GMT", 1), 0);
	assert_int_equal(retry_after_s("Sun, 06 Nov 1994 08:49:37 CET", 1), 0);
	assert_int_equal(retry_after_s("Sun, 06 Nov 1994 08:49:37 GMT and more", 1), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(pauses_are_spread_upwards),
	    cmocka_unit_test(no_pause_is_none),
	    cmocka_unit_test(processes_have_dice_of_their_own),
	    cmocka_unit_test(what_is_asked_for_is_given),
	    cmocka_unit_test(nobody_is_kept_away_for_a_day),
	    cmocka_unit_test(one_broken_method_stops_nothing),
	    cmocka_unit_test(a_crowded_platform_is_left_alone_longer_and_longer),
	    cmocka_unit_test(a_long_retry_s_is_kept),
	    cmocka_unit_test(silence_says_nothing),
	    cmocka_unit_test(retry_after_in_seconds),
	    cmocka_unit_test(retry_after_as_a_date),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
