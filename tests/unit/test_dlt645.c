/* DL/T 645-2007 frames, byte for byte as worked out by hand from chargers.md 1b. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/error.h"
#include "bus/dlt645.h"
#include "bus/framing.h"

/* Meter 000012345678: BCD, the lowest pair first. */
static const uint8_t station[] = {0x78, 0x56, 0x34, 0x12, 0x00, 0x00};
static const uint32_t energy = 0x00010000;

/* Forward active energy 1234.56 kWh: value bytes 56 34 12 00, each 33h more on the wire. */
static const uint8_t answer[] = {0x68, 0x78, 0x56, 0x34, 0x12, 0x00, 0x00, 0x68, 0x91, 0x08,
				 0x33, 0x33, 0x34, 0x33, 0x89, 0x67, 0x45, 0x33, 0xB2, 0x16};

/* The sum by other means than the code's: over the meant bytes. */
static uint8_t sum_of(const uint8_t *frame, size_t data)
{
	unsigned sum = 0;

	for (size_t i = 0; i < 10 + data; i++)
		sum += frame[i];
	return (uint8_t)sum;
}

static size_t make(uint8_t *out, uint8_t control, const uint8_t *data, size_t len)
{
	static const uint8_t head[] = {0x68, 0x78, 0x56, 0x34, 0x12, 0x00, 0x00, 0x68};

	memcpy(out, head, sizeof(head));
	out[8] = control;
	out[9] = (uint8_t)len;
	for (size_t i = 0; i < len; i++)
		out[10 + i] = (uint8_t)(data[i] + 0x33);
	out[10 + len] = sum_of(out, len);
	out[11 + len] = 0x16;
	return 12 + len;
}

static void numbers_of_meters(void **state)
{
	uint8_t read[6];
	char digits[13];

	(void)state;
	assert_int_equal(dlt645_parse_station("000012345678", read), FC_OK);
	assert_memory_equal(read, station, 6);
	assert_int_equal(dlt645_parse_station("12345678", read), FC_OK);
	assert_memory_equal(read, station, 6);
	dlt645_print_station(station, digits);
	assert_string_equal(digits, "000012345678");
	assert_int_equal(dlt645_parse_station("5", read), FC_OK);
	dlt645_print_station(read, digits);
	assert_string_equal(digits, "000000000005");
	dlt645_print_station(dlt645_anyone, digits);
	assert_string_equal(digits, "????????????");
	assert_int_equal(dlt645_parse_station("", read), FC_EINVAL);
	assert_int_equal(dlt645_parse_station("1234567890123", read), FC_EINVAL);
	assert_int_equal(dlt645_parse_station("12a4", read), FC_EINVAL);
}

static void a_request(void **state)
{
	/* 68+78+56+34+12+68+11+04 = 1F9h, data 33 33 34 33 = CDh: together 2C6h. */
	static const uint8_t wanted[] = {0xFE, 0xFE, 0xFE, 0xFE, 0x68, 0x78, 0x56, 0x34, 0x12, 0x00,
					 0x00, 0x68, 0x11, 0x04, 0x33, 0x33, 0x34, 0x33, 0xC6, 0x16};
	/* 68 + 6 x AA + 68 + 13 = 4DFh. */
	static const uint8_t who[] = {0xFE, 0xFE, 0xFE, 0xFE, 0x68, 0xAA, 0xAA, 0xAA,
				      0xAA, 0xAA, 0xAA, 0x68, 0x13, 0x00, 0xDF, 0x16};
	uint8_t out[DLT645_REQUEST_MAX];

	(void)state;
	assert_int_equal(dlt645_request(station, energy, out), sizeof(wanted));
	assert_memory_equal(out, wanted, sizeof(wanted));
	assert_int_equal(dlt645_request_station(out), sizeof(who));
	assert_memory_equal(out, who, sizeof(who));
}

static enum dlt645_verdict judge(const uint8_t *bytes, size_t len, uint8_t *value, size_t *value_len, uint8_t *error)
{
	struct dlt645_frame frame;
	size_t start;

	assert_int_equal(dlt645_find(bytes, len, &start, &frame), len);
	assert_int_equal(start, 0);
	return dlt645_judge(&frame, station, energy, value, value_len, error);
}

static void an_answer(void **state)
{
	static const uint8_t wanted[] = {0x00, 0x12, 0x34, 0x56};
	uint8_t value[DLT645_DATA_MAX], error = 0;
	size_t len = 0;

	(void)state;
	assert_int_equal(sum_of(answer, 8), answer[18]);
	assert_int_equal(judge(answer, sizeof(answer), value, &len, &error), DLT645_VALUE);
	assert_int_equal(len, 4);
	assert_memory_equal(value, wanted, 4);
}

/* Wake-up bytes, noise with 68h in it, half of another frame: what comes in pieces is found when its last byte is there. */
static void found_in_pieces(void **state)
{
	static const uint8_t before[] = {0xFE, 0xFE, 0x68, 0x00, 0xFF, 0x68, 0x78, 0x56, 0x34, 0xFE};
	uint8_t bytes[64];
	struct dlt645_frame frame;
	size_t start;

	(void)state;
	memcpy(bytes, before, sizeof(before));
	memcpy(bytes + sizeof(before), answer, sizeof(answer));
	for (size_t len = 0; len < sizeof(before) + sizeof(answer); len++) {
		assert_int_equal(dlt645_find(bytes, len, &start, &frame), 0);
		assert_true(start <= len);
		/* What would be thrown away is never a part of it. */
		assert_true(len <= sizeof(before) || start <= sizeof(before));
	}
	size_t end = dlt645_find(bytes, sizeof(before) + sizeof(answer), &start, &frame);
	assert_int_equal(end, sizeof(before) + sizeof(answer));
	assert_int_equal(start, sizeof(before));
	assert_memory_equal(frame.station, station, 6);
}

/* Each bit of a frame that is wrong makes it no frame, or one that is no answer to us. */
static void damaged(void **state)
{
	uint8_t bytes[sizeof(answer)], value[DLT645_DATA_MAX], error;
	struct dlt645_frame frame;
	size_t start, len;

	(void)state;
	for (size_t bit = 0; bit < 8 * sizeof(answer); bit++) {
		memcpy(bytes, answer, sizeof(answer));
		bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
		if (dlt645_find(bytes, sizeof(bytes), &start, &frame))
			assert_int_not_equal(dlt645_judge(&frame, station, energy, value, &len, &error), DLT645_VALUE);
	}
}

static void what_is_no_answer(void **state)
{
	static const uint8_t other[] = {0x00, 0x01, 0x01, 0x00, 0x11, 0x22, 0x33, 0x44};
	static const uint8_t no_value[] = {0x00, 0x00, 0x01, 0x00};
	static const uint8_t long_no[] = {0x02, 0x02};
	uint8_t bytes[64], value[DLT645_DATA_MAX], error = 0;
	struct dlt645_frame frame;
	size_t start, len = 0, n;

	(void)state;
	/* One's own request, heard back. */
	n = dlt645_request(station, energy, bytes);
	assert_int_equal(judge(bytes + DLT645_WAKE, n - DLT645_WAKE, value, &len, &error), DLT645_FOREIGN);
	/* A late answer: another identifier. */
	n = make(bytes, 0x91, other, sizeof(other));
	assert_int_equal(judge(bytes, n, value, &len, &error), DLT645_FOREIGN);
	n = make(bytes, 0x91, no_value, sizeof(no_value));
	assert_int_equal(judge(bytes, n, value, &len, &error), DLT645_BAD);
	n = make(bytes, 0x91, no_value, 2);
	assert_int_equal(judge(bytes, n, value, &len, &error), DLT645_BAD);
	n = make(bytes, 0xD1, long_no, 1);
	assert_int_equal(judge(bytes, n, value, &len, &error), DLT645_NO);
	assert_int_equal(error, 2);
	n = make(bytes, 0xD1, long_no, 2);
	assert_int_equal(judge(bytes, n, value, &len, &error), DLT645_BAD);
	/* An answer to a write, and one of another meter. */
	n = make(bytes, 0x94, no_value, sizeof(no_value));
	assert_int_equal(judge(bytes, n, value, &len, &error), DLT645_FOREIGN);
	memcpy(bytes, answer, sizeof(answer));
	bytes[1] = 0x79;
	bytes[18]++;
	assert_int_equal(judge(bytes, sizeof(answer), value, &len, &error), DLT645_FOREIGN);
	/* To a question to anyone, whoever answers. */
	assert_int_equal(dlt645_find(bytes, sizeof(answer), &start, &frame), sizeof(answer));
	assert_int_equal(dlt645_judge(&frame, dlt645_anyone, energy, value, &len, &error), DLT645_VALUE);
}

/* The longest frame that there is, and one that says it were longer. */
static void lengths(void **state)
{
	uint8_t bytes[DLT645_FRAME_MAX], data[DLT645_DATA_MAX] = {0x00, 0x00, 0x01, 0x00}, value[DLT645_DATA_MAX],
					 error;
	struct dlt645_frame frame;
	size_t start, len = 0;

	(void)state;
	assert_int_equal(make(bytes, 0xB1, data, sizeof(data)), sizeof(bytes));
	assert_int_equal(judge(bytes, sizeof(bytes), value, &len, &error), DLT645_VALUE);
	assert_int_equal(len, DLT645_DATA_MAX - 4);
	bytes[9]++;
	assert_int_equal(dlt645_find(bytes, sizeof(bytes), &start, &frame), 0);
}

static void anything_at_all(void **state)
{
	uint8_t bytes[300], value[DLT645_DATA_MAX], error;
	struct dlt645_frame frame;
	size_t start, len;

	(void)state;
	srand(645);
	for (int round = 0; round < 20000; round++) {
		size_t n = (size_t)rand() % sizeof(bytes);

		for (size_t i = 0; i < n; i++)
			bytes[i] = rand() % 3 ? (uint8_t)rand() : 0x68;
		size_t end = dlt645_find(bytes, n, &start, &frame);
		assert_true(start <= n && end <= n);
		if (end)
			(void)dlt645_judge(&frame, dlt645_anyone, energy, value, &len, &error);
	}
}

/* In the place of a Modbus framing: asked for two words. */
static struct framing_request wanted_words(const uint8_t *pdu)
{
	return (struct framing_request){.unit = 1, .pdu = pdu, .pdu_len = 5, .identifier = energy, .meter = station};
}

static void as_a_framing(void **state)
{
	static const uint8_t pdu[] = {3, 0, 0, 0, 2}, one_word[] = {3, 0, 0, 0, 1}, write[] = {6, 0, 0, 0, 2};
	static const uint8_t wanted[] = {3, 4, 0x00, 0x12, 0x34, 0x56};
	static const uint8_t current[] = {0x00, 0x00, 0x01, 0x00, 0x56, 0x34, 0x12}, no[] = {0x02}, not_you[] = {0x04};
	struct framing_request r = wanted_words(pdu);
	struct framing_step step;
	uint8_t out[FRAMING_ADU_MAX], bytes[64];
	size_t n;

	(void)state;
	assert_int_equal(framing_dlt645.build(&r, out), DLT645_REQUEST_MAX);
	r.pdu = write;
	assert_int_equal(framing_dlt645.build(&r, out), 0);
	r.pdu = pdu;
	framing_dlt645.take(&r, answer, sizeof(answer), 0, &step);
	assert_int_equal(step.verdict, FRAMING_ANSWER);
	assert_int_equal(step.used, sizeof(answer));
	assert_int_equal(step.pdu_len, sizeof(wanted));
	assert_memory_equal(step.pdu, wanted, sizeof(wanted));
	/* Three bytes are two words, the first byte of them 0. */
	n = make(bytes, 0x91, current, sizeof(current));
	framing_dlt645.take(&r, bytes, n, 0, &step);
	assert_int_equal(step.verdict, FRAMING_ANSWER);
	assert_memory_equal(step.pdu, ((uint8_t[]){3, 4, 0x00, 0x12, 0x34, 0x56}), 6);
	/* Of another size than the profile says. */
	r.pdu = one_word;
	framing_dlt645.take(&r, answer, sizeof(answer), 0, &step);
	assert_int_equal(step.verdict, FRAMING_DROP);
	assert_int_equal(step.why, FRAMING_MISMATCH);
	r.pdu = pdu;
	n = make(bytes, 0xD1, no, 1);
	framing_dlt645.take(&r, bytes, n, 0, &step);
	assert_int_equal(step.verdict, FRAMING_ANSWER);
	assert_memory_equal(step.pdu, ((uint8_t[]){0x83, 2}), 2);
	n = make(bytes, 0xD1, not_you, 1);
	framing_dlt645.take(&r, bytes, n, 0, &step);
	assert_memory_equal(step.pdu, ((uint8_t[]){0x83, 1}), 2);
	/* One's own request, heard back. */
	n = framing_dlt645.build(&r, out);
	framing_dlt645.take(&r, out, n, 0, &step);
	assert_int_equal(step.verdict, FRAMING_DROP);
	assert_int_equal(step.why, FRAMING_ECHO);
}

/* Cut at every byte, with a pause there or without: never an answer before the last byte, never one of a torn frame. */
static void as_a_framing_in_pieces(void **state)
{
	static const uint8_t pdu[] = {3, 0, 0, 0, 2};
	struct framing_request r = wanted_words(pdu);
	struct framing_step step;
	uint8_t bytes[4 + sizeof(answer)];

	(void)state;
	memset(bytes, 0xFE, 4);
	memcpy(bytes + 4, answer, sizeof(answer));
	for (size_t cut = 0; cut < sizeof(bytes); cut++) {
		size_t gone = 0;

		framing_dlt645.take(&r, bytes, cut, 0, &step);
		assert_int_not_equal(step.verdict, FRAMING_ANSWER);
		gone += step.used;
		assert_true(gone <= 4);
		framing_dlt645.take(&r, bytes + gone, sizeof(bytes) - gone, 0, &step);
		assert_int_equal(step.verdict, FRAMING_ANSWER);
		framing_dlt645.take(&r, bytes, cut, 1, &step);
		assert_int_equal(step.used, cut);
		assert_int_equal(step.verdict, cut ? FRAMING_DROP : FRAMING_MORE);
		if (cut > 4)
			assert_int_equal(step.why, FRAMING_DAMAGED);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(numbers_of_meters), cmocka_unit_test(a_request),
	    cmocka_unit_test(an_answer),         cmocka_unit_test(found_in_pieces),
	    cmocka_unit_test(damaged),           cmocka_unit_test(what_is_no_answer),
	    cmocka_unit_test(lengths),           cmocka_unit_test(anything_at_all),
	    cmocka_unit_test(as_a_framing),      cmocka_unit_test(as_a_framing_in_pieces),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
