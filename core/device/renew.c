/* A charger that gets another profile while it runs: what both describe alike goes on as it is. */
#include <string.h>

#include "base/clock.h"
#include "device/instance.h"

static int same_point(const struct profile *a, const struct point *x, const struct profile *b, const struct point *y)
{
	if (x->type != y->type || x->function != y->function || x->address != y->address || x->words != y->words)
		return 0;
	if (x->low_first != y->low_first || x->swap != y->swap || x->shared != y->shared || x->shift != y->shift ||
	    x->mask != y->mask || x->has_range != y->has_range || x->invalid_count != y->invalid_count)
		return 0;
	/* The very same numbers of two files, or none. */
	if (memcmp(&x->scale, &y->scale, sizeof(double)) != 0 || memcmp(&x->offset, &y->offset, sizeof(double)) != 0 ||
	    memcmp(&x->min, &y->min, sizeof(double)) != 0 || memcmp(&x->max, &y->max, sizeof(double)) != 0 ||
	    memcmp(x->invalid, y->invalid, sizeof(x->invalid)) != 0)
		return 0;
	return x->shared || a->stride == b->stride;
}

static void keep_values(const struct device *from, struct device *to)
{
	const struct profile *old = from->profile, *fresh = to->profile;

	for (int p = 0; p < fresh->point_count; p++) {
		int before = profile_point(old, fresh->points[p].name);

		if (before < 0 || !same_point(old, &old->points[before], fresh, &fresh->points[p]))
			continue;
		for (int n = 0; n < to->highest; n++)
			to->values[(size_t)n * DEVICE_POINTS_MAX + (size_t)p] =
			    from->values[(size_t)n * DEVICE_POINTS_MAX + (size_t)before];
	}
}

void device_renew(struct device *device, struct device *fresh)
{
	struct profile *profile = device->profile;
	struct point_value *values = device->values;
	struct plan plan = device->plan;

	keep_values(device, fresh);
	device->profile = fresh->profile;
	device->values = fresh->values;
	device->plan = fresh->plan;
	fresh->profile = profile;
	fresh->values = values;
	fresh->plan = plan;
	device->held_until_us = device->profile->status.point >= 0
				    ? clock_mono_us() + device_good_for_us(device, device->profile->status.point)
				    : 0;
}
