/* bus/j1939: identifiers, and messages put together by a listener that may miss anything. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/error.h"
#include "bus/j1939.h"

enum { CAR = 0xf4, CHARGER = 0x56, TOLD = 4096, MS = 1000, LONGEST = 512 };

static struct told {
	enum j1939_what what;
	uint32_t pgn;
	int source, destination, reason, by_source, answered, packets;
	size_t length;
	int64_t mono_us;
	uint8_t data[J1939_MESSAGE_MAX];
} told[TOLD];
static int count;

static void on_event(void *user, const struct j1939_event *e)
{
	struct told *t = &told[count % TOLD];

	(void)user;
	count++;
	*t = (struct told){e->what,     e->pgn,     e->source, e->destination, e->reason, e->by_source,
			   e->answered, e->packets, e->length, e->mono_us,     {0}};
	assert_true(e->length <= J1939_MESSAGE_MAX);
	if (e->what == J1939_WHOLE)
		memcpy(t->data, e->data, e->length);
	else
		assert_null(e->data);
}

static struct j1939 j;

static int set_up(void **state)
{
	(void)state;
	count = 0;
	return j1939_init(&j, 2, LONGEST, on_event, NULL);
}

static int tear_down(void **state)
{
	(void)state;
	j1939_fini(&j);
	return 0;
}

static void frame(int64_t ms, uint32_t pgn, unsigned source, unsigned destination, const uint8_t *data, size_t len)
{
	assert_int_equal(j1939_frame(&j, j1939_id(7, pgn, destination, source), data, len, ms * MS), 1);
}

static void cm(int64_t ms, unsigned source, unsigned destination, uint8_t a, uint8_t b, uint8_t c, uint8_t d,
	       uint32_t pgn)
{
	uint8_t data[8] = {a, b, c, d, 0xff, (uint8_t)pgn, (uint8_t)(pgn >> 8), (uint8_t)(pgn >> 16)};

	frame(ms, J1939_PGN_TP_CM, source, destination, data, sizeof(data));
}

static void rts(int64_t ms, size_t length, uint32_t pgn)
{
	cm(ms, CAR, CHARGER, J1939_RTS, (uint8_t)length, (uint8_t)(length >> 8), (uint8_t)((length + 6) / 7), pgn);
}

/* Packet n of a message whose bytes are 7n+i+mark. */
static void dt(int64_t ms, int n, int mark)
{
	uint8_t data[8] = {(uint8_t)n};

	for (int i = 0; i < 7; i++)
		data[i + 1] = (uint8_t)((n - 1) * 7 + i + mark);
	frame(ms, J1939_PGN_TP_DT, CAR, CHARGER, data, sizeof(data));
}

static const struct told *last(void)
{
	assert_true(count > 0);
	return &told[(count - 1) % TOLD];
}

static void assert_whole(size_t length, int mark)
{
	assert_int_equal(last()->what, J1939_WHOLE);
	assert_int_equal(last()->length, length);
	for (size_t i = 0; i < length; i++)
		assert_int_equal(last()->data[i], (uint8_t)(i + (size_t)mark));
}

static void test_identifiers(void **state)
{
	(void)state;
	/* chargers.md 2.2: CHM and BRM */
	assert_int_equal(j1939_pgn(0x1826F456), 0x2600);
	assert_int_equal(j1939_priority(0x1826F456), 6);
	assert_int_equal(j1939_source(0x1826F456), 0x56);
	assert_int_equal(j1939_destination(0x1826F456), 0xf4);
	assert_int_equal(j1939_priority(0x1C0256F4), 7);
	assert_int_equal(j1939_pgn(0x1C0256F4), 0x0200);
	/* PDU2: to everybody, PS is of the PGN; DM1 of J1939 itself */
	assert_int_equal(j1939_pgn(0x18FECA00), 0xfeca);
	assert_int_equal(j1939_destination(0x18FECA00), J1939_ALL);
	assert_int_equal(j1939_pgn(0x19F004EE), 0x1f004);
	assert_int_equal(j1939_id(6, 0x2600, 0xf4, 0x56), 0x1826F456);
	assert_int_equal(j1939_id(6, 0xfeca, 0x12, 0x00), 0x18FECA00);
}

static void test_whole_without_any_answer(void **state)
{
	(void)state;
	rts(0, 49, 0x0200);
	assert_int_equal(last()->what, J1939_OPENED);
	assert_int_equal(last()->length, 49);
	for (int n = 1; n <= 7; n++)
		dt(n * 10, n, 3);
	assert_whole(49, 3);
	assert_int_equal(last()->pgn, 0x0200);
	assert_int_equal(last()->source, CAR);
	assert_int_equal(last()->destination, CHARGER);
	assert_false(last()->answered);
	/* Padding is not of the message. */
	rts(100, 9, 0x1100);
	dt(110, 1, 0);
	dt(120, 2, 0);
	assert_whole(9, 0);
	assert_int_equal(j.stats.whole, 2);
	assert_int_equal(j.stats.whole_bytes, 58);
	assert_int_equal(j1939_due(&j), INT64_MAX);
}

static void test_with_answers_and_retransmission(void **state)
{
	(void)state;
	rts(0, 20, 0x0600);
	cm(1, CHARGER, CAR, J1939_CTS, 3, 1, 0xff, 0x0600);
	dt(10, 1, 0);
	dt(20, 3, 0);
	assert_int_equal(j.stats.sequence, 1);
	/* The receiver lacks packet 2 as well, and asks from there. */
	cm(30, CHARGER, CAR, J1939_CTS, 2, 2, 0xff, 0x0600);
	dt(40, 2, 0);
	dt(50, 3, 0);
	assert_whole(20, 0);
	assert_true(last()->answered);
	cm(60, CHARGER, CAR, J1939_ACK, 20, 0, 3, 0x0600);
	assert_int_equal(last()->what, J1939_WHOLE);
	assert_int_equal(j.stats.acks, 1);
}

static void test_lost_packet(void **state)
{
	(void)state;
	rts(0, 20, 0x0600);
	dt(10, 1, 0);
	dt(20, 3, 0);
	/* Only we missed it. */
	cm(25, CHARGER, CAR, J1939_ACK, 20, 0, 3, 0x0600);
	assert_int_equal(last()->what, J1939_BROKEN);
	assert_int_equal(last()->packets, 2);
	assert_int_equal(j.stats.broken, 1);
	assert_int_equal(j.stats.whole, 0);
}

static void test_new_rts_is_an_abort(void **state)
{
	(void)state;
	rts(0, 20, 0x0600);
	dt(10, 1, 0);
	rts(20, 9, 0x1100);
	assert_int_equal(told[count - 2].what, J1939_RESTARTED);
	assert_int_equal(told[count - 2].pgn, 0x0600);
	dt(30, 1, 50);
	dt(40, 2, 50);
	assert_whole(9, 50);
	assert_int_equal(last()->pgn, 0x1100);
	assert_int_equal(j.stats.restarted, 1);
}

/* Two messages, the RTS of the second one lost: never mixed. */
static void test_never_mixed(void **state)
{
	(void)state;
	rts(0, 20, 0x0600);
	dt(10, 1, 0);
	dt(20, 2, 0);
	dt(30, 1, 100);
	assert_int_equal(last()->what, J1939_BROKEN);
	dt(40, 2, 100);
	dt(50, 3, 100);
	assert_int_equal(last()->what, J1939_BROKEN);
	assert_int_equal(j.stats.orphans, 2);
	/* The CTS of the second says it before its packets do. */
	rts(100, 20, 0x0600);
	dt(110, 1, 0);
	dt(120, 2, 0);
	cm(130, CHARGER, CAR, J1939_CTS, 3, 1, 0xff, 0x0600);
	dt(140, 3, 100);
	assert_int_equal(last()->what, J1939_OPENED);
	dt(150, 1, 100);
	dt(160, 2, 100);
	assert_whole(20, 100);
}

static void test_duplicates(void **state)
{
	(void)state;
	rts(0, 20, 0x0600);
	dt(10, 1, 0);
	dt(11, 1, 0);
	dt(20, 2, 0);
	dt(21, 2, 0);
	dt(30, 3, 0);
	assert_whole(20, 0);
	dt(31, 3, 0);
	assert_int_equal(j.stats.duplicates, 2);
	assert_int_equal(j.stats.orphans, 1);
}

static void test_aborts(void **state)
{
	(void)state;
	/* By the sender, never answered, with a reason that no standard has (chargers.md 2.7). */
	rts(0, 49, 0x0200);
	cm(900, CAR, CHARGER, J1939_ABORT, 255, 0xff, 0xff, 0x0200);
	assert_int_equal(last()->what, J1939_ABORTED);
	assert_int_equal(last()->reason, 255);
	assert_true(last()->by_source);
	assert_false(last()->answered);
	/* By the receiver. */
	rts(1000, 49, 0x0200);
	cm(1001, CHARGER, CAR, J1939_CTS, 7, 1, 0xff, 0x0200);
	dt(1010, 1, 0);
	cm(1020, CHARGER, CAR, J1939_ABORT, 3, 0xff, 0xff, 0x0200);
	assert_int_equal(last()->reason, 3);
	assert_false(last()->by_source);
	assert_true(last()->answered);
	/* Of another message: none of this one's business. */
	rts(1100, 9, 0x1100);
	cm(1110, CHARGER, CAR, J1939_ABORT, 3, 0xff, 0xff, 0x0200);
	dt(1120, 1, 0);
	dt(1130, 2, 0);
	assert_whole(9, 0);
	assert_int_equal(j.stats.aborted, 2);
}

/* J1939-21: T1 750 ms between packets, T2 and T3 1250 ms, T4 1050 ms after a hold. */
static void test_timeouts(void **state)
{
	(void)state;
	rts(0, 20, 0x0600);
	j1939_tick(&j, 1250 * MS);
	assert_int_equal(last()->what, J1939_OPENED);
	j1939_tick(&j, 1250 * MS + 1);
	assert_int_equal(last()->what, J1939_TIMED_OUT);
	assert_int_equal(last()->mono_us, 1250 * MS);
	/* Between packets that were asked for. */
	rts(2000, 20, 0x0600);
	cm(2001, CHARGER, CAR, J1939_CTS, 3, 1, 0xff, 0x0600);
	dt(2010, 1, 0);
	assert_int_equal(j1939_due(&j), (2010 + 750) * MS);
	j1939_tick(&j, 3000 * MS);
	assert_int_equal(last()->what, J1939_TIMED_OUT);
	assert_int_equal(last()->mono_us, 2760 * MS);
	/* A hold, and the last packet of a window: the receiver's turn. */
	rts(4000, 20, 0x0600);
	cm(4001, CHARGER, CAR, J1939_CTS, 0, 1, 0xff, 0x0600);
	assert_int_equal(j1939_due(&j), (4001 + 1050) * MS);
	cm(4500, CHARGER, CAR, J1939_CTS, 1, 1, 0xff, 0x0600);
	assert_int_equal(j1939_due(&j), (4500 + 1250) * MS);
	dt(4600, 1, 0);
	assert_int_equal(j1939_due(&j), (4600 + 1250) * MS);
	/* A frame that comes after it finds the message ended, ticked or not. */
	dt(6000, 2, 0);
	assert_int_equal(j.stats.timed_out, 3);
	assert_int_equal(j.stats.orphans, 1);
}

static void test_bad_lengths(void **state)
{
	static const uint8_t none[8] = {0};

	(void)state;
	rts(0, LONGEST + 1, 0x1500);
	cm(1, CAR, CHARGER, J1939_RTS, 20, 0, 2, 0x0600);
	cm(2, CAR, CHARGER, J1939_RTS, 20, 0, 4, 0x0600);
	cm(3, CAR, CHARGER, J1939_RTS, 0, 0, 0, 0x0600);
	cm(4, CAR, CHARGER, J1939_RTS, 0xff, 0xff, 0xff, 0x0600);
	assert_int_equal(j.stats.refused, 5);
	assert_int_equal(count, 0);
	frame(5, J1939_PGN_TP_CM, CAR, CHARGER, none, 7);
	frame(6, J1939_PGN_TP_CM, CAR, CHARGER, none, 8);
	frame(7, J1939_PGN_TP_DT, CAR, CHARGER, none, 0);
	assert_int_equal(j.stats.malformed, 2);
	assert_int_equal(j.stats.orphans, 1);
	/* A last packet without its padding is enough, one that lacks a byte is not. */
	rts(10, 9, 0x1100);
	dt(20, 1, 0);
	frame(30, J1939_PGN_TP_DT, CAR, CHARGER, (const uint8_t[]){2, 7}, 2);
	assert_int_equal(j.stats.malformed, 3);
	frame(40, J1939_PGN_TP_DT, CAR, CHARGER, (const uint8_t[]){2, 7, 8}, 3);
	assert_whole(9, 0);
	rts(50, LONGEST, 0x1500);
	for (int n = 1; n <= 74; n++)
		dt(50 + n, n, 1);
	assert_whole(LONGEST, 1);
	/* Packet 0, and one behind the last. */
	rts(200, 9, 0x1100);
	dt(201, 0, 0);
	dt(202, 3, 0);
	assert_int_equal(j.stats.sequence, 2);
}

static void test_broadcast_and_pairs(void **state)
{
	(void)state;
	/* Both directions and a broadcast side by side, each with its own packets; there is room for two. */
	rts(0, 9, 0x1100);
	cm(1, CHARGER, CAR, J1939_RTS, 9, 0, 2, 0x2000);
	frame(2, J1939_PGN_TP_DT, CHARGER, CAR, (const uint8_t[]){1, 0, 1, 2, 3, 4, 5, 6}, 8);
	dt(3, 1, 60);
	frame(4, J1939_PGN_TP_DT, CHARGER, CAR, (const uint8_t[]){2, 7, 8, 255, 255, 255, 255, 255}, 8);
	assert_whole(9, 0);
	assert_int_equal(last()->source, CHARGER);
	dt(5, 2, 60);
	assert_whole(9, 60);
	cm(10, 0x33, J1939_ALL, J1939_BAM, 9, 0, 2, 0xfeca);
	frame(60, J1939_PGN_TP_DT, 0x33, J1939_ALL, (const uint8_t[]){1, 0, 1, 2, 3, 4, 5, 6}, 8);
	frame(110, J1939_PGN_TP_DT, 0x33, J1939_ALL, (const uint8_t[]){2, 7, 8, 255, 255, 255, 255, 255}, 8);
	assert_whole(9, 0);
	assert_int_equal(last()->pgn, 0xfeca);
	/* A third pair takes the place of the one that was silent longest. */
	rts(200, 20, 0x0600);
	cm(210, 1, 2, J1939_RTS, 9, 0, 2, 0x2000);
	dt(220, 1, 0);
	cm(230, 3, 4, J1939_RTS, 9, 0, 2, 0x2000);
	assert_int_equal(j.stats.evicted, 1);
	dt(240, 2, 0);
	dt(250, 3, 0);
	assert_whole(20, 0);
}

static unsigned seed = 7;

static unsigned random_to(unsigned most)
{
	seed = seed * 1664525u + 1013904223u;
	return (seed >> 8) % (most + 1);
}

/* Whatever comes: nothing is told that was not opened, what is whole has its length, all ends. */
static void test_any_frames(void **state)
{
	static const uint8_t controls[] = {J1939_RTS, J1939_RTS, J1939_CTS, J1939_ACK, J1939_BAM, J1939_ABORT, 77};
	int64_t now = 0;

	(void)state;
	for (int i = 0; i < 200000; i++) {
		uint8_t data[8], *exact;
		size_t len = random_to(9) ? 8 : random_to(8);
		unsigned source = random_to(2) + 0xf3, destination = random_to(2) + 0xf3;

		for (int k = 0; k < 8; k++)
			data[k] = (uint8_t)random_to(random_to(1) ? 3 : 255);
		if (random_to(1)) {
			data[0] = controls[random_to(sizeof(controls) - 1)];
			data[2] = random_to(3) ? 0 : data[2];
			if (random_to(3))
				data[3] = (uint8_t)((data[1] + data[2] * 256 + 6) / 7);
			data[5] = data[6] = data[7] = 0;
		}
		/* In a block of its own, so that the sanitizer sees a byte too far. */
		exact = malloc(len ? len : 1);
		assert_non_null(exact);
		memcpy(exact, data, len);
		now += random_to(20) ? random_to(3000) : random_to(2000000);
		assert_int_equal(
		    j1939_frame(&j, j1939_id(7, random_to(1) ? J1939_PGN_TP_CM : J1939_PGN_TP_DT, destination, source),
				exact, len, now),
		    1);
		free(exact);
	}
	j1939_tick(&j, now + 10000000);
	assert_int_equal(j1939_due(&j), INT64_MAX);
	assert_true(j.stats.whole > 100);
	assert_int_equal(j.stats.opened, j.stats.whole + j.stats.restarted + j.stats.aborted + j.stats.timed_out +
					     j.stats.broken + j.stats.evicted);
	assert_int_equal(j1939_frame(&j, 0x1826F456, NULL, 0, now), 0);
}

static void test_limits(void **state)
{
	struct j1939 other;

	(void)state;
	assert_int_equal(j1939_init(&other, 0, 9, NULL, NULL), FC_EINVAL);
	assert_int_equal(j1939_init(&other, 1, J1939_MESSAGE_MAX + 1, NULL, NULL), FC_EINVAL);
	/* The largest of all, without anybody to tell. */
	assert_int_equal(j1939_init(&other, 1, J1939_MESSAGE_MAX, NULL, NULL), FC_OK);
	uint8_t open[8] = {J1939_RTS, J1939_MESSAGE_MAX & 0xff, J1939_MESSAGE_MAX >> 8, 255, 0xff, 0, 0, 0},
		data[8] = {0};
	(void)j1939_frame(&other, j1939_id(7, J1939_PGN_TP_CM, 1, 2), open, 8, 0);
	for (int n = 1; n <= 255; n++) {
		data[0] = (uint8_t)n;
		(void)j1939_frame(&other, j1939_id(7, J1939_PGN_TP_DT, 1, 2), data, 8, n);
	}
	assert_int_equal(other.stats.whole_bytes, J1939_MESSAGE_MAX);
	j1939_fini(&other);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	    TEST(test_identifiers),
	    TEST(test_whole_without_any_answer),
	    TEST(test_with_answers_and_retransmission),
	    TEST(test_lost_packet),
	    TEST(test_new_rts_is_an_abort),
	    TEST(test_never_mixed),
	    TEST(test_duplicates),
	    TEST(test_aborts),
	    TEST(test_timeouts),
	    TEST(test_bad_lengths),
	    TEST(test_broadcast_and_pairs),
	    TEST(test_any_frames),
	    TEST(test_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
