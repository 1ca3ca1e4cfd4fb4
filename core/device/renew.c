/* A charger that gets another profile while it runs: what both describe alike goes on as it is. */
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "device/cap.h"
#include "device/instance.h"
#include "device/seat.h"
#include "device/upkeep.h"

static int same_number(double a, double b)
{
	return a <= b && a >= b;
}

static int same_point(const struct profile *a, const struct point *x, const struct profile *b, const struct point *y)
{
	if (x->signal != y->signal || a->agent != b->agent || a->agent)
		return 0;
	if (x->type != y->type || x->function != y->function || x->address != y->address || x->words != y->words)
		return 0;
	if (x->low_first != y->low_first || x->swap != y->swap || x->shared != y->shared || x->shift != y->shift ||
	    x->mask != y->mask || x->has_range != y->has_range || x->invalid_count != y->invalid_count)
		return 0;
	if (!same_number(x->scale, y->scale) || !same_number(x->offset, y->offset) || !same_number(x->min, y->min) ||
	    !same_number(x->max, y->max) || memcmp(x->invalid, y->invalid, sizeof(x->invalid)) != 0)
		return 0;
	/* What depends on others, or is put together by the file, is worked out anew. */
	if (x->hook || y->hook || x->valid[0] || y->valid[0] || x->decimals_from || y->decimals_from ||
	    x->scale_from[0] || y->scale_from[0] || x->variants || y->variants || x->type == POINT_BITS)
		return 0;
	if (x->permuted != y->permuted || memcmp(x->order, y->order, sizeof(x->order)) != 0 ||
	    x->encoding != y->encoding || x->skip != y->skip || x->chars != y->chars ||
	    x->shift_stride != y->shift_stride || x->has_unit_id != y->has_unit_id || x->unit_id != y->unit_id ||
	    a->unit_stride != b->unit_stride)
		return 0;
	for (int n = 1; n <= PROFILE_CONNECTORS_MAX && !x->shared; n++)
		if (profile_address(a, x, n) != profile_address(b, y, n))
			return 0;
	return 1;
}

static void keep_values(const struct device *from, struct device *to)
{
	const struct profile *old = from->profile, *fresh = to->profile;

	for (int p = 0; p < fresh->point_count; p++) {
		int before = profile_point(old, fresh->points[p].name);

		if (before < 0 || !same_point(old, &old->points[before], fresh, &fresh->points[p]))
			continue;
		for (int n = 0; n < to->highest; n++)
			device_values(to, n + 1)[p] = device_values(from, n + 1)[before];
	}
}

/* 32 A are not 32 kW. */
static void drop_limits(struct device *d, const struct profile *before)
{
	if (!strcmp(d->profile->setpoint.form.unit, before->setpoint.form.unit))
		return;
	cap_drop(d);
	for (int i = 0; i < d->connectors; i++) {
		struct device_connector *c = device_connector(d, d->numbers[i]);

		if (c->is_held)
			log_warning("device: %s: connector %d: its limit was in %s and is held no more", d->name,
				    d->numbers[i], before->setpoint.form.unit);
		c->is_held = 0;
	}
}

void device_renew(struct device *device, struct device *fresh)
{
	struct profile *profile = device->profile;
	struct point_value *values = device->values;
	struct plan plan = device->plan;
	struct seat *seat = device->seat;

	keep_values(device, fresh);
	device->profile = fresh->profile;
	device->values = fresh->values;
	device->plan = fresh->plan;
	fresh->profile = profile;
	fresh->values = values;
	fresh->plan = plan;
	device->seat = fresh->seat;
	fresh->seat = seat;
	seat_move(device->seat, device);
	seat_move(fresh->seat, fresh);
	seat_take_over(device->seat, fresh->seat);
	drop_limits(device, fresh->profile);
	/* What it refused of the old registers says nothing of the new ones; the plan was made for an unknown firmware. */
	memcpy(device->fates, fresh->fates, plan_fates(device->highest));
	device->suspects = device->culprits = device->replan = device->has_version = 0;
	device->left_out_us = 0;
	device->by_failure = 0;
	device->uptime = fresh->uptime;
	device->age = fresh->age;
	upkeep_begin(device, clock_mono_us());
	device->held_until_us = device->profile->status.point >= 0
				    ? clock_mono_us() + device_good_for_us(device, device->profile->status.point)
				    : 0;
}
