/* The trace as it leaves the gateway: frames of several lines, masked, told to a capture.
 *
 * By a byte each: any frame; a read of registers by Modbus, its answer, a write, of which some registers are a person's; a transfer between
 * vehicle and charger, of which BRM holds a VIN; the same of a billing unit. What is a person's is made of bytes that nothing else holds:
 * none of them may be left. A frame that was good still is. */
#include "bus/framing.h"
#include "bus/j1939.h"
#include "bus/pcapng.h"
#include "bus/trace_mask.h"
#include "bytes.h"

enum {
	STEPS = 200,
	SHORTEST = 3,
	SECRET = 0xA7,
	PLAIN = 0x01,
	PERSONAL_AT = 100,
	PERSONAL = 20,
	LINES = 4,
	VIN_AT = 24,
	VIN = 17
};
enum { ANY, READ, ANSWER, WRITE, THROWN, BRM, OTHER_TRANSFER, BILLING, KINDS };

static const enum trace_kind kinds[LINES] = {TRACE_TCP, TRACE_RTU, TRACE_ASCII, TRACE_CAN};

static struct trace_mask mask;
static struct pcapng capture;
static FILE *out;
static char *written;
static size_t written_len;
static uint64_t number;

static int is_good(const struct trace_entry *e)
{
	return e->kind == TRACE_RTU && e->len >= 4 &&
	       framing_crc(e->bytes, e->len - 2u) == (e->bytes[e->len - 2] | e->bytes[e->len - 1] << 8);
}

static void put(struct trace_entry *e)
{
	struct frame f = {
	    .number = ++number, .kind = (enum trace_kind)e->kind, .flags = e->flags, .id = e->can_id, .len = e->len};
	struct trace_entry before = *e;

	e->number = number;
	int changed = trace_mask_apply(&mask, e);
	fuzz_check(changed == (memcmp(before.bytes, e->bytes, sizeof(e->bytes)) != 0) || changed);
	fuzz_check(before.len == e->len && before.kind == e->kind && before.can_id == e->can_id);
	fuzz_check(changed || !memcmp(before.bytes, e->bytes, sizeof(e->bytes)));
	if (!(e->flags & TRACE_THROWN))
		fuzz_check(!is_good(&before) || is_good(e));
	memcpy(f.bytes, e->bytes, sizeof(f.bytes));
	(void)snprintf(f.line, sizeof(f.line), "line%u", (unsigned)e->line);
	rewind(out);
	fuzz_check(!pcapng_frame(&capture, &f, "a note"));
	fuzz_check(!fflush(out) && written_len % 4 == 0);
}

/* Nothing of it in bytes from..to. */
static void check_gone(const struct trace_entry *e, size_t from, size_t to)
{
	for (size_t i = from; i < to && i < e->len; i++)
		fuzz_check(e->bytes[i] != SECRET);
}

/* Modbus ------------------------------------------------------------------------------------------------------------ */

/* Frames as on the line: nothing else of them has the secret's bytes. */
static struct trace_entry modbus(unsigned line, int flags, unsigned unit, const uint8_t *pdu, size_t len)
{
	static const char hex[] = "0123456789ABCDEF";
	struct trace_entry e = {.line = line, .kind = (uint8_t)kinds[line], .flags = (uint8_t)flags};
	uint8_t *at = e.bytes, sum = (uint8_t)unit;

	if (kinds[line] == TRACE_TCP) {
		const uint8_t head[] = {0, 1, 0, 0, (uint8_t)((len + 1) >> 8), (uint8_t)(len + 1), (uint8_t)unit};

		memcpy(at, head, sizeof(head));
		memcpy(at + sizeof(head), pdu, len);
		e.len = (uint16_t)(sizeof(head) + len);
	} else if (kinds[line] == TRACE_RTU) {
		at[0] = (uint8_t)unit;
		memcpy(at + 1, pdu, len);
		unsigned crc = framing_crc(at, len + 1);
		at[len + 1] = (uint8_t)crc;
		at[len + 2] = (uint8_t)(crc >> 8);
		e.len = (uint16_t)(len + 3);
	} else {
		*at++ = ':';
		for (size_t i = 0; i < len + 2; i++) {
			uint8_t byte = i == 0 ? (uint8_t)unit : i <= len ? pdu[i - 1] : (uint8_t)-sum;

			sum = (uint8_t)(sum + (i && i <= len ? byte : 0));
			*at++ = (uint8_t)hex[byte >> 4];
			*at++ = (uint8_t)hex[byte & 15];
		}
		*at++ = '\r';
		*at++ = '\n';
		e.len = (uint16_t)(at - e.bytes);
	}
	return e;
}

static void check_modbus(const struct trace_entry *e)
{
	if (e->kind == TRACE_ASCII) {
		/* Without the check sum, which may be anything. */
		for (size_t i = 1; i + 6 < e->len; i += 2)
			fuzz_check(e->bytes[i] != 'A' || e->bytes[i + 1] != '7');
	} else {
		check_gone(e, 0, e->len - (e->kind == TRACE_RTU ? 2u : 0u));
	}
}

static void fill(uint8_t *to, unsigned address, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		int personal = address + i >= PERSONAL_AT && address + i < PERSONAL_AT + PERSONAL;

		memset(to + 2 * i, personal ? SECRET : PLAIN, 2);
	}
}

/* The request, its answer at once, or something in between. */
static void exchange(struct fuzz_input *in, int kind)
{
	uint8_t what = take_u8(in), pdu[FRAMING_PDU_MAX] = {0};
	unsigned line = what % 3, unit = 1 + (what >> 2 & 1), function = what & 8 ? 4 : 3;
	unsigned address = take_u8(in) % 160u, count = 1 + take_u8(in) % 60u; /* none is the secret's byte */
	struct trace_entry e;

	if (kind == WRITE) {
		pdu[0] = what & 16 ? 6 : 16;
		pdu[2] = (uint8_t)address;
		if (pdu[0] == 6) {
			fill(pdu + 3, address, 1);
		} else {
			pdu[4] = (uint8_t)count;
			pdu[5] = (uint8_t)(2 * count);
			fill(pdu + 6, address, count);
		}
		e = modbus(line, TRACE_SENT, unit, pdu, pdu[0] == 6 ? 5 : 6 + 2 * count);
		put(&e);
		/* Of the holding registers of unit 1. */
		if (unit == 1)
			check_modbus(&e);
		return;
	}
	pdu[0] = (uint8_t)function;
	pdu[2] = (uint8_t)address;
	pdu[4] = (uint8_t)count;
	e = modbus(line, TRACE_SENT, unit, pdu, 5);
	if (kind != THROWN || what & 32)
		put(&e);
	if (kind == READ)
		return;
	pdu[1] = (uint8_t)(2 * count);
	fill(pdu + 2, address, count);
	e = modbus(line, kind == THROWN ? TRACE_THROWN : 0, unit, pdu, 2 + 2 * count);
	/* Torn: then it is known of no byte what it is. */
	if (kind == THROWN && what & 64)
		e.len = (uint16_t)(1 + take_u8(in) % e.len);
	put(&e);
	if (unit == 1 && function == 3 && e.len > 8)
		check_modbus(&e);
}

/* CAN --------------------------------------------------------------------------------------------------------------- */

static void can(uint32_t id, const uint8_t *data, size_t from, size_t to)
{
	struct trace_entry e = {.line = 3, .kind = TRACE_CAN, .can_id = 0x80000000u | id, .len = 8};

	memcpy(e.bytes, data, 8);
	put(&e);
	check_gone(&e, from, to);
}

/* missed: the request to send is not in the trace any more. */
static void transfer(struct fuzz_input *in, int is_brm)
{
	uint8_t what = take_u8(in), data[8] = {J1939_RTS, 49, 0, 7, 0xff, 0, (uint8_t)(is_brm ? 2 : 6), 0};

	if (!(what & 1))
		can(0x1CEC56F4, data, 8, 8);
	for (unsigned n = 1; n <= 7; n++) {
		data[0] = (uint8_t)n;
		for (unsigned i = 0; i < 7; i++) {
			unsigned at = 7 * (n - 1) + i;

			data[1 + i] = is_brm && at >= VIN_AT && at < VIN_AT + VIN ? SECRET : PLAIN;
		}
		if ((what >> 1 & 7) != n)
			can(0x1CEB56F4, data, 0, 8);
	}
}

/* Of chargers.md 2.10: the VIN is bytes 12 to 28 of the message behind three of the head. */
static void billing(struct fuzz_input *in)
{
	uint8_t lost = take_u8(in);

	for (unsigned n = 1; n <= 6; n++) {
		uint8_t data[8] = {1, (uint8_t)n};

		for (unsigned i = 0; i < 6; i++) {
			unsigned at = 6 * (n - 1) + i;

			data[2 + i] = at >= 15 && at < 15 + VIN ? SECRET : PLAIN;
		}
		if (lost % 8 != n)
			can(0x18628AF6, data, 0, 8);
	}
}

static void any(struct fuzz_input *in)
{
	struct trace_entry e = {.line = take_u8(in) % 80u, .kind = take_u8(in) % 5, .flags = take_u8(in) & 15};
	size_t len;
	const uint8_t *bytes;

	/* A line is of one kind. */
	if (e.line < LINES)
		e.kind = (uint8_t)kinds[e.line];
	e.can_id = take_u32(in);
	bytes = fuzz_bytes(in, e.kind == TRACE_CAN ? 8 : take_u8(in) * 2u, &len);
	if (len)
		memcpy(e.bytes, bytes, len);
	e.len = (uint16_t)len;
	/* More lines than a capture has. */
	if (capture.line_count < PCAPNG_LINES - LINES || e.line < LINES)
		put(&e);
	else
		(void)trace_mask_apply(&mask, &e);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = {.data = data, .left = size};

	if (size < SHORTEST)
		return -1;
	if (!out)
		out = open_memstream(&written, &written_len);
	fuzz_check(out);
	rewind(out);
	number = 0;
	fuzz_check(!pcapng_begin(&capture, out));
	trace_mask_init(&mask);
	for (unsigned line = 0; line < 3; line++)
		trace_mask_add(&mask, line, 1, 3, PERSONAL_AT, PERSONAL);
	mask.all_registers = fuzz_byte(&in) == 0xff;
	for (int i = 0; i < STEPS && in.left; i++) {
		uint8_t kind = take_u8(&in) % KINDS;

		if (kind == ANY)
			any(&in);
		else if (kind <= THROWN)
			exchange(&in, kind);
		else if (kind == BILLING)
			billing(&in);
		else
			transfer(&in, kind == BRM);
	}
	return 0;
}
