/* DL/T 645-2007: frames of the billing meters in Chinese chargers, on a serial line of their own (chargers.md 1b). Pure: bytes in,
 * bytes out.
 *
 *   [FE FE FE FE] 68 A0..A5 68 C L DATA.. CS 16
 *
 * A0..A5 is the meter's number of twelve digits, BCD, the lowest pair first. Each byte of DATA is 33h more on the wire than meant.
 * CS is the sum of all bytes from the first 68 on. Identifiers and values come with their lowest byte first. */
#ifndef FC_BUS_DLT645_H
#define FC_BUS_DLT645_H

#include <stddef.h>
#include <stdint.h>

enum {
	DLT645_STATION = 6,
	DLT645_DATA_MAX = 200,
	DLT645_WAKE = 4,                         /* FEh before a request */
	DLT645_FRAME_MAX = 12 + DLT645_DATA_MAX, /* from 68h on */
	DLT645_REQUEST_MAX = DLT645_WAKE + 16,   /* an identifier at most */
};

/* Control codes; an answer is the request's with bit 7, with bit 6 where the meter refuses, with bit 5 where more is to follow. */
enum {
	DLT645_READ = 0x11,
	DLT645_READ_STATION = 0x13, /* which number it has: for one meter alone on its line */
	DLT645_ANSWER = 0x80,
	DLT645_REFUSED = 0x40,
	DLT645_MORE = 0x20,
};

/* Any meter answers to this number: with one meter alone on its line. */
extern const uint8_t dlt645_anyone[DLT645_STATION];

/* "000012345678", up to 12 digits: as on the wire. FC_OK, FC_EINVAL. */
int dlt645_parse_station(const char *digits, uint8_t station[DLT645_STATION]);
/* The other way; digits has room for 13. Digits that are none become '?'. */
void dlt645_print_station(const uint8_t station[DLT645_STATION], char digits[13]);

/* A request for one identifier, wake-up bytes included, into out. Returns its length. */
size_t dlt645_request(const uint8_t station[DLT645_STATION], uint32_t identifier, uint8_t out[DLT645_REQUEST_MAX]);
/* A request for the meter's number. */
size_t dlt645_request_station(uint8_t out[DLT645_REQUEST_MAX]);

struct dlt645_frame {
	uint8_t station[DLT645_STATION];
	uint8_t control;
	uint8_t len;
	uint8_t data[DLT645_DATA_MAX]; /* as meant: without the 33h */
};

/* Looks for a whole frame in bytes[0..len). Returns its end, and *start where it begins: what is before it is noise. 0: none yet;
 * then *start is from where on it may still come, what is before can be thrown away. A 68h in noise costs only itself. */
size_t dlt645_find(const uint8_t *bytes, size_t len, size_t *start, struct dlt645_frame *frame);

enum dlt645_verdict {
	DLT645_FOREIGN, /* no answer to this: wait on */
	DLT645_VALUE,
	DLT645_NO, /* the meter says that it can't: *error is its word (bit 1: no such data; bit 2: not allowed) */
	DLT645_BAD /* an answer to it, but not of this form */
};
/* What frame is to the request for that identifier of that meter. On DLT645_VALUE the bytes of the value are in *value, as many as
 * *len says, the highest first. */
enum dlt645_verdict dlt645_judge(const struct dlt645_frame *frame, const uint8_t station[DLT645_STATION],
				 uint32_t identifier, uint8_t value[DLT645_DATA_MAX], size_t *len, uint8_t *error);

#endif
