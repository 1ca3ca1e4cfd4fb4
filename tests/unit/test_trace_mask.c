/* bus: what leaves the trace holds no VIN and no card number, and still reads as a good frame. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <string.h>

#include "bus/trace_mask.h"

static const char vin[] = "LTESTVIN123456789"; /* nobody's */
enum { LINE = 3, RTS = 0x1CEC56F4, DT = 0x1CEB56F4 };

static int set_up(void **state)
{
	struct trace_mask *m = calloc(1, sizeof(*m));

	assert_non_null(m);
	trace_mask_init(m);
	*state = m;
	return 0;
}

static int tear_down(void **state)
{
	free(*state);
	return 0;
}

static struct trace_entry frame(enum trace_kind kind, int flags, const void *bytes, size_t len)
{
	struct trace_entry e = {.line = LINE, .kind = (uint8_t)kind, .flags = (uint8_t)flags, .len = (uint16_t)len};

	memcpy(e.bytes, bytes, len);
	return e;
}

static struct trace_entry can(uint32_t id, const void *bytes, size_t len)
{
	struct trace_entry e = frame(TRACE_CAN, 0, bytes, len);

	e.can_id = id | 0x80000000u;
	return e;
}

/* CAN ------------------------------------------------------------------------------------------------------------------ */

static struct trace_entry rts(unsigned pgn)
{
	return can(RTS, (uint8_t[]){16, 49, 0, 7, 0xFF, (uint8_t)pgn, (uint8_t)(pgn >> 8), 0}, 8);
}

/* A BRM of 49 bytes, whose byte n (from 1) is n but for the VIN in 25 to 41; packet 1.. of it. */
static struct trace_entry packet(int number)
{
	uint8_t message[49], bytes[8];

	for (int i = 0; i < 49; i++)
		message[i] = (uint8_t)(i + 1);
	memcpy(message + 24, vin, 17);
	memset(bytes, 0xFF, sizeof(bytes));
	bytes[0] = (uint8_t)number;
	for (int i = 0; i < 7 && 7 * (number - 1) + i < 49; i++)
		bytes[1 + i] = message[7 * (number - 1) + i];
	return can(DT, bytes, 8);
}

static void the_vin_of_a_brm(void **state)
{
	struct trace_mask *m = *state;
	struct trace_entry e = rts(0x000200);
	uint8_t message[49];

	assert_int_equal(trace_mask_apply(m, &e), 0);
	for (int n = 1; n <= 7; n++) {
		e = packet(n);
		assert_int_equal(trace_mask_apply(m, &e), n >= 4 && n <= 6);
		assert_int_equal(e.bytes[0], n);
		memcpy(message + 7 * (n - 1), e.bytes + 1, 7);
	}
	/* All else of it is as it was. */
	for (int i = 0; i < 49; i++)
		assert_int_equal(message[i], i >= 24 && i <= 40 ? 'X' : i + 1);
}

static void other_transfers_are_as_they_were(void **state)
{
	struct trace_mask *m = *state;
	struct trace_entry e = rts(0x001500), before;

	(void)trace_mask_apply(m, &e);
	for (int n = 1; n <= 7; n++) {
		e = before = packet(n);
		assert_int_equal(trace_mask_apply(m, &e), 0);
		assert_memory_equal(&e, &before, sizeof(e));
	}
	/* A transfer of the charger, a standard identifier, a frame of another message. */
	e = can(0x1CEB0456, (uint8_t[]){5, 'L', 'T', 'E', 'S', 'T', 'V', 'I'}, 8);
	assert_int_equal(trace_mask_apply(m, &e), 0);
	e = packet(5);
	e.can_id = 0x123;
	assert_int_equal(trace_mask_apply(m, &e), 0);
}

/* The beginning of the trace lies in the middle of a transfer: of which, nobody knows. */
static void what_may_be_a_vin_is_none(void **state)
{
	struct trace_mask *m = *state;
	struct trace_entry e = packet(5);

	assert_int_equal(trace_mask_apply(m, &e), 1);
	assert_null(memchr(e.bytes, vin[5], e.len));
	/* Another priority is the same message. */
	e = packet(4);
	e.can_id = 0x80EB56F4u;
	assert_int_equal(trace_mask_apply(m, &e), 1);
}

/* Modbus --------------------------------------------------------------------------------------------------------------- */

/* The registers 40 to 47 hold a card. */
static void with_card(struct trace_mask *m)
{
	trace_mask_add(m, LINE, 1, 3, 40, 8);
}

/* CRC of the serial line specification, written another way than in the code. */
static unsigned crc_of(const uint8_t *bytes, size_t len)
{
	unsigned crc = 0xFFFF;

	for (size_t i = 0; i < len; i++)
		for (int bit = 0; bit < 8; bit++) {
			unsigned carry = (crc ^ (unsigned)(bytes[i] >> bit)) & 1;

			crc >>= 1;
			crc ^= carry ? 0xA001 : 0;
		}
	return crc;
}

static struct trace_entry rtu(int flags, const uint8_t *adu, size_t len)
{
	uint8_t bytes[300];
	unsigned crc = crc_of(adu, len);

	memcpy(bytes, adu, len);
	bytes[len] = (uint8_t)crc;
	bytes[len + 1] = (uint8_t)(crc >> 8);
	return frame(TRACE_RTU, flags, bytes, len + 2);
}

static void check_crc(const struct trace_entry *e)
{
	unsigned crc = crc_of(e->bytes, e->len - 2u);

	assert_int_equal(e->bytes[e->len - 2], crc & 0xFF);
	assert_int_equal(e->bytes[e->len - 1], crc >> 8);
}

static void a_card_in_an_answer(void **state)
{
	static const uint8_t request[] = {1, 3, 0, 38, 0, 5};
	static const uint8_t answer[] = {1, 3, 10, 0, 1, 0, 2, '1', '2', '3', '4', 0, 0};
	struct trace_mask *m = *state;

	with_card(m);
	struct trace_entry e = rtu(TRACE_SENT, request, sizeof(request));
	assert_int_equal(trace_mask_apply(m, &e), 0);
	e = rtu(0, answer, sizeof(answer));
	assert_int_equal(trace_mask_apply(m, &e), 1);
	assert_memory_equal(e.bytes, ((uint8_t[]){1, 3, 10, 0, 1, 0, 2, 'X', 'X', 'X', 'X', 0, 0}), 13);
	check_crc(&e);
	/* Its echo and what else was read of the unit. */
	static const uint8_t elsewhere[] = {1, 3, 0, 0, 0, 4};
	e = rtu(TRACE_SENT, elsewhere, sizeof(elsewhere));
	(void)trace_mask_apply(m, &e);
	e = rtu(TRACE_ECHO, elsewhere, sizeof(elsewhere));
	assert_int_equal(trace_mask_apply(m, &e), 0);
	e = rtu(0, answer, sizeof(answer));
	assert_int_equal(trace_mask_apply(m, &e), 0);
	check_crc(&e);
}

static void an_answer_to_nobody_knows_what(void **state)
{
	static const uint8_t answer[] = {1, 3, 4, '1', '2', '3', '4'};
	struct trace_mask *m = *state;

	struct trace_entry e = rtu(0, answer, sizeof(answer));
	assert_int_equal(trace_mask_apply(m, &e), 0); /* nothing is personal on this line */
	with_card(m);
	e = rtu(0, answer, sizeof(answer));
	assert_int_equal(trace_mask_apply(m, &e), 1);
	assert_memory_equal(e.bytes, ((uint8_t[]){1, 3, 4, 'X', 'X', 'X', 'X'}), 7);
	/* What was thrown away may be an older answer; torn, it has no checksum. */
	e = frame(TRACE_RTU, TRACE_THROWN, answer, sizeof(answer));
	assert_int_equal(trace_mask_apply(m, &e), 1);
	assert_null(memchr(e.bytes, '1', e.len));
	e.line = LINE + 1;
	assert_int_equal(trace_mask_apply(m, &e), 0);
}

static void a_card_that_is_written(void **state)
{
	static const uint8_t many[] = {0, 1, 0, 0, 0, 13, 1, 16, 0, 39, 0, 2, 4, '0', '1', '2', '3'};
	static const uint8_t one[] = {0, 1, 0, 0, 0, 6, 1, 6, 0, 47, '7', '8'};
	struct trace_mask *m = *state;

	with_card(m);
	struct trace_entry e = frame(TRACE_TCP, TRACE_SENT, many, sizeof(many));
	assert_int_equal(trace_mask_apply(m, &e), 1);
	assert_memory_equal(e.bytes + 13, ((uint8_t[]){'0', '1', 'X', 'X'}), 4);
	e = frame(TRACE_TCP, TRACE_SENT, one, sizeof(one));
	assert_int_equal(trace_mask_apply(m, &e), 1);
	e = frame(TRACE_TCP, 0, one, sizeof(one));
	assert_int_equal(trace_mask_apply(m, &e), 1);
	assert_memory_equal(e.bytes + 10, "XX", 2);
}

static void a_card_in_ascii(void **state)
{
	static const char request[] = ":010300280001D3\r\n", answer[] = ":0103023132" /* "12" */ "97\r\n";
	struct trace_mask *m = *state;

	with_card(m);
	struct trace_entry e = frame(TRACE_ASCII, TRACE_SENT, request, sizeof(request) - 1);
	assert_int_equal(trace_mask_apply(m, &e), 0);
	e = frame(TRACE_ASCII, 0, answer, sizeof(answer) - 1);
	assert_int_equal(trace_mask_apply(m, &e), 1);
	/* 01 + 03 + 02 + 58 + 58 = B6, and its complement. */
	assert_memory_equal(e.bytes, ":01030258584A\r\n", 15);
}

/* More of them than there is room for: nothing gets through for want of it. */
static void too_many_ranges(void **state)
{
	static const uint8_t answer[] = {1, 3, 4, '1', '2', '3', '4'};
	struct trace_mask *m = *state;

	for (int i = 0; i <= TRACE_MASK_RANGES; i++)
		trace_mask_add(m, 77, 1, 3, (uint16_t)i, 1);
	struct trace_entry e = rtu(0, answer, sizeof(answer));
	assert_int_equal(trace_mask_apply(m, &e), 1);
	assert_null(memchr(e.bytes, '3', 7));
}

/* Whatever stands in a frame, nothing outside of it is touched (the sanitizers look on). */
static void any_bytes(void **state)
{
	struct trace_mask *m = *state;
	unsigned random = 1;

	with_card(m);
	for (int round = 0; round < 200000; round++) {
		struct trace_entry e = {.line = LINE + (uint32_t)round % 3};

		random = random * 1103515245 + 12345;
		e.kind = (uint8_t)(random >> 16) % (TRACE_CAN + 1);
		e.flags = (uint8_t)(random >> 20) & 15;
		e.len = (uint16_t)((random >> 8) % (e.kind == TRACE_CAN ? 9 : round % 7 ? 20 : TRACE_BYTES_MAX + 1));
		e.can_id = round & 1 ? 0x80000000u | DT : random;
		for (size_t i = 0; i < e.len; i++) {
			random = random * 1103515245 + 12345;
			e.bytes[i] = (uint8_t)(round % 5 ? (random >> 16) % 17 : random >> 16);
			if (e.kind == TRACE_ASCII)
				e.bytes[i] = (uint8_t) ":0123456789ABCDEF"[i ? 1 + (random >> 16) % 16 : 0];
		}
		uint16_t len = e.len;
		(void)trace_mask_apply(m, &e);
		assert_int_equal(e.len, len);
	}
}

#define T(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    T(the_vin_of_a_brm),
	    T(other_transfers_are_as_they_were),
	    T(what_may_be_a_vin_is_none),
	    T(a_card_in_an_answer),
	    T(an_answer_to_nobody_knows_what),
	    T(a_card_that_is_written),
	    T(a_card_in_ascii),
	    T(too_many_ranges),
	    T(any_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
