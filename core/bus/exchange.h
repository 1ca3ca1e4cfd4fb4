/* Exchange: one request and its answer over one libmodbus context. For this room only; one thread at a time.
 *
 * libmodbus does the connecting, the framing and the waiting. On TCP it checks an answer's transaction only: of another
 * unit on a shared converter, or of another length, it takes anything (chargers.md 4, rows 4 and 6). So requests on TCP
 * are put together here, and their answers are held against unit, function and length too. */
#ifndef FC_BUS_EXCHANGE_H
#define FC_BUS_EXCHANGE_H

#include <stddef.h>

#include "bus/bus.h"

struct exchange;

/* NULL and errno when libmodbus refuses the settings. Does not connect. */
struct exchange *exchange_new(const struct bus_line_config *config);
void exchange_free(struct exchange *exchange);
/* 0, or -1 and errno. */
int exchange_connect(struct exchange *exchange);
void exchange_close(struct exchange *exchange);
/* Silence that the line wants before each request. */
int64_t exchange_silence_us(const struct exchange *exchange);
/* Throws away what has come in unasked (a late answer must never be taken for the next one's); bytes thrown away. */
int exchange_flush(struct exchange *exchange);
/* Words (or bits, one a word) are filled only on BUS_OK; *exception only on BUS_EXCEPTION. */
enum bus_status exchange_read(struct exchange *exchange, const struct bus_read *read, int64_t timeout_us,
			      uint16_t words[BUS_WORDS_MAX], uint8_t *exception);
enum bus_status exchange_write(struct exchange *exchange, const struct bus_write *write, int64_t timeout_us,
			       uint8_t *exception);
/* The reason of the last failed exchange_connect, in words for someone on site. */
void exchange_connect_error(const struct exchange *exchange, int code, char *out, size_t size);

#endif
