/* Fate: which points of a charger are read together, by themselves or not at all, from what it refused and from its firmware.
 * A refused block is taken apart until the culprit is found; the others are read together again. When there is none, the block was
 * too long, and none is so long again: half of it at most, and half again (chargers.md 4, rows 23 and 24). Some say that by exception 4,
 * which means a failure elsewhere: only three in a row of the same block are looked into, and no more once a lone point fails too. For
 * this room only. */
#ifndef FC_DEVICE_FATE_H
#define FC_DEVICE_FATE_H

#include "device/instance.h"

/* In device->fates beside enum plan_fate: a suspect that answered; read by itself until all suspects have. */
enum { FATE_CLEARED = 16 };

/* Before the first plan: the firmware is not known. */
void fate_begin(struct device *device);
/* A block was read; values are stored. May ask for another plan (device->replan). */
void fate_answered(struct device *device, struct plan_block *block);
/* The unit answered a block with this exception; what was read of it before is still there. */
void fate_refused(struct device *device, struct plan_block *block, uint8_t exception);
/* It answers again after it was away. What it refused long ago is tried once more: it may be another device by now. */
void fate_back(struct device *device);

#endif
