#include "bus/wire.h"

/* Unit and checksum belong to each frame. */
enum { AROUND = 3, REFUSED = 2 };
/* DL/T 645: a request, and what an answer has beside its value or its error byte; each with four bytes to wake up. */
enum { METER_REQUEST = 20, METER_ANSWER = 20, METER_REFUSED = 17, METER_SILENCE_US = 20000 };

static unsigned request_bytes(uint8_t function, uint16_t count)
{
	switch (function) {
	case 15:
		return 6u + (count + 7u) / 8;
	case 16:
		return 6u + 2u * count;
	default:
		return 5;
	}
}

static unsigned answer_bytes(uint8_t function, uint16_t count)
{
	switch (function) {
	case 1:
	case 2:
		return 2u + (count + 7u) / 8;
	case 3:
	case 4:
		return 2u + 2u * count;
	default:
		return 5;
	}
}

int64_t wire_bytes_us(const struct bus_line_config *c, size_t bytes)
{
	int bits = 1 + c->data_bits + (c->parity != 'N') + c->stop_bits;

	return c->kind == BUS_RTU && c->baud > 0 ? (int64_t)bytes * bits * 1000000 / c->baud : 0;
}

static int64_t time_of(const struct bus_line_config *c, unsigned bytes)
{
	/* A colon, two characters a byte (its checksum is a byte shorter), CR and LF. */
	return wire_bytes_us(c, c->framing == BUS_FRAMING_ASCII ? 2 * bytes + 1 : bytes);
}

int64_t wire_us(const struct bus_line_config *c, uint8_t function, uint16_t count)
{
	if (c->framing == BUS_FRAMING_DLT645)
		return time_of(c, METER_REQUEST + METER_ANSWER + 2u * count);
	return time_of(c, request_bytes(function, count) + answer_bytes(function, count) + 2 * AROUND);
}

int64_t wire_refused_us(const struct bus_line_config *c, uint8_t function, uint16_t count)
{
	if (c->framing == BUS_FRAMING_DLT645)
		return time_of(c, METER_REQUEST + METER_REFUSED);
	return time_of(c, request_bytes(function, count) + REFUSED + 2 * AROUND);
}

int64_t wire_request_us(const struct bus_line_config *c, uint8_t function, uint16_t count)
{
	if (c->framing == BUS_FRAMING_DLT645)
		return time_of(c, METER_REQUEST);
	return time_of(c, request_bytes(function, count) + AROUND);
}

int64_t wire_silence_us(const struct bus_line_config *c)
{
	int64_t silence = 0;

	if (c->kind == BUS_RTU)
		silence = c->baud > 19200 || c->baud <= 0 ? 1750 : (int64_t)35 * 11 * 100000 / c->baud;
	return c->framing == BUS_FRAMING_DLT645 && silence < METER_SILENCE_US ? METER_SILENCE_US : silence;
}
