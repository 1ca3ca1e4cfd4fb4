/* Keep: the part of a configuration that this room needs again when only profiles are reloaded. device_set_apply
 * borrows its configuration for the time of the call, so what is kept is copied. For this room only. */
#ifndef FC_DEVICE_KEEP_H
#define FC_DEVICE_KEEP_H

#include "config/config.h"

/* A copy of the buses, of name, bus, unit, profile and poll_ms of the chargers and devices, and of charger,
 * number, meter and BMS of the connectors; all else is zero. NULL when there is no memory. Free with keep_free. */
struct config *keep_config(const struct config *config);
void keep_free(struct config *kept);

#endif
