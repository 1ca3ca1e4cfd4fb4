/* DL/T 645-2007 in the place of a Modbus framing: a line of meters is asked, waited for and accounted as any other. The request's
 * PDU says how many words are wanted; identifier and meter stand beside it. The answer's PDU is made as that of function 3: the
 * value's bytes, the highest first, filled up in front to whole words. A refusal is made an exception. */
#include <string.h>

#include "bus/dlt645.h"
#include "bus/framing.h"

enum { READ_WORDS = 3, EXCEPTION_BIT = 0x80 };
/* Bits of a meter's error byte, and what they come to. */
enum { NO_SUCH_DATA = 2, NOT_ALLOWED = 4 };
enum { ILLEGAL_FUNCTION = 1, ILLEGAL_ADDRESS = 2, DEVICE_FAILURE = 4 };

static size_t build(const struct framing_request *request, uint8_t *out)
{
	/* Only reads: a write wants a password, and a meter is nobody's to set here. */
	if (!request->meter || request->pdu_len != 5 || request->pdu[0] != READ_WORDS)
		return 0;
	return dlt645_request(request->meter, request->identifier, out);
}

static uint8_t exception_of(uint8_t error)
{
	if (error & NO_SUCH_DATA)
		return ILLEGAL_ADDRESS;
	return error & NOT_ALLOWED ? ILLEGAL_FUNCTION : DEVICE_FAILURE;
}

static enum framing_why give_value(const struct framing_request *r, const uint8_t *value, size_t len,
				   struct framing_step *step)
{
	size_t wanted = 2 * (size_t)(r->pdu[3] << 8 | r->pdu[4]);

	/* A value of another size is not what the profile says. */
	if ((len + 1) / 2 * 2 != wanted || wanted > FRAMING_PDU_MAX - 2)
		return FRAMING_MISMATCH;
	step->pdu[0] = READ_WORDS;
	step->pdu[1] = (uint8_t)wanted;
	step->pdu[2] = 0;
	memcpy(step->pdu + 2 + (wanted - len), value, len);
	step->pdu_len = 2 + wanted;
	return FRAMING_FITS;
}

static enum framing_why take_frame(const struct framing_request *r, const struct dlt645_frame *frame,
				   struct framing_step *step)
{
	uint8_t value[DLT645_DATA_MAX], error = 0;
	size_t len = 0;

	switch (dlt645_judge(frame, r->meter, r->identifier, value, &len, &error)) {
	case DLT645_VALUE:
		return give_value(r, value, len, step);
	case DLT645_NO:
		step->pdu[0] = READ_WORDS | EXCEPTION_BIT;
		step->pdu[1] = exception_of(error);
		step->pdu_len = 2;
		return FRAMING_FITS;
	case DLT645_BAD:
		return FRAMING_MISMATCH;
	case DLT645_FOREIGN:
		break;
	}
	if (!(frame->control & DLT645_ANSWER))
		return FRAMING_ECHO;
	return memcmp(frame->station, r->meter, DLT645_STATION) != 0 ? FRAMING_FOREIGN : FRAMING_STALE;
}

static void take(const struct framing_request *request, const uint8_t *bytes, size_t len, int silent,
		 struct framing_step *step)
{
	struct dlt645_frame frame;
	size_t start = 0;

	*step = (struct framing_step){.verdict = FRAMING_MORE};
	size_t end = dlt645_find(bytes, len, &start, &frame);
	if (end) {
		step->why = take_frame(request, &frame, step);
		step->verdict = step->why == FRAMING_FITS ? FRAMING_ANSWER : FRAMING_DROP;
		step->skipped = start;
		step->used = end;
		return;
	}
	if (!silent && !start)
		return;
	step->verdict = len ? FRAMING_DROP : FRAMING_MORE;
	/* What began as a frame and will not go on was cut off. */
	step->why = silent && start < len ? FRAMING_DAMAGED : FRAMING_NOISE;
	step->used = silent ? len : start;
}

const struct framing framing_dlt645 = {"DL/T 645", build, take};
