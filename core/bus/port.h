/* Port: the descriptor of a line: opened by libmodbus, written and read here. For this room only; one thread at a time. */
#ifndef FC_BUS_PORT_H
#define FC_BUS_PORT_H

#include <stddef.h>

#include "bus/bus.h"

struct port;

/* NULL and errno when libmodbus refuses the settings. Does not connect. config is borrowed until port_free. */
struct port *port_new(const struct bus_line_config *config);
void port_free(struct port *port);
/* Waits as long as config->connect_timeout_ms. 0, or -1 and errno. */
int port_open(struct port *port);
/* What has not been sent yet is thrown away: it would reach the device as an old command (peers.md, row 12). */
void port_close(struct port *port);
/* All of it, or -1 and errno: then the line is broken. */
int port_send(struct port *port, const uint8_t *bytes, size_t len);
/* Bytes there now, 0 = none, -1 and errno = the line is broken (the peer closed it, the adapter was pulled out). */
int port_read(struct port *port, uint8_t *bytes, size_t size);
/* 1 when there is something to read, 0 at the time until_us (monotonic). */
int port_wait(struct port *port, int64_t until_us);
/* The reason why port_open failed, in words for someone on site. */
void port_error(const struct port *port, int code, char *out, size_t size);

#endif
