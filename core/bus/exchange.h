/* Exchange: one request and its answer. For this room only; one thread at a time.
 *
 * Sends through the port, and takes from whatever comes back the answer that fits (framing.h). The answer's first byte may take
 * the response time-out, counted from the request's last byte on the wire; from then on the byte time-out counts (chargers.md 4,
 * row 9). What is not the answer is thrown away and counted, and waiting goes on: stale answers, frames of other units, echoes. */
#ifndef FC_BUS_EXCHANGE_H
#define FC_BUS_EXCHANGE_H

#include <stddef.h>

#include "bus/bus.h"

struct exchange;

/* What a frame was, told to the tap; bits. */
enum { EXCHANGE_SENT = 1, EXCHANGE_DROPPED = 2, EXCHANGE_ECHO = 4 };

/* What was thrown away since the exchange was made. */
struct exchange_counts {
	uint64_t stale;   /* answers to older requests, or to other ones */
	uint64_t foreign; /* frames of other units or masters */
	uint64_t damaged; /* answers that were torn or had a bad checksum */
	uint64_t noise;   /* bytes */
	uint64_t echoes;
};

/* NULL and errno when libmodbus refuses the settings. Does not connect. config is borrowed until exchange_free. */
struct exchange *exchange_new(const struct bus_line_config *config);
void exchange_free(struct exchange *exchange);
/* tap is called on the worker's thread once for each frame as it was on the wire; flags 0 = the answer received. */
void exchange_set_tap(struct exchange *exchange, void (*tap)(void *user, int flags, const uint8_t *bytes, size_t len),
		      void *user);
/* sent is called when a request is on its way, before its answer is waited for: the time is free for what has to be done anyway. */
void exchange_set_sent(struct exchange *exchange, void (*sent)(void *user), void *user);
/* 0, or -1 and errno. */
int exchange_connect(struct exchange *exchange);
void exchange_close(struct exchange *exchange);
/* Silence that the line wants before each request. */
int64_t exchange_silence_us(const struct exchange *exchange);
/* When the last byte was on the wire, ours or theirs (monotonic; of a request it may be in the future). */
int64_t exchange_quiet_since_us(const struct exchange *exchange);
/* Throws away what has come in unasked (a late answer must never be taken for the next one's); bytes thrown away, some 16 kB at most
 * in one call. Modbus/TCP needs none: what is stale is told by its transaction. */
int exchange_flush(struct exchange *exchange);
/* Words (or bits, one a word) are filled only on BUS_OK; *exception only on BUS_EXCEPTION. */
enum bus_status exchange_read(struct exchange *exchange, const struct bus_read *read, int64_t timeout_us,
			      uint16_t words[BUS_WORDS_MAX], uint8_t *exception);
enum bus_status exchange_write(struct exchange *exchange, const struct bus_write *write, int64_t timeout_us,
			       uint8_t *exception);
/* Nonzero when only a new connection brings the line back in step: bytes that are no Modbus, or answers that stay behind their
 * requests (chargers.md 4, rows 1 and 2). */
int exchange_is_out_of_step(const struct exchange *exchange);
void exchange_get_counts(const struct exchange *exchange, struct exchange_counts *counts);
/* The reason of the last failed exchange_connect, in words for someone on site. */
void exchange_connect_error(const struct exchange *exchange, int code, char *out, size_t size);

#endif
