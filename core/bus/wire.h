/* Wire: how long a request and its answer take on a serial line. Pure. For this room only. */
#ifndef FC_BUS_WIRE_H
#define FC_BUS_WIRE_H

#include <stddef.h>

#include "bus/bus.h"

/* Bits of request and answer with start, parity and stop bits; 0 on TCP. */
int64_t wire_us(const struct bus_line_config *config, uint8_t function, uint16_t count);
/* Of an answer without data: an exception. */
int64_t wire_refused_us(const struct bus_line_config *config, uint8_t function, uint16_t count);
/* Of the request alone: nobody answered. */
int64_t wire_request_us(const struct bus_line_config *config, uint8_t function, uint16_t count);
/* Of so many bytes. */
int64_t wire_bytes_us(const struct bus_line_config *config, size_t bytes);
/* Silence between two frames. Serial lines: t3.5, 3.5 characters of 11 bits up to 19200 baud, then 1.75 ms ("Modbus over serial line"
 * V1.02, 2.5.1.1). DL/T 645: 20 ms at least, by whatever way. Else 0. */
int64_t wire_silence_us(const struct bus_line_config *config);

#endif
