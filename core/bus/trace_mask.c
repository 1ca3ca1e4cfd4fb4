#include "bus/trace_mask.h"

#include <string.h>

#include "bus/framing.h"

enum { MASKED = 'X', TCP_HEAD = 7, READ_HOLDING = 3, READ_INPUT = 4, WRITE_ONE = 6, WRITE_MANY = 16 };

/* GB/T 27930 (chargers.md 2.1, 2.4): the vehicle (0xF4) tells the charger (0x56) in a J1939 transfer; of the message BRM, bytes 25
 * to 41 are the VIN. */
enum {
	CAN_NO_DATA = 0x60000000, /* remote and error frames */
	TP_CM = 0xEC56F4,
	TP_DT = 0xEB56F4,
	TP_RTS = 16,
	PGN_BRM = 0x000200,
	VIN_FIRST = 24,
	VIN_LAST = 40,
};
/* Of a charge controller to its billing unit (chargers.md 2.10): packets of six bytes, their number in byte 1; the first three bytes say
 * how many and how long. */
enum { TCU_BMS = 0x628AF6, TCU_HEAD = 2, TCU_PACKET = 6, TCU_VIN_FIRST = 15, TCU_VIN_LAST = 31 };

static const uint32_t can_extended = 0x80000000;

/* A Modbus frame as its PDU: where it stands, and room for that of an ASCII frame. */
struct adu {
	uint8_t *pdu; /* function first */
	size_t len;
	uint8_t unit;
	uint8_t bytes[TRACE_BYTES_MAX / 2 + 1];
};

void trace_mask_init(struct trace_mask *mask)
{
	memset(mask, 0, sizeof(*mask));
}

void trace_mask_add(struct trace_mask *mask, uint32_t line, uint8_t unit, uint8_t function, uint16_t address,
		    uint16_t words)
{
	if (mask->range_count == TRACE_MASK_RANGES) {
		mask->all_registers = 1;
		return;
	}
	mask->ranges[mask->range_count++] = (struct trace_mask_range){line, unit, function, address, words};
}

/* NULL: no place left. */
static struct trace_mask_line *find_line(struct trace_mask *m, uint32_t line)
{
	for (int i = 0; i < m->line_count; i++)
		if (m->lines[i].line == line)
			return &m->lines[i];
	if (m->line_count == TRACE_MASK_LINES)
		return NULL;
	m->lines[m->line_count] = (struct trace_mask_line){.line = line, .pgn = -1};
	return &m->lines[m->line_count++];
}

/* CAN ------------------------------------------------------------------------------------------------------------------ */

static int mask_bytes(struct trace_entry *e, int from, int first, int last, int at)
{
	int changed = 0;

	for (int i = from; i < e->len; i++, at++) {
		if (at < first || at > last || e->bytes[i] == MASKED)
			continue;
		e->bytes[i] = MASKED;
		changed = 1;
	}
	return changed;
}

static int mask_can(struct trace_mask_line *l, struct trace_entry *e)
{
	uint32_t id = e->can_id & 0x00FFFFFF; /* any priority */
	int number = e->bytes[0];

	if (!(e->can_id & can_extended) || e->can_id & CAN_NO_DATA || e->len > 8)
		return 0;
	if (id == TCU_BMS && e->len > 1)
		return mask_bytes(e, TCU_HEAD, TCU_VIN_FIRST, TCU_VIN_LAST, TCU_PACKET * (e->bytes[1] - 1));
	if (id == TP_CM && e->len == 8 && e->bytes[0] == TP_RTS && l) {
		l->pgn = e->bytes[5] | e->bytes[6] << 8 | e->bytes[7] << 16;
		l->packets = e->bytes[3];
		l->packet = 0;
	}
	if (id != TP_DT || !e->len)
		return 0;
	/* A number that does not grow is of another message, or comes again: which of them is not known. */
	if (l && number <= l->packet)
		l->pgn = -1;
	int is_other = l && l->pgn >= 0 && l->pgn != PGN_BRM && number <= l->packets;
	/* Behind the last packet comes another message, whether its request was seen or not. */
	if (l && number >= l->packets)
		l->pgn = -1;
	if (l)
		l->packet = number;
	/* Packet n from 1 on brings bytes 7 (n - 1) and on. */
	return is_other ? 0 : mask_bytes(e, 1, VIN_FIRST, VIN_LAST, 7 * (number - 1));
}

/* Modbus --------------------------------------------------------------------------------------------------------------- */

static int digit_of(uint8_t c)
{
	int letter = c | 0x20;

	return c >= '0' && c <= '9' ? c - '0' : letter >= 'a' && letter <= 'f' ? letter - 'a' + 10 : -1;
}

/* Of a frame with a colon; its LRC stays behind the PDU. */
static size_t read_ascii(const struct trace_entry *e, uint8_t *out)
{
	size_t n = 0;

	for (size_t i = 1; i + 1 < e->len && digit_of(e->bytes[i]) >= 0 && digit_of(e->bytes[i + 1]) >= 0; i += 2)
		out[n++] = (uint8_t)(digit_of(e->bytes[i]) << 4 | digit_of(e->bytes[i + 1]));
	return n;
}

/* 0, or -1 where there is no PDU to be seen. */
static int open_adu(struct trace_entry *e, struct adu *adu)
{
	size_t n;

	switch (e->kind) {
	case TRACE_TCP:
		if (e->len <= TCP_HEAD)
			return -1;
		adu->unit = e->bytes[TCP_HEAD - 1];
		adu->pdu = e->bytes + TCP_HEAD;
		adu->len = e->len - (size_t)TCP_HEAD;
		return 0;
	case TRACE_RTU:
		if (e->len < 4)
			return -1;
		adu->unit = e->bytes[0];
		adu->pdu = e->bytes + 1;
		adu->len = e->len - 3u;
		return 0;
	case TRACE_ASCII:
		n = read_ascii(e, adu->bytes);
		if (n < 3)
			return -1;
		adu->unit = adu->bytes[0];
		adu->pdu = adu->bytes + 1;
		adu->len = n - 2;
		return 0;
	}
	return -1;
}

static void put_crc(struct trace_entry *e)
{
	unsigned crc = framing_crc(e->bytes, e->len - 2u);

	e->bytes[e->len - 2] = (uint8_t)crc;
	e->bytes[e->len - 1] = (uint8_t)(crc >> 8);
}

static void put_ascii(struct trace_entry *e, struct adu *adu)
{
	static const char digits[] = "0123456789ABCDEF";
	uint8_t sum = 0;

	for (size_t i = 0; i <= adu->len; i++)
		sum = (uint8_t)(sum + adu->bytes[i]);
	adu->bytes[adu->len + 1] = (uint8_t)-sum;
	for (size_t i = 0; i < adu->len + 2; i++) {
		e->bytes[1 + 2 * i] = (uint8_t)digits[adu->bytes[i] >> 4];
		e->bytes[2 + 2 * i] = (uint8_t)digits[adu->bytes[i] & 15];
	}
}

static void close_adu(struct trace_entry *e, struct adu *adu)
{
	if (e->kind == TRACE_ASCII)
		put_ascii(e, adu);
	else if (e->kind == TRACE_RTU && !(e->flags & TRACE_CUT))
		put_crc(e);
}

static unsigned word_at(const uint8_t *p)
{
	return (unsigned)(p[0] << 8 | p[1]);
}

/* Masks what of the registers address.. at pdu[from..] is personal. */
static int mask_words(const struct trace_mask *m, uint32_t line, struct adu *adu, uint8_t function, unsigned address,
		      size_t from, size_t count)
{
	int changed = 0;

	for (size_t i = 0; i < count && from + 2 * i + 1 < adu->len; i++)
		for (int k = 0; k < m->range_count; k++) {
			const struct trace_mask_range *r = &m->ranges[k];

			if (r->line != line || r->unit != adu->unit || r->function != function ||
			    address + i < r->address || address + i >= (unsigned)r->address + r->words)
				continue;
			/* That there is nothing is nobody's data. */
			if (!word_at(adu->pdu + from + 2 * i))
				break;
			memset(adu->pdu + from + 2 * i, MASKED, 2);
			changed = 1;
		}
	return changed;
}

static int may_be_personal(const struct trace_mask *m, uint32_t line)
{
	int any = m->all_registers;

	for (int k = 0; k < m->range_count && !any; k++)
		any = m->ranges[k].line == line;
	return any;
}

/* Of an answer to nobody knows what: all of its data, where it could be personal. */
static int mask_all(const struct trace_mask *m, uint32_t line, struct adu *adu, size_t from)
{
	if (from >= adu->len || !may_be_personal(m, line))
		return 0;
	memset(adu->pdu + from, MASKED, adu->len - from);
	return 1;
}

/* Our own frame, or its echo. */
static int mask_request(const struct trace_mask *m, struct trace_mask_line *l, uint32_t line, struct adu *adu)
{
	const uint8_t *pdu = adu->pdu;

	if (l)
		l->asked = adu->len >= 5 && (pdu[0] == READ_HOLDING || pdu[0] == READ_INPUT);
	if (adu->len < 5)
		return 0;
	if (l && l->asked) {
		l->unit = adu->unit;
		l->function = pdu[0];
		l->address = (uint16_t)word_at(pdu + 1);
		l->count = (uint16_t)word_at(pdu + 3);
	}
	if (pdu[0] == WRITE_ONE)
		return m->all_registers ? mask_all(m, line, adu, 3)
					: mask_words(m, line, adu, READ_HOLDING, word_at(pdu + 1), 3, 1);
	if (pdu[0] == WRITE_MANY)
		return m->all_registers ? mask_all(m, line, adu, 6)
					: mask_words(m, line, adu, READ_HOLDING, word_at(pdu + 1), 6, word_at(pdu + 3));
	return 0;
}

static int mask_answer(const struct trace_mask *m, const struct trace_mask_line *l, uint32_t line, struct adu *adu)
{
	uint8_t function = adu->pdu[0];

	if (function == WRITE_ONE)
		return m->all_registers ? mask_all(m, line, adu, 3)
					: mask_words(m, line, adu, READ_HOLDING, word_at(adu->pdu + 1), 3, 1);
	if (function != READ_HOLDING && function != READ_INPUT)
		return 0;
	if (m->all_registers || !l || !l->asked || l->unit != adu->unit || l->function != function)
		return mask_all(m, line, adu, 2);
	return mask_words(m, line, adu, function, l->address, 2, adu->len / 2);
}

/* Thrown away ---------------------------------------------------------------------------------------------------------- */

/* One good frame from its first byte to its last. */
static int is_whole(const struct trace_entry *e)
{
	uint8_t bytes[TRACE_BYTES_MAX / 2 + 1], sum = 0;
	size_t n;

	switch (e->kind) {
	case TRACE_TCP:
		return e->len > TCP_HEAD && !word_at(e->bytes + 2) && word_at(e->bytes + 4) + 6u == e->len;
	case TRACE_RTU:
		return e->len >= 4 && framing_crc(e->bytes, e->len - 2u) ==
					  (unsigned)(e->bytes[e->len - 2] | e->bytes[e->len - 1] << 8);
	case TRACE_ASCII:
		n = read_ascii(e, bytes);
		for (size_t i = 0; i < n; i++)
			sum = (uint8_t)(sum + bytes[i]);
		return e->len && e->bytes[0] == ':' && n >= 3 && !sum && 2 * n + 3 == e->len;
	}
	return 0;
}

/* Of what was asked, by unit and function. */
static int is_ours(const struct trace_mask_line *l, const uint8_t *unit)
{
	return l && l->asked && unit[0] == l->unit && (unit[1] & 0x7F) == l->function;
}

/* What of a torn frame is no value: unit, function and count. */
static size_t head_of(const struct trace_mask_line *l, const struct trace_entry *e)
{
	switch (e->kind) {
	case TRACE_TCP:
		return e->len > TCP_HEAD + 2 && !word_at(e->bytes + 2) && !e->bytes[4] && is_ours(l, e->bytes + 6)
			   ? TCP_HEAD + 2
			   : 0;
	case TRACE_RTU:
		return e->len > 3 && is_ours(l, e->bytes) ? 3 : 0;
	case TRACE_ASCII:
		return e->len > 7 && e->bytes[0] == ':' ? 7 : 0;
	}
	return 0;
}

/* It may be the middle of an answer, or its end: nobody knows where in it a value is. */
static int mask_torn(const struct trace_mask *m, const struct trace_mask_line *l, struct trace_entry *e)
{
	size_t from = head_of(l, e);

	if (from >= e->len || !may_be_personal(m, e->line))
		return 0;
	memset(e->bytes + from, MASKED, e->len - from);
	return 1;
}

static int mask_modbus(struct trace_mask *m, struct trace_mask_line *l, struct trace_entry *e)
{
	struct adu adu;
	int changed;

	if (e->flags & TRACE_THROWN && !is_whole(e))
		return mask_torn(m, l, e);
	if (open_adu(e, &adu))
		return 0;
	if (e->flags & (TRACE_SENT | TRACE_ECHO))
		changed = mask_request(m, l, e->line, &adu);
	else if (e->flags & TRACE_THROWN)
		changed = mask_all(m, e->line, &adu, 2);
	else
		changed = adu.len >= 3 && mask_answer(m, l, e->line, &adu);
	if (changed)
		close_adu(e, &adu);
	return changed;
}

int trace_mask_apply(struct trace_mask *mask, struct trace_entry *entry)
{
	struct trace_mask_line *l = find_line(mask, entry->line);

	switch ((enum trace_kind)entry->kind) {
	case TRACE_CAN:
		return mask_can(l, entry);
	case TRACE_TCP:
	case TRACE_RTU:
	case TRACE_ASCII:
		return mask_modbus(mask, l, entry);
	case TRACE_DLT645:
		return 0; /* a meter's number is no person's */
	}
	return 0;
}
