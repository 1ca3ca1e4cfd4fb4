/* The chargers' line of world.h, for world.c only. */
#ifndef FUZZ_WORLD_BUS_H
#define FUZZ_WORLD_BUS_H

#include "device/device.h"

/* All registers of all units are zero again. */
void world_bus_clear(void);
/* Answers all reads of all lines, and the writes and reads that wait. */
void world_bus_answer(struct device_set *devices);

#endif
