/* Verify: a limit that the charger accepted is looked for where it can be read back (setpoint.verify): a firmware update may make a
 * register read-only that confirms every write (chargers.md 4, row 29). From an accepted write on the charger has verify_ms; what
 * is read after that and is another value gets the limit written once more, then it is told to the log, once until it fits again.
 * Values that are not GOOD say nothing. For this room only. */
#ifndef FC_DEVICE_VERIFY_H
#define FC_DEVICE_VERIFY_H

#include "device/instance.h"

/* The charger is new, or back: nothing is known. */
void verify_begin(struct device *device);
/* Another limit is held: what was under way says nothing of it. */
void verify_limit(struct device *device, int number);
/* The charger accepted milli at that time. */
void verify_written(struct device *device, int number, int64_t milli, int64_t now_us);
/* Looks at what was read. Nonzero when a limit is to be written again: its setpoint is due. No allocation. */
int verify_look(struct device *device, int64_t now_us);

#endif
