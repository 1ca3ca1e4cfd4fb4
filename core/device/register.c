/* Where a point comes from, as a person finds it in the manual. */
#include <stdio.h>

#include "device/can_plan.h"
#include "device/gbt27930.h"
#include "device/instance.h"

static const char *const spaces[] = {"", "coil", "discrete", "holding", "input"};

/* The bit that a point is, or -1: it is more than one. */
static int bit_of(const struct point *p, int number)
{
	int shift = p->shift + p->shift_stride * (number > 1 ? number - 1 : 0);

	return p->mask == 1 ? shift : -1;
}

int device_register(const struct device *d, int number, int point, char out[DEVICE_REGISTER])
{
	const struct profile *profile = d->profile;
	const struct point *p = point >= 0 && point < profile->point_count ? &profile->points[point] : NULL;
	int count, bit;

	out[0] = '\0';
	if (!p)
		return FC_ENOENT;
	if (p->signal) {
		(void)snprintf(out, DEVICE_REGISTER, "%s", gbt_signals(&count)[p->signal - 1].name);
	} else if (profile->can) {
		const struct can_plan *plan = profile->can;
		int message = plan->points[point].message;

		if (!message)
			return FC_ENOENT;
		(void)snprintf(out, DEVICE_REGISTER, "CAN %s", plan->messages[message - 1].name);
	} else if (profile->dlt645) {
		(void)snprintf(out, DEVICE_REGISTER, "DL/T 645 %08X", (unsigned)p->identifier);
	} else if (p->function >= 1 && p->function <= 4) {
		bit = bit_of(p, number);
		int n = snprintf(out, DEVICE_REGISTER, "%s %u", spaces[p->function],
				 (unsigned)profile_address(profile, p, number));
		if (bit >= 0 && n > 0 && n < DEVICE_REGISTER)
			(void)snprintf(out + n, DEVICE_REGISTER - (size_t)n, ".%d", bit);
	} else {
		return FC_ENOENT;
	}
	return FC_OK;
}
