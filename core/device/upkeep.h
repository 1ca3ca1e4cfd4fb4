/* Upkeep: what a charger must be told again and again: keep-alives and setpoints. For this room only. */
#ifndef FC_DEVICE_UPKEEP_H
#define FC_DEVICE_UPKEEP_H

#include "device/instance.h"

/* The charger is new, or back: all is due, and what it refused is tried again. Setpoints with an initial value are held from the
 * first time on. */
void upkeep_begin(struct device *device, int64_t now_us);
/* Writes what is due; nothing while the charger does not answer. Tags are tag + what tells the writes of the charger apart (less than 256). When to call it again; INT64_MAX:
 * not before something else happens. No allocation. */
int64_t upkeep_run(struct device *device, struct bus_line *line, uint32_t tag, int64_t now_us);
/* The tags of before count no more: what is under way will not be told of. */
void upkeep_forget(struct device *device);
/* tag: without what upkeep_run was given. */
void upkeep_result(struct device *device, uint32_t tag, const struct bus_result *result);
/* A limit to hold: checked, and due at once. FC_OK, FC_ENOENT, FC_EINVAL. */
int upkeep_hold(struct device *device, int number, int64_t milli, struct error *err);
/* A limit that somebody else writes now; held and refreshed from now on. */
void upkeep_note(struct device *device, int number, int64_t milli, int64_t now_us);

#endif
