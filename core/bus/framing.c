#include "bus/framing.h"

#include <string.h>

enum { EXCEPTION_BIT = 0x80 };

const char *framing_why_name(enum framing_why why)
{
	switch (why) {
	case FRAMING_FITS:
		return "answer";
	case FRAMING_STALE:
		return "stale answer";
	case FRAMING_FOREIGN:
		return "foreign frame";
	case FRAMING_MISMATCH:
		return "mismatched answer";
	case FRAMING_DAMAGED:
		return "damaged answer";
	case FRAMING_NOISE:
		return "noise";
	case FRAMING_ECHO:
		return "echo";
	}
	return "unknown";
}

static int has_count_byte(const struct framing_request *request, const uint8_t *pdu, size_t len)
{
	if (len < 2 || len != 2u + pdu[1] || request->pdu_len < 5)
		return 0;
	unsigned asked = (unsigned)(request->pdu[3] << 8 | request->pdu[4]);
	unsigned want = request->pdu[0] <= 2 ? (asked + 7) / 8 : 2 * asked;
	return pdu[1] == want || (request->longer && request->pdu[0] > 2 && pdu[1] > want && pdu[1] % 2 == 0);
}

enum framing_why framing_fits(const struct framing_request *request, const uint8_t *pdu, size_t len)
{
	if (len < 2 || !request->pdu_len)
		return FRAMING_MISMATCH;
	uint8_t function = request->pdu[0];
	int fits = 0;
	if (pdu[0] == (function | EXCEPTION_BIT))
		fits = len == 2 && pdu[1] != 0;
	else if (pdu[0] != function)
		fits = 0;
	else if (function <= 4)
		fits = has_count_byte(request, pdu, len);
	else
		/* A write's answer repeats address and value, or address and count. */
		fits = len == 5 && request->pdu_len >= 5 && !memcmp(pdu, request->pdu, 5);
	return fits ? FRAMING_FITS : FRAMING_MISMATCH;
}

/* With a byte count at place at, which follows head bytes in all. */
static int counted(const uint8_t *pdu, size_t len, size_t at, int head)
{
	return len > at ? head + pdu[at] : 0;
}

int framing_answer_len(const uint8_t *pdu, size_t len)
{
	if (!len)
		return 0;
	if (pdu[0] & EXCEPTION_BIT)
		return 2;
	switch (pdu[0]) {
	case 1:
	case 2:
	case 3:
	case 4:
	case 12:
	case 17:
	case 20:
	case 21:
	case 23:
		return counted(pdu, len, 1, 2);
	case 5:
	case 6:
	case 8:
	case 11:
	case 15:
	case 16:
		return 5;
	case 7:
		return 2;
	case 22:
		return 7;
	default:
		return -1;
	}
}

int framing_request_len(const uint8_t *pdu, size_t len)
{
	if (!len)
		return 0;
	switch (pdu[0]) {
	case 1:
	case 2:
	case 3:
	case 4:
	case 5:
	case 6:
	case 8:
		return 5;
	case 7:
	case 11:
	case 12:
	case 17:
		return 1;
	case 15:
	case 16:
		return counted(pdu, len, 5, 6);
	case 20:
	case 21:
		return counted(pdu, len, 1, 2);
	case 22:
		return 7;
	case 23:
		return counted(pdu, len, 9, 10);
	default:
		return -1;
	}
}
