#include "bus/trace_mask.h"

#include <string.h>

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

static int mask_can(struct trace_mask_line *l, struct trace_entry *e)
{
	uint32_t id = e->can_id & 0x00FFFFFF; /* any priority */
	int changed = 0;

	if (!(e->can_id & can_extended) || e->can_id & CAN_NO_DATA || e->len > 8)
		return 0;
	if (id == TP_CM && e->len == 8 && e->bytes[0] == TP_RTS && l)
		l->pgn = e->bytes[5] | e->bytes[6] << 8 | e->bytes[7] << 16;
	if (id != TP_DT || !e->len || (l && l->pgn >= 0 && l->pgn != PGN_BRM))
		return 0;
	/* Packet n from 1 on brings bytes 7 (n - 1) and on. */
	for (int i = 1; i < e->len; i++) {
		int at = 7 * (e->bytes[0] - 1) + i - 1;

		if (at < VIN_FIRST || at > VIN_LAST || e->bytes[i] == MASKED)
			continue;
		e->bytes[i] = MASKED;
		changed = 1;
	}
	return changed;
}

/* Modbus --------------------------------------------------------------------------------------------------------------- */

static int digit_of(uint8_t c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
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
	unsigned crc = 0xFFFF;

	for (size_t i = 0; i + 2 < e->len; i++) {
		crc ^= e->bytes[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc & 1 ? crc >> 1 ^ 0xA001 : crc >> 1;
	}
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
	else if (e->kind == TRACE_RTU && !(e->flags & (TRACE_THROWN | TRACE_CUT)))
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

/* Of an answer to nobody knows what: all of its data, where it could be personal. */
static int mask_all(const struct trace_mask *m, uint32_t line, struct adu *adu, size_t from)
{
	int any = m->all_registers;

	for (int k = 0; k < m->range_count && !any; k++)
		any = m->ranges[k].line == line;
	if (!any || from >= adu->len)
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

static int mask_answer(const struct trace_mask *m, const struct trace_mask_line *l, struct trace_entry *e,
		       struct adu *adu)
{
	uint8_t function = adu->pdu[0];

	if (e->flags & TRACE_THROWN)
		return mask_all(m, e->line, adu, 2);
	if (function == WRITE_ONE)
		return mask_words(m, e->line, adu, READ_HOLDING, word_at(adu->pdu + 1), 3, 1);
	if (function != READ_HOLDING && function != READ_INPUT)
		return 0;
	if (m->all_registers || !l || !l->asked || l->unit != adu->unit || l->function != function)
		return mask_all(m, e->line, adu, 2);
	return mask_words(m, e->line, adu, function, l->address, 2, adu->len / 2);
}

static int mask_modbus(struct trace_mask *m, struct trace_mask_line *l, struct trace_entry *e)
{
	struct adu adu;

	if (open_adu(e, &adu))
		return 0;
	int changed = e->flags & (TRACE_SENT | TRACE_ECHO) ? mask_request(m, l, e->line, &adu)
		      : adu.len >= 3                       ? mask_answer(m, l, e, &adu)
							   : 0;
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
