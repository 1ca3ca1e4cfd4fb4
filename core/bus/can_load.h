/* Bits that a frame takes on the bus, and how full the bus is. Pure. ISO 11898-1 (CAN 2.0): a bit is stuffed after five equal ones,
 * from the start of the frame to the end of its checksum. */
#ifndef FC_BUS_CAN_LOAD_H
#define FC_BUS_CAN_LOAD_H

#include <stdint.h>

#include "bus/can.h"

/* With its stuff bits, and the 3 bits between frames. Of a data frame 47 to 160. */
unsigned can_frame_bits(const struct can_frame *frame);

/* Counts by whole seconds of the monotonic clock. Zeroed at first. */
struct can_load {
	int64_t second; /* that bits are of */
	uint64_t bits, last, highest;
};
void can_load_add(struct can_load *load, unsigned bits, int64_t mono_us);
/* Bits of the second before the one that mono_us is in; the highest of all is in highest. */
uint64_t can_load_last(struct can_load *load, int64_t mono_us);

#endif
