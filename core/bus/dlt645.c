#include "bus/dlt645.h"

#include <string.h>

#include "base/error.h"

enum { START = 0x68, END = 0x16, WAKE = 0xFE, OFFSET = 0x33, WILD = 0xAA };
/* Bytes before the data and behind it. */
enum { HEAD = 10, TAIL = 2, IDENTIFIER = 4, SECOND_START = 7, CONTROL = 8, LENGTH = 9 };

const uint8_t dlt645_anyone[DLT645_STATION] = {WILD, WILD, WILD, WILD, WILD, WILD};

int dlt645_parse_station(const char *digits, uint8_t station[DLT645_STATION])
{
	size_t len = strspn(digits, "0123456789");

	if (!len || digits[len] || len > 2 * DLT645_STATION)
		return FC_EINVAL;
	memset(station, 0, DLT645_STATION);
	for (size_t i = 0; i < len; i++) {
		unsigned digit = (unsigned)(digits[len - 1 - i] - '0');

		station[i / 2] |= (uint8_t)(digit << (i % 2 * 4));
	}
	return FC_OK;
}

void dlt645_print_station(const uint8_t station[DLT645_STATION], char digits[13])
{
	for (int i = 0; i < 2 * DLT645_STATION; i++) {
		unsigned digit = (unsigned)station[DLT645_STATION - 1 - i / 2] >> (i % 2 ? 0 : 4) & 0xF;

		digits[i] = (char)(digit <= 9 ? '0' + (int)digit : '?');
	}
	digits[2 * DLT645_STATION] = '\0';
}

static size_t put_request(const uint8_t *station, uint8_t control, const uint8_t *data, size_t len, uint8_t *out)
{
	uint8_t *frame = out + DLT645_WAKE;
	unsigned sum = 0;

	memset(out, WAKE, DLT645_WAKE);
	frame[0] = frame[SECOND_START] = START;
	memcpy(frame + 1, station, DLT645_STATION);
	frame[CONTROL] = control;
	frame[LENGTH] = (uint8_t)len;
	for (size_t i = 0; i < len; i++)
		frame[HEAD + i] = (uint8_t)(data[i] + OFFSET);
	for (size_t i = 0; i < HEAD + len; i++)
		sum += frame[i];
	frame[HEAD + len] = (uint8_t)sum;
	frame[HEAD + len + 1] = END;
	return DLT645_WAKE + HEAD + len + TAIL;
}

static void put_identifier(uint32_t identifier, uint8_t out[IDENTIFIER])
{
	for (int i = 0; i < IDENTIFIER; i++)
		out[i] = (uint8_t)(identifier >> 8 * i);
}

size_t dlt645_request(const uint8_t station[DLT645_STATION], uint32_t identifier, uint8_t out[DLT645_REQUEST_MAX])
{
	uint8_t data[IDENTIFIER];

	put_identifier(identifier, data);
	return put_request(station, DLT645_READ, data, sizeof(data), out);
}

size_t dlt645_request_station(uint8_t out[DLT645_REQUEST_MAX])
{
	return put_request(dlt645_anyone, DLT645_READ_STATION, NULL, 0, out);
}

/* 1: a frame of *whole bytes; 0: may become one; -1: none begins here. */
static int look_at(const uint8_t *bytes, size_t len, size_t *whole)
{
	unsigned sum = 0;

	if (bytes[0] != START || (len > SECOND_START && bytes[SECOND_START] != START) ||
	    (len > LENGTH && bytes[LENGTH] > DLT645_DATA_MAX))
		return -1;
	if (len <= LENGTH || len < (size_t)HEAD + bytes[LENGTH] + TAIL)
		return 0;
	size_t end = (size_t)HEAD + bytes[LENGTH];
	for (size_t i = 0; i < end; i++)
		sum += bytes[i];
	if (bytes[end] != (uint8_t)sum || bytes[end + 1] != END)
		return -1;
	*whole = end + TAIL;
	return 1;
}

size_t dlt645_find(const uint8_t *bytes, size_t len, size_t *start, struct dlt645_frame *frame)
{
	size_t whole = 0, first_open = len;

	for (size_t at = 0; at < len; at++) {
		int found = look_at(bytes + at, len - at, &whole);

		/* A whole one behind what only might become one is one for certain: its checksum is right. */
		if (!found && first_open == len)
			first_open = at;
		if (found <= 0)
			continue;
		const uint8_t *f = bytes + at;
		memcpy(frame->station, f + 1, DLT645_STATION);
		frame->control = f[CONTROL];
		frame->len = f[LENGTH];
		for (size_t i = 0; i < frame->len; i++)
			frame->data[i] = (uint8_t)(f[HEAD + i] - OFFSET);
		*start = at;
		return at + whole;
	}
	*start = first_open;
	return 0;
}

enum dlt645_verdict dlt645_judge(const struct dlt645_frame *frame, const uint8_t station[DLT645_STATION],
				 uint32_t identifier, uint8_t value[DLT645_DATA_MAX], size_t *len, uint8_t *error)
{
	uint8_t wanted[IDENTIFIER];

	/* One's own request, heard back, has no ANSWER in it. */
	if ((frame->control & ~(DLT645_REFUSED | DLT645_MORE)) != (DLT645_READ | DLT645_ANSWER))
		return DLT645_FOREIGN;
	if (memcmp(station, dlt645_anyone, DLT645_STATION) != 0 && memcmp(frame->station, station, DLT645_STATION) != 0)
		return DLT645_FOREIGN;
	if (frame->control & DLT645_REFUSED) {
		if (frame->len != 1)
			return DLT645_BAD;
		*error = frame->data[0];
		return DLT645_NO;
	}
	put_identifier(identifier, wanted);
	if (frame->len < IDENTIFIER)
		return DLT645_BAD;
	/* A late answer to the question before. */
	if (memcmp(frame->data, wanted, IDENTIFIER) != 0)
		return DLT645_FOREIGN;
	if (frame->len == IDENTIFIER)
		return DLT645_BAD;
	*len = (size_t)frame->len - IDENTIFIER;
	for (size_t i = 0; i < *len; i++)
		value[i] = frame->data[frame->len - 1 - i];
	return DLT645_VALUE;
}
