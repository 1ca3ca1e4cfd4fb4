#include "bus/wire.h"

/* Unit and checksum belong to each frame. */
enum { AROUND = 3, REFUSED = 2 };

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

static int64_t time_of(const struct bus_line_config *c, unsigned bytes)
{
	int bits = 1 + c->data_bits + (c->parity != 'N') + c->stop_bits;

	/* A colon, two characters a byte (its checksum is a byte shorter), CR and LF. */
	if (c->framing == BUS_FRAMING_ASCII)
		bytes = 2 * bytes + 1;
	return c->kind == BUS_RTU && c->baud > 0 ? (int64_t)bytes * bits * 1000000 / c->baud : 0;
}

int64_t wire_us(const struct bus_line_config *c, uint8_t function, uint16_t count)
{
	return time_of(c, request_bytes(function, count) + answer_bytes(function, count) + 2 * AROUND);
}

int64_t wire_refused_us(const struct bus_line_config *c, uint8_t function, uint16_t count)
{
	return time_of(c, request_bytes(function, count) + REFUSED + 2 * AROUND);
}

int64_t wire_request_us(const struct bus_line_config *c, uint8_t function, uint16_t count)
{
	return time_of(c, request_bytes(function, count) + AROUND);
}

int64_t wire_silence_us(const struct bus_line_config *c)
{
	if (c->kind != BUS_RTU || c->baud <= 0)
		return 0;
	return c->baud > 19200 ? 1750 : (int64_t)35 * 11 * 100000 / c->baud;
}
