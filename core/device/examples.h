/* Examples, what the kinds of them share. For this room only. */
#ifndef FC_DEVICE_EXAMPLES_H
#define FC_DEVICE_EXAMPLES_H

#include "device/profile.h"

/* values by point of one connector against { status = 3, power = 22000, soc = false }; expect may be NULL. FC_OK, FC_EINVAL. */
int examples_expect(const struct profile *profile, const struct point_value *values, const struct value *expect,
		    const char *path, int number, struct error *err);
/* One example of a polled CAN profile: a device is asked in simulated time. */
int examples_run_can(struct profile *profile, const struct value *example, const char *path, int number,
		     struct error *err);

#endif
