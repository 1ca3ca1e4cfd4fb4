/* The bus that sim-bms is on: UNIX datagrams, or SocketCAN. */
#ifndef FC_SIM_BMS_BUS_H
#define FC_SIM_BMS_BUS_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Extended data frames only. */
struct bus_frame {
	uint32_t id;
	uint8_t len;
	uint8_t data[8];
};

struct bus;
/* "datagram:OWN,PEER" (a frame is 16 bytes: identifier with SocketCAN's flag bits, big-endian; length; 3 of zero; data), "socket:can0",
 * or "log:FILE" (nobody hears it). log: every frame is written there too, as candump does; NULL: not. Ends the program when it can't. */
struct bus *bus_open(const char *where, FILE *log);
void bus_close(struct bus *bus);
/* For poll; -1: nothing is ever heard. */
int bus_fd(const struct bus *bus);
/* Frames that nobody takes are lost, as on a real bus without listeners. */
void bus_send(struct bus *bus, const struct bus_frame *frame);
/* 1 when a frame came. Does not wait. */
int bus_receive(struct bus *bus, struct bus_frame *frame);
unsigned long bus_lost(const struct bus *bus);

#endif
