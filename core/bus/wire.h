/* Wire: how long a request and its answer take on a serial line. Pure. For this room only. */
#ifndef FC_BUS_WIRE_H
#define FC_BUS_WIRE_H

#include "bus/bus.h"

/* Bits of request and answer with start, parity and stop bits; 0 on TCP. */
int64_t wire_us(const struct bus_line_config *config, uint8_t function, uint16_t count);
/* Of an answer without data: an exception. */
int64_t wire_refused_us(const struct bus_line_config *config, uint8_t function, uint16_t count);
/* Of the request alone: nobody answered. */
int64_t wire_request_us(const struct bus_line_config *config, uint8_t function, uint16_t count);
/* t3.5: silence that ends a frame; fixed above 19200 baud ("Modbus over serial line" V1.02, 2.5.1.1). 0 on TCP. */
int64_t wire_silence_us(const struct bus_line_config *config);

#endif
