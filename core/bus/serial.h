/* Serial: what a serial port needs beyond libmodbus's opening of it: RS-485 by the kernel's mode, by RTS where that must be, and a
 * transmitter that is known to be empty. For this room only; one thread at a time.
 *
 * RTS moved from user space is late by whatever the scheduler likes (chargers.md 4, row 14: 75 us lost the answer's first byte,
 * 10 ms its head), so the driver's own mode is preferred. Most USB adapters have none and turn round by themselves (row 15). */
#ifndef FC_BUS_SERIAL_H
#define FC_BUS_SERIAL_H

#include <stddef.h>

#include "bus/bus.h"

enum serial_turn {
	SERIAL_TURN_NONE,   /* nobody, or the adapter by itself */
	SERIAL_TURN_KERNEL, /* the driver */
	SERIAL_TURN_RTS,    /* we, by RTS */
};

/* Sets the port up for config->rs485 and logs what came of it when told to. A driver that can't is no error. */
enum serial_turn serial_set_rs485(int fd, const struct bus_line_config *config, int say);
/* Sends with RTS on from rts_before_us before the first bit to rts_after_us after the last. 0, or -1 and errno. */
int serial_send_by_rts(int fd, const struct bus_line_config *config, const uint8_t *bytes, size_t len);

#endif
