/* Modbus RTU: unit, PDU, CRC; no mark where a frame begins or ends. On a serial line or over a TCP connection.
 *
 * The specification parts frames by silence, which neither USB adapters nor converters keep (chargers.md 4, rows 8, 9, 13, 17).
 * So every place in the buffer is tried as a beginning: a frame is one whose length, told by function and byte count, ends in a
 * right CRC. What lies before it is noise. A beginning that can still become our answer holds up the places behind it until the
 * sender pauses. */
#include <string.h>

#include "bus/framing.h"

enum { UNIT = 1, CRC = 2, EXCEPTION_BIT = 0x80 };

/* Four bits at a time: a 16th of the size of the usual table. */
static const uint16_t crc_table[16] = {0x0000, 0xCC01, 0xD801, 0x1400, 0xF001, 0x3C00, 0x2800, 0xE401,
				       0xA001, 0x6C00, 0x7800, 0xB401, 0x5000, 0x9C01, 0x8801, 0x4400};

uint16_t framing_crc(const uint8_t *bytes, size_t len)
{
	unsigned crc = 0xFFFF;

	for (size_t i = 0; i < len; i++) {
		crc ^= bytes[i];
		crc = crc >> 4 ^ crc_table[crc & 15];
		crc = crc >> 4 ^ crc_table[crc & 15];
	}
	return (uint16_t)crc;
}

static size_t build(const struct framing_request *request, uint8_t *out)
{
	size_t len = UNIT + request->pdu_len;

	if (!request->pdu_len || request->pdu_len > FRAMING_PDU_MAX)
		return 0;
	out[0] = request->unit;
	memcpy(out + UNIT, request->pdu, request->pdu_len);
	uint16_t crc = framing_crc(out, len);
	out[len] = (uint8_t)crc;
	out[len + 1] = (uint8_t)(crc >> 8);
	return len + CRC;
}

enum place { NOTHING, WHOLE, CUT_SHORT };

/* Is there a frame with a PDU of pdu_len bytes (framing_answer_len and its like)? */
static enum place frame_at(const uint8_t *bytes, size_t len, int pdu_len)
{
	if (pdu_len < 0 || pdu_len > FRAMING_PDU_MAX)
		return NOTHING;
	size_t size = UNIT + (size_t)pdu_len + CRC;
	if (!pdu_len || len < size)
		return CUT_SHORT;
	return framing_crc(bytes, size - CRC) == (uint16_t)(bytes[size - 2] | bytes[size - 1] << 8) ? WHOLE : NOTHING;
}

/* Nonzero when bytes begin as an answer that fits would. */
static int begins_as_ours(const struct framing_request *r, const uint8_t *bytes, size_t len)
{
	const uint8_t *pdu = bytes + UNIT;
	uint8_t head[FRAMING_PDU_MAX] = {0};

	if (!len || bytes[0] != r->unit)
		return 0;
	if (len == 1)
		return 1;
	if (pdu[0] == (r->pdu[0] | EXCEPTION_BIT))
		return len == 2 || pdu[1] != 0;
	if (pdu[0] != r->pdu[0])
		return 0;
	if (r->pdu[0] > 4) {
		size_t seen = len - UNIT;

		return !memcmp(pdu, r->pdu, seen < 5 ? seen : 5);
	}
	if (len == 2)
		return 1;
	head[0] = pdu[0];
	head[1] = pdu[1];
	return 2u + pdu[1] <= sizeof(head) && framing_fits(r, head, 2u + pdu[1]) == FRAMING_FITS;
}

/* Our own request, come back. An answer to a write of one register looks the same: that is an echo by option only. */
static enum place echo_at(const struct framing_request *r, const uint8_t *bytes, size_t len)
{
	size_t seen = len < r->adu_len ? len : r->adu_len;

	if (!r->adu || memcmp(bytes, r->adu, seen) != 0)
		return NOTHING;
	return seen == r->adu_len ? WHOLE : CUT_SHORT;
}

struct finding {
	enum place place;
	enum framing_why why;
	size_t size;
	int ours;    /* it may still become our answer: what is behind it waits */
	int damaged; /* it began as our answer, and is none */
};

static struct finding other_frame(const struct framing_request *r, const uint8_t *bytes, size_t len)
{
	int lens[2] = {framing_answer_len(bytes + UNIT, len - UNIT), framing_request_len(bytes + UNIT, len - UNIT)};
	struct finding f = {.place = NOTHING};

	for (int i = 0; i < 2; i++) {
		enum place place = frame_at(bytes, len, lens[i]);

		if (place == WHOLE) {
			size_t size = UNIT + (size_t)lens[i] + CRC;
			int is_echo = r->adu && size == r->adu_len && !memcmp(bytes, r->adu, size);
			enum framing_why mine = i ? FRAMING_FOREIGN : FRAMING_MISMATCH;

			f = (struct finding){WHOLE, bytes[0] == r->unit ? mine : FRAMING_FOREIGN, size, 0, 0};
			f.why = is_echo ? FRAMING_ECHO : f.why;
			return f;
		}
		if (place == CUT_SHORT)
			f.place = CUT_SHORT;
	}
	return f;
}

static struct finding look_at(const struct framing_request *r, const uint8_t *bytes, size_t len)
{
	if (r->echo) {
		enum place echo = echo_at(r, bytes, len);

		if (echo != NOTHING)
			return (struct finding){echo, FRAMING_ECHO, r->adu_len, echo == CUT_SHORT, 0};
	}
	int ours = begins_as_ours(r, bytes, len);
	if (ours) {
		int pdu_len = framing_answer_len(bytes + UNIT, len - UNIT);
		enum place place = frame_at(bytes, len, pdu_len);

		if (place != NOTHING)
			return (struct finding){place, FRAMING_FITS, UNIT + (size_t)pdu_len + CRC, place == CUT_SHORT,
						0};
	}
	if (len < 2)
		return (struct finding){CUT_SHORT, FRAMING_NOISE, 0, 0, 0};
	struct finding f = other_frame(r, bytes, len);
	f.damaged = ours && f.place != WHOLE;
	return f;
}

static void drop(struct framing_step *step, size_t used, enum framing_why why)
{
	step->verdict = FRAMING_DROP;
	step->why = why;
	step->used = used;
}

static void take(const struct framing_request *request, const uint8_t *bytes, size_t len, int silent,
		 struct framing_step *step)
{
	size_t keep = len; /* from here on something may still become a frame */
	int damaged = 0;

	*step = (struct framing_step){.verdict = FRAMING_MORE};
	for (size_t i = 0; i < len; i++) {
		struct finding f = look_at(request, bytes + i, len - i);

		if (f.place == WHOLE) {
			/* A beginning of somebody else's frame that was waited for is none, now that this one is whole. */
			drop(step, i + f.size, f.why);
			step->skipped = i;
			if (f.why != FRAMING_FITS)
				return;
			step->verdict = FRAMING_ANSWER;
			step->pdu_len = f.size - UNIT - CRC;
			memcpy(step->pdu, bytes + i + UNIT, step->pdu_len);
			return;
		}
		/* A lone byte that is our unit is no sign of an answer, and neither is half an echo. */
		damaged |= f.damaged || (silent && f.ours && len - i > 1 && f.why != FRAMING_ECHO);
		if (silent || f.place == NOTHING)
			continue;
		keep = keep < i ? keep : i;
		if (f.ours)
			break;
	}
	if (keep)
		drop(step, keep, damaged ? FRAMING_DAMAGED : FRAMING_NOISE);
}

const struct framing framing_rtu = {"Modbus RTU", build, take};
