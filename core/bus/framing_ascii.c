/* Modbus ASCII: a colon, unit, PDU and LRC as two hexadecimal digits a byte, CR, LF. Capital letters are sent, small ones taken.
 * With seven data bits or eight: the characters are the same. */
#include <string.h>

#include "bus/framing.h"

enum { BYTES_MAX = FRAMING_PDU_MAX + 2 };

static const char digits[] = "0123456789ABCDEF";

static uint8_t *put_byte(uint8_t *at, unsigned byte)
{
	at[0] = (uint8_t)digits[byte >> 4 & 15];
	at[1] = (uint8_t)digits[byte & 15];
	return at + 2;
}

static size_t build(const struct framing_request *request, uint8_t *out)
{
	uint8_t *at = out;
	unsigned sum = request->unit;

	if (!request->pdu_len || request->pdu_len > FRAMING_PDU_MAX)
		return 0;
	*at++ = ':';
	at = put_byte(at, request->unit);
	for (size_t i = 0; i < request->pdu_len; i++) {
		at = put_byte(at, request->pdu[i]);
		sum += request->pdu[i];
	}
	at = put_byte(at, 0u - sum);
	*at++ = '\r';
	*at++ = '\n';
	return (size_t)(at - out);
}

static int digit(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

enum { MORE = -1 };

/* What follows a colon. The bytes go into out, the LRC too, their number into *count. The characters that the frame takes; or
 * MORE. *good: it is whole and its LRC is right. */
static int decode(const uint8_t *text, size_t len, uint8_t *out, size_t *count, int *good)
{
	unsigned sum = 0;
	size_t at = 0;

	*good = 0;
	for (*count = 0; at < len; at += 2) {
		int is_pair = at + 1 < len;

		if (is_pair && text[at] == '\r' && text[at + 1] == '\n') {
			/* The LRC makes the sum of all bytes 0. */
			*good = *count >= 3 && (sum & 0xFF) == 0;
			return (int)at + 2;
		}
		if (text[at] == '\r' && !is_pair)
			return MORE;
		/* Whatever spoils a frame belongs to it, but for a colon: that begins the next one. */
		if (digit(text[at]) < 0 || *count == BYTES_MAX)
			return (int)at + (text[at] != ':');
		if (!is_pair)
			return MORE;
		if (digit(text[at + 1]) < 0)
			return (int)at + 1 + (text[at + 1] != ':');
		out[*count] = (uint8_t)(digit(text[at]) << 4 | digit(text[at + 1]));
		sum += out[(*count)++];
	}
	return MORE;
}

static void take_frame(const struct framing_request *r, const uint8_t *text, const uint8_t *frame, size_t count,
		       struct framing_step *step)
{
	size_t size = step->used - step->skipped;
	int is_sent = r->adu && size == r->adu_len && !memcmp(text, r->adu, size);

	step->verdict = FRAMING_DROP;
	if (r->echo && is_sent) {
		step->why = FRAMING_ECHO;
		return;
	}
	if (frame[0] != r->unit) {
		step->why = FRAMING_FOREIGN;
		return;
	}
	step->why = framing_fits(r, frame + 1, count - 1);
	if (step->why == FRAMING_FITS) {
		step->verdict = FRAMING_ANSWER;
		step->pdu_len = count - 1;
		memcpy(step->pdu, frame + 1, count - 1);
	} else if (is_sent) {
		step->why = FRAMING_ECHO;
	}
}

static void take(const struct framing_request *request, const uint8_t *bytes, size_t len, int silent,
		 struct framing_step *step)
{
	const uint8_t *colon = len ? memchr(bytes, ':', len) : NULL;
	uint8_t frame[BYTES_MAX];
	size_t count;
	int good;

	*step = (struct framing_step){.verdict = FRAMING_MORE, .why = FRAMING_NOISE};
	step->skipped = colon ? (size_t)(colon - bytes) : len;
	step->used = step->skipped;
	if (colon) {
		int used = decode(colon + 1, len - step->skipped - 1, frame, &count, &good);

		if (used != MORE || silent)
			step->used = used == MORE ? len : step->skipped + 1 + (size_t)used;
		if (good) {
			take_frame(request, colon, frame, count - 1, step);
			return;
		}
		if (step->used > step->skipped && count && frame[0] == request->unit)
			step->why = FRAMING_DAMAGED;
	}
	if (step->used)
		step->verdict = FRAMING_DROP;
}

const struct framing framing_ascii = {"Modbus ASCII", build, take};
