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

/* Small letters are taken on the line, and masked as well. */
static void a_card_in_small_letters(void **state)
{
	static const char request[] = ":010300280002d2\r\n", answer[] = ":0103044a4b4c4d" /* "JKLM" */ "ca\r\n";
	struct trace_mask *m = *state;

	with_card(m);
	struct trace_entry e = frame(TRACE_ASCII, TRACE_SENT, request, sizeof(request) - 1);
	(void)trace_mask_apply(m, &e);
	e = frame(TRACE_ASCII, 0, answer, sizeof(answer) - 1);
	assert_int_equal(trace_unit(&e), 1);
	e.bytes[2] = 'a';
	e.bytes[1] = 'b';
	assert_int_equal(trace_unit(&e), 0xBA);
	e = frame(TRACE_ASCII, 0, answer, sizeof(answer) - 1);
	assert_int_equal(trace_mask_apply(m, &e), 1);
	assert_memory_equal(e.bytes, ":01030458585858", 15);
}

/* Cut where the line paused: wherever a piece begins and ends, no part of the card leaves. */
static void pieces_that_were_thrown_away(void **state)
{
	static const uint8_t request[] = {1, 3, 0, 40, 0, 4};
	static const uint8_t answer[] = {1, 3, 8, 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 0x12, 0x34};
	static const char text[] = ":010308"
				   "6162636465666768"
				   "D0\r\n";
	static const uint8_t tcp[] = {0, 1, 0, 0, 0, 11, 1, 3, 8, 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'};
	static const struct {
		enum trace_kind kind;
		const void *bytes;
		size_t len, first, last; /* where the card is */
	} all[] = {{TRACE_RTU, answer, sizeof(answer), 3, 10},
		   {TRACE_ASCII, text, sizeof(text) - 1, 7, 22},
		   {TRACE_TCP, tcp, sizeof(tcp), 9, 16}};
	struct trace_mask *m = *state;

	with_card(m);
	struct trace_entry e = rtu(TRACE_SENT, request, sizeof(request));
	(void)trace_mask_apply(m, &e);
	for (size_t k = 0; k < sizeof(all) / sizeof(all[0]); k++)
		for (size_t from = 0; from < all[k].len; from++)
			for (size_t to = from + 1; to <= all[k].len; to++) {
				e = frame(all[k].kind, TRACE_THROWN, (const uint8_t *)all[k].bytes + from, to - from);
				(void)trace_mask_apply(m, &e);
				for (size_t i = 0; i < to - from; i++)
					if (from + i >= all[k].first && from + i <= all[k].last)
						assert_true(e.bytes[i] == 'X' || e.bytes[i] == '5' ||
							    e.bytes[i] == '8');
			}
	/* What tells somebody on site what it was stays: its head. */
	e = frame(TRACE_RTU, TRACE_THROWN, answer, 7);
	assert_int_equal(trace_mask_apply(m, &e), 1);
	assert_memory_equal(e.bytes, answer, 3);
	/* A whole one, of another unit perhaps, is still a good frame. */
	e = rtu(TRACE_THROWN, answer, 11);
	assert_int_equal(trace_mask_apply(m, &e), 1);
	check_crc(&e);
	e.line = LINE + 1;
	assert_int_equal(trace_mask_apply(m, &e), 0);
}

/* Of a transfer whose request was lost nobody knows what it is. */
static void a_brm_behind_another_transfer(void **state)
{
	struct trace_mask *m = *state;
	struct trace_entry e = can(RTS, (uint8_t[]){16, 13, 0, 2, 0xFF, 0, 0x06, 0}, 8);

	(void)trace_mask_apply(m, &e);
	e = packet(1);
	(void)trace_mask_apply(m, &e);
	e = packet(2);
	(void)trace_mask_apply(m, &e);
	e = packet(4);
	assert_int_equal(trace_mask_apply(m, &e), 1);
	/* A number beyond what was announced is none of it either. */
	e = can(RTS, (uint8_t[]){16, 13, 0, 2, 0xFF, 0, 0x06, 0}, 8);
	(void)trace_mask_apply(m, &e);
	e = packet(5);
	assert_int_equal(trace_mask_apply(m, &e), 1);
}

/* The other transfer lost its end, and this one its request: its numbers begin again. Found by fuzz_trace. */
static void a_brm_behind_half_a_transfer(void **state)
{
	struct trace_mask *m = *state;
	struct trace_entry e = rts(0x001500);

	(void)trace_mask_apply(m, &e);
	for (int n = 1; n <= 6; n++) {
		e = packet(n);
		assert_int_equal(trace_mask_apply(m, &e), 0);
	}
	for (int n = 2; n <= 7; n++) {
		e = packet(n);
		assert_int_equal(trace_mask_apply(m, &e), n >= 4 && n <= 6);
	}
}

/* chargers.md 2.10: what a charge controller tells its billing unit of the car. */
static void the_vin_for_a_billing_unit(void **state)
{
	struct trace_mask *m = *state;
	size_t n = 0;

	for (uint8_t packet = 1; packet <= 8; packet++) {
		uint8_t bytes[8] = {1, packet, 7, 7, 7, 7, 7, 7};
		int first = packet == 3 ? 5 : 2, last = packet == 6 ? 3 : 7, is_vin = packet >= 3 && packet <= 6;

		for (int i = first; is_vin && i <= last; i++)
			bytes[i] = (uint8_t)vin[n++];
		struct trace_entry e = can(0x18628AF6, bytes, 8);
		assert_int_equal(trace_mask_apply(m, &e), is_vin);
		for (int i = 0; i < 8; i++)
			assert_int_equal(e.bytes[i], is_vin && i >= first && i <= last ? 'X' : bytes[i]);
	}
	assert_int_equal(n, strlen(vin));
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
	    T(a_card_in_small_letters),
	    T(pieces_that_were_thrown_away),
	    T(a_brm_behind_another_transfer),
	    T(a_brm_behind_half_a_transfer),
	    T(the_vin_for_a_billing_unit),
	    T(too_many_ranges),
	    T(any_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
