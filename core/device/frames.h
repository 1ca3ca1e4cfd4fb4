/* Frames: an example of a CAN device's profile, played to an agent of its own. For this room only. */
#ifndef FC_DEVICE_FRAMES_H
#define FC_DEVICE_FRAMES_H

#include "device/profile.h"

enum { FRAMES_MAX = 1000, FRAMES_STEP_US = 10000 };

/* Plays example.frames, a list of frames as can-utils write them ("1826F456#010100", an identifier of 3 or 8 digits), 10 ms apart, to
 * an agent on a port that is up. values[] by point, of example.connector (1); unit is example.unit (1). Frames that the agent sends go
 * nowhere. FC_OK, or *err "file: examples[1].frames[2]: what is wrong". */
int frames_run(struct profile *profile, const struct value *example, const char *path, int number,
	       struct point_value *values, struct error *err);

#endif
