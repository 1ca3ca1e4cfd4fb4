/* One charger: its points' values with quality and age, what a result does to them. */
#include "device/instance.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "device/decode.h"

/* A value is GOOD for so many periods, but at least this long. */
enum { GOOD_PERIODS = 3 };
static const int64_t good_shortest_us = 3000000;

struct device *device_new(const char *name, struct profile *profile, const int *numbers, int connectors,
			  uint32_t poll_ms, uint8_t unit)
{
	struct device *d = calloc(1, sizeof(*d));

	if (!d)
		return NULL;
	(void)snprintf(d->name, sizeof(d->name), "%s", name);
	d->profile = profile;
	d->unit = unit;
	d->connectors = connectors;
	memcpy(d->numbers, numbers, (size_t)connectors * sizeof(int));
	for (int i = 0; i < connectors; i++)
		d->highest = numbers[i] > d->highest ? numbers[i] : d->highest;
	d->values = calloc((size_t)d->highest * DEVICE_POINTS_MAX, sizeof(*d->values));
	if (!d->values || plan_make(profile, numbers, connectors, poll_ms, &d->plan)) {
		device_free(d);
		return NULL;
	}
	d->poll_ms = poll_ms;
	return d;
}

void device_free(struct device *d)
{
	if (!d)
		return;
	plan_fini(&d->plan);
	free(d->values);
	free(d);
}

static struct point_value *value_at(const struct device *d, int number, int point)
{
	return &d->values[(size_t)(number - 1) * DEVICE_POINTS_MAX + (size_t)point];
}

static void store(struct device *d, const struct plan_item *item, const struct point_value *value)
{
	if (item->number) {
		*value_at(d, item->number, item->point) = *value;
		return;
	}
	for (int i = 0; i < d->connectors; i++)
		*value_at(d, d->numbers[i], item->point) = *value;
}

static void forget_all(struct device *d)
{
	for (int i = 0; i < d->connectors; i++)
		for (int p = 0; p < d->profile->point_count; p++)
			value_at(d, d->numbers[i], p)->quality = QUALITY_UNKNOWN;
}

static void take_words(struct device *d, const struct plan_block *block, const struct bus_result *r)
{
	for (uint32_t i = 0; i < block->items; i++) {
		const struct plan_item *item = &d->plan.items[block->first_item + i];
		const struct point *point = &d->profile->points[item->point];
		struct point_value value = {.mono_us = r->mono_us};

		if (item->offset + point->words > r->count)
			continue;
		if (!decode_point(point, r->words + item->offset, &value))
			value.quality = QUALITY_GOOD;
		store(d, item, &value);
	}
}

/* The device said that it has no such registers: what was known of them is known no longer. */
static void forget_block(struct device *d, const struct plan_block *block)
{
	static const struct point_value unknown = {.quality = QUALITY_UNKNOWN};

	for (uint32_t i = 0; i < block->items; i++)
		store(d, &d->plan.items[block->first_item + i], &unknown);
}

void device_take(struct device *d, uint32_t block, const struct bus_result *r)
{
	switch ((enum bus_status)r->status) {
	case BUS_OK:
		d->online = 1;
		take_words(d, &d->plan.blocks[block], r);
		return;
	case BUS_EXCEPTION:
		/* A gateway speaks for a device that it can't reach: a lost answer like any other. */
		if (!bus_unit_answered(r))
			return;
		d->online = 1;
		d->held_until_us = 0;
		forget_block(d, &d->plan.blocks[block]);
		return;
	case BUS_TIMEOUT:
	case BUS_BAD_ANSWER:
		/* One lost answer: the values stand until their age runs out. */
		return;
	case BUS_DISCONNECTED:
		d->online = 0;
		forget_all(d);
		return;
	}
}

const char *device_name(const struct device *device)
{
	return device->name;
}

const struct profile *device_profile(const struct device *device)
{
	return device->profile;
}

int device_online(const struct device *device)
{
	return device->online;
}

int64_t device_good_for_us(const struct device *d, int point)
{
	uint32_t period = d->profile->points[point].period_ms;
	int64_t us = (int64_t)(period ? period : d->poll_ms) * 1000 * GOOD_PERIODS;

	return us > good_shortest_us ? us : good_shortest_us;
}

static enum quality quality_at(const struct device *d, const struct point_value *value, int point, int64_t now_us)
{
	if (value->quality == QUALITY_GOOD && now_us - value->mono_us > device_good_for_us(d, point))
		return QUALITY_STALE;
	return value->quality;
}

int device_point(const struct device *device, int number, int point, struct point_value *out)
{
	if (number < 1 || number > device->highest || point < 0 || point >= device->profile->point_count)
		return FC_ENOENT;
	*out = *value_at(device, number, point);
	out->quality = quality_at(device, out, point, clock_mono_us());
	return FC_OK;
}

int device_stale(const struct device *device, int number)
{
	int64_t now = clock_mono_us();
	int stale = 0;

	for (int p = 0; p < device->profile->point_count; p++)
		stale += quality_at(device, value_at(device, number, p), p, now) == QUALITY_STALE;
	return stale;
}

int device_point_by_name(const struct device *device, int number, const char *name, struct point_value *out)
{
	return device_point(device, number, profile_point(device->profile, name), out);
}

/* Nothing is known yet by the new profile of what the status needs: not read and failed, not yet read. */
static int is_held(const struct device *d, const struct point_value *values)
{
	const struct status_rules *rules = &d->profile->status;
	int unread = !values[rules->point].mono_us;

	if (!d->held_until_us || clock_mono_us() > d->held_until_us)
		return 0;
	for (int i = 0; i < rules->fault_count; i++)
		unread |= !values[rules->faults[i].point].mono_us;
	return unread;
}

static enum connector_status told_last(const struct device *d, int number)
{
	for (int i = 0; i < d->connectors; i++)
		if (d->numbers[i] == number)
			return d->last[i];
	return CONNECTOR_OFFLINE;
}

enum connector_status device_status(const struct device *device, int number)
{
	const struct status_rules *rules = &device->profile->status;
	struct point_value values[DEVICE_POINTS_MAX];

	if (!device->online || rules->point < 0 || device_point(device, number, rules->point, &values[rules->point]))
		return CONNECTOR_OFFLINE;
	for (int i = 0; i < rules->fault_count; i++)
		if (device_point(device, number, rules->faults[i].point, &values[rules->faults[i].point]))
			return CONNECTOR_OFFLINE;
	if (is_held(device, values))
		return told_last(device, number);
	return decode_status(rules, values);
}
