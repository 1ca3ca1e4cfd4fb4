/* Modbus/TCP: seven bytes before the PDU: transaction, protocol (0), length of what follows, unit. */
#include <string.h>

#include "bus/framing.h"

enum { HEAD = 7, LENGTH_MIN = 2, LENGTH_MAX = 254 };

static unsigned get_word(const uint8_t *at)
{
	return (unsigned)(at[0] << 8 | at[1]);
}

static size_t build(const struct framing_request *request, uint8_t *out)
{
	size_t length = request->pdu_len + 1;

	if (length < LENGTH_MIN || length > LENGTH_MAX)
		return 0;
	out[0] = (uint8_t)(request->transaction >> 8);
	out[1] = (uint8_t)request->transaction;
	out[2] = 0;
	out[3] = 0;
	out[4] = (uint8_t)(length >> 8);
	out[5] = (uint8_t)length;
	out[6] = request->unit;
	memcpy(out + HEAD, request->pdu, request->pdu_len);
	return HEAD + request->pdu_len;
}

/* Bytes of the frame at the front; 0 while that can't be said, -1 when it is none. */
static int whole(const uint8_t *bytes, size_t len)
{
	if (len >= 4 && get_word(bytes + 2) != 0)
		return -1;
	if (len < 6)
		return 0;
	unsigned length = get_word(bytes + 4);
	return length < LENGTH_MIN || length > LENGTH_MAX ? -1 : 6 + (int)length;
}

static void take(const struct framing_request *request, const uint8_t *bytes, size_t len, int silent,
		 struct framing_step *step)
{
	int size = whole(bytes, len);

	(void)silent; /* what is missing of a frame comes in the end, or the connection breaks */
	*step = (struct framing_step){.verdict = FRAMING_MORE};
	if (size < 0) {
		step->verdict = FRAMING_BROKEN;
		step->why = FRAMING_NOISE;
		step->used = len;
		return;
	}
	if (!size || len < (size_t)size)
		return;
	step->verdict = FRAMING_DROP;
	step->used = (size_t)size;
	if (get_word(bytes) != request->transaction) {
		step->why = FRAMING_STALE;
		return;
	}
	/* A converter that mixes up two units may still bring the right answer (chargers.md 4, row 6). */
	if (bytes[6] != request->unit && !request->any_unit) {
		step->why = FRAMING_FOREIGN;
		return;
	}
	step->pdu_len = (size_t)size - HEAD;
	step->why = framing_fits(request, bytes + HEAD, step->pdu_len);
	step->verdict = step->why == FRAMING_FITS ? FRAMING_ANSWER : FRAMING_WRONG;
	memcpy(step->pdu, bytes + HEAD, step->pdu_len);
}

const struct framing framing_tcp = {"Modbus/TCP", build, take};
