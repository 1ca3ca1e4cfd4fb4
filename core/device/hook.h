/* Hook: the Lua function that works out a point's value, run on the loop's thread. For this room only. */
#ifndef FC_DEVICE_HOOK_H
#define FC_DEVICE_HOOK_H

#include "device/profile.h"

enum { HOOK_INSTRUCTIONS = 5000, HOOK_TIME_MS = 20 };

/* hook(raw, get, connector) of points[place]: raw is v (a list of the registers for a point of type raw), get(name) another
 * point's value of the same connector, or nil. FC_OK: v is what it returned. FC_ENOENT: it returned nil, the value is unknown.
 * FC_ESCRIPT: it failed; counted, and told to the log at most once a minute. */
int hook_run(struct profile *profile, int place, const uint16_t *words, int number, const struct point_value *values,
	     struct point_value *v);

#endif
