/* One charger: its points' values with quality and age, what a result does to them. */
#include "device/instance.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "device/decode.h"
#include "device/fate.h"
#include "device/sample.h"
#include "device/seat.h"
#include "device/upkeep.h"

/* A value is GOOD for so many periods, but at least this long. */
enum { GOOD_PERIODS = 3 };
/* Modbus exceptions of a device that is busy. */
enum { ACKNOWLEDGE = 5, DEVICE_BUSY = 6 };
/* A charger that starts again so often within a day can't stand something that we do. */
enum { RESTARTS = 4 };
static const int64_t day_us = 86400000000;
static const int64_t good_shortest_us = 3000000;

static struct device *no_memory(struct device *d, struct error *err)
{
	device_free(d);
	(void)error_set(err, FC_ENOMEM, "device: no memory");
	return NULL;
}

struct device *device_new(const char *name, struct profile *profile, const int *numbers, int connectors,
			  uint32_t poll_ms, uint8_t unit, struct error *err)
{
	struct device *d = calloc(1, sizeof(*d));

	if (!d)
		return no_memory(NULL, err);
	(void)snprintf(d->name, sizeof(d->name), "%s", name);
	d->profile = profile;
	d->unit = unit;
	d->connectors = connectors;
	memcpy(d->numbers, numbers, (size_t)connectors * sizeof(int));
	/* One at least, so that what all connectors share has a place. */
	d->highest = 1;
	d->numbers[0] = connectors ? numbers[0] : 1;
	for (int i = 0; i < connectors; i++)
		d->highest = numbers[i] > d->highest ? numbers[i] : d->highest;
	/* No more than there is of it: of a thousand connectors this is most of the memory. */
	d->values = calloc((size_t)d->highest * (size_t)profile->point_count + 1, sizeof(*d->values));
	d->each = calloc((size_t)d->highest, sizeof(*d->each));
	d->fates = calloc(plan_fates(d->highest), sizeof(*d->fates));
	d->poll_ms = poll_ms;
	d->uptime = profile_point(profile, "uptime");
	d->age = profile_point(profile, "age");
	if (!d->values || !d->each || !d->fates)
		return no_memory(d, err);
	upkeep_begin(d, clock_mono_us());
	if (profile->agent) {
		d->seat = seat_new(d, err);
		if (d->seat)
			return d;
		device_free(d);
		return NULL;
	}
	fate_begin(d);
	return device_replan(d) ? no_memory(d, err) : d;
}

int device_replan(struct device *d)
{
	struct plan plan;

	d->replan = 0;
	if (plan_make_for(d->profile, d->numbers, d->connectors, d->poll_ms, d->unit, d->fates, d->most_words, &plan))
		return FC_ENOMEM;
	plan_fini(&d->plan);
	d->plan = plan;
	return FC_OK;
}

void device_free(struct device *d)
{
	if (!d)
		return;
	seat_free(d->seat);
	plan_fini(&d->plan);
	free(d->values);
	free(d->each);
	free(d->fates);
	free(d);
}

struct device_connector *device_connector(const struct device *d, int number)
{
	return number >= 1 && number <= d->highest ? &d->each[number - 1] : NULL;
}

struct point_value *device_values(const struct device *d, int number)
{
	return &d->values[(size_t)(number - 1) * (size_t)d->profile->point_count];
}

static struct point_value *value_at(const struct device *d, int number, int point)
{
	return &device_values(d, number)[point];
}

static void store(struct device *d, const struct plan_item *item, const struct point_value *value)
{
	const struct point *point = &d->profile->points[item->point];
	int place = point->target ? point->target - 1 : item->point;

	if (item->number) {
		*value_at(d, item->number, place) = *value;
		return;
	}
	for (int i = 0; i < d->connectors; i++)
		*value_at(d, d->numbers[i], place) = *value;
}

static void forget_all(struct device *d)
{
	for (int i = 0; i < d->connectors; i++)
		for (int p = 0; p < d->profile->point_count; p++)
			value_at(d, d->numbers[i], p)->quality = QUALITY_UNKNOWN;
}

int64_t device_good_for_us(const struct device *d, int point)
{
	int64_t us = (int64_t)profile_period(d->profile, &d->profile->points[point], d->poll_ms) * 1000 * GOOD_PERIODS;

	return us > good_shortest_us ? us : good_shortest_us;
}

static enum quality quality_at(const struct device *d, const struct point_value *value, int point, int64_t now_us)
{
	if (value->quality == QUALITY_GOOD && now_us - value->mono_us > device_good_for_us(d, point))
		return QUALITY_STALE;
	return value->quality;
}

/* Nothing is worked out from what has grown old meanwhile. */
static void age_values(struct device *d, int64_t now_us)
{
	for (int i = 0; i < d->connectors; i++)
		for (int p = 0; p < d->profile->point_count; p++) {
			struct point_value *v = value_at(d, d->numbers[i], p);

			v->quality = quality_at(d, v, p, now_us);
		}
}

/* Those that depend on others come after these. Returns how many of the block's points do. */
static int take_stage(struct device *d, const struct plan_block *block, const struct bus_result *r, int stage)
{
	int later = 0;

	for (uint32_t i = 0; i < block->items; i++) {
		const struct plan_item *item = &d->plan.items[block->first_item + i];
		int number = item->number ? item->number : d->numbers[0];
		struct point_value value = {.mono_us = r->mono_us};
		int its = sample_stage(d->profile, item->point);

		later += its > stage;
		if (its != stage || item->offset + d->profile->points[item->point].words > r->count)
			continue;
		sample_point(d->profile, item->point, r->words + item->offset, number, device_values(d, number),
			     &value);
		store(d, item, &value);
	}
	return later;
}

static void take_words(struct device *d, const struct plan_block *block, const struct bus_result *r)
{
	int later = take_stage(d, block, r, 0);

	if (later)
		age_values(d, clock_mono_us());
	for (int stage = 1; later && stage < SAMPLE_STAGES; stage++)
		later = take_stage(d, block, r, stage);
}

/* The device said that it has no such registers: what was known of them is known no longer. */
static void forget_block(struct device *d, const struct plan_block *block)
{
	static const struct point_value unknown = {.quality = QUALITY_UNKNOWN};

	for (uint32_t i = 0; i < block->items; i++)
		store(d, &d->plan.items[block->first_item + i], &unknown);
}

static void hear(struct device *d, uint8_t unit)
{
	int was = d->online;

	d->heard[unit / 64] |= (uint64_t)1 << unit % 64;
	d->online = 1;
	if (!was)
		fate_back(d);
}

static void forget_unit(struct device *d, uint8_t unit)
{
	for (uint32_t i = 0; i < d->plan.count; i++)
		if (d->plan.blocks[i].unit == unit)
			forget_block(d, &d->plan.blocks[i]);
}

int device_has_unit(const struct device *d, uint8_t unit)
{
	for (uint32_t i = 0; i < d->plan.count; i++)
		if (d->plan.blocks[i].unit == unit)
			return 1;
	return 0;
}

void device_lost(struct device *d, uint8_t unit)
{
	d->heard[unit / 64] &= ~((uint64_t)1 << unit % 64);
	d->online = d->heard[0] || d->heard[1] || d->heard[2] || d->heard[3];
	if (d->online)
		forget_unit(d, unit);
	else
		forget_all(d);
}

/* What a gateway serves of a device that it has not heard for a while is as old as that (chargers.md 4, row 38). */
static void date_back(struct device *d, const struct plan_block *block, const struct bus_result *r)
{
	int64_t now = clock_mono_us();

	for (uint32_t i = 0; d->age >= 0 && i < block->items; i++) {
		const struct plan_item *item = &d->plan.items[block->first_item + i];
		const struct point *point = &d->profile->points[item->point];
		int place = point->target ? point->target - 1 : item->point;

		for (int k = 0; place != d->age && k < d->connectors; k++) {
			int number = item->number ? item->number : d->numbers[k];
			struct point_value *v = value_at(d, number, place);
			const struct point_value *age = value_at(d, number, d->age);

			if (quality_at(d, age, d->age, now) == QUALITY_GOOD && !age->is_text && age->milli > 0 &&
			    v->mono_us == r->mono_us && age->milli < day_us / 1000)
				v->mono_us -= age->milli * 1000;
			if (item->number)
				break;
		}
	}
}

/* Asked too often, some leak until their watchdog bites, several times a day (chargers.md 4, row 43). */
static void count_restart(struct device *d)
{
	int64_t now = clock_mono_us();

	if (!d->restarts || now - d->restarted_us > day_us) {
		d->restarts = 0;
		d->restarted_us = now;
	}
	if (++d->restarts == RESTARTS)
		log_warning("device: charger %s: was started again %d times within a day: it may be asked more often "
			    "than it can take "
			    "(poll_ms)",
			    d->name, RESTARTS);
}

/* A charger that counts its uptime anew has forgotten what it was told (chargers.md 4, row 35). */
static void look_at_uptime(struct device *d)
{
	const struct point_value *v = d->uptime < 0 ? NULL : &device_values(d, d->numbers[0])[d->uptime];

	if (!v || v->quality != QUALITY_GOOD || v->is_text)
		return;
	if (v->milli < d->uptime_milli) {
		log_notice("device: charger %s: was started again", d->name);
		d->rebooted = 1;
		count_restart(d);
	}
	d->uptime_milli = v->milli;
}

void device_take(struct device *d, uint32_t block, const struct bus_result *r)
{
	struct plan_block *b = &d->plan.blocks[block];

	switch ((enum bus_status)r->status) {
	case BUS_OK:
		hear(d, b->unit);
		take_words(d, b, r);
		date_back(d, b, r);
		look_at_uptime(d);
		fate_answered(d, b);
		return;
	case BUS_EXCEPTION:
		/* A gateway speaks for a device that it can't reach: a lost answer like any other. */
		if (!bus_unit_answered(r))
			return;
		hear(d, b->unit);
		/* It is busy, and was asked again in vain: the values stand until their age runs out. */
		if (r->exception == ACKNOWLEDGE || r->exception == DEVICE_BUSY)
			return;
		d->held_until_us = 0;
		fate_refused(d, b, r->exception);
		forget_block(d, b);
		return;
	case BUS_TIMEOUT:
	case BUS_BAD_ANSWER:
		/* One lost answer: the values stand until their age runs out. */
		return;
	case BUS_DISCONNECTED:
		device_lost(d, b->unit);
		return;
	}
}

void device_take_value(struct device *d, int number, int point, const struct point_value *said)
{
	struct point_value now = *said;

	if (point < 0 || point >= d->profile->point_count || number < 0 || number > d->highest)
		return;
	if (!now.mono_us)
		now.mono_us = clock_mono_us();
	if (sample_stage(d->profile, point))
		age_values(d, now.mono_us);
	for (int i = 0; i < (d->connectors ? d->connectors : 1); i++) {
		int at = d->numbers[i];
		struct point_value out = {.mono_us = now.mono_us};

		if (number && number != at)
			continue;
		sample_said(d->profile, point, &now, at, device_values(d, at), &out);
		*value_at(d, at, point) = out;
	}
}

void device_heard(struct device *d, int online)
{
	if (!online)
		forget_all(d);
	d->online = online != 0;
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

int64_t device_status_read(const struct device *device, int number)
{
	struct point_value value;

	return device_point(device, number, device->profile->status.point, &value) ? 0 : value.mono_us;
}

int device_denies(const struct device *device, int write, unsigned address, unsigned count, uint16_t *first,
		  uint16_t *last)
{
	const struct profile *p = device->profile;

	/* What must never be touched must not be written either. */
	for (int i = 0; i < p->deny_count + (write ? p->deny_write_count : 0); i++) {
		const struct register_range *r = i < p->deny_count ? &p->deny[i] : &p->deny_write[i - p->deny_count];

		if (address > r->last || address + count <= r->first)
			continue;
		*first = r->first;
		*last = r->last;
		return 1;
	}
	return 0;
}

int device_first_read(const struct device *device, uint8_t *function, uint16_t *address)
{
	if (!device->plan.count)
		return FC_ENOENT;
	*function = device->plan.blocks[0].function;
	*address = device->plan.blocks[0].address;
	return FC_OK;
}

void device_each_personal(const struct device *d,
			  void (*fn)(void *user, uint8_t unit, uint8_t function, uint16_t address, uint16_t words),
			  void *user)
{
	const struct profile *p = d->profile;

	for (int i = 0; i < p->read_count; i++) {
		const struct point *point = &p->points[i];

		if (point->function < 3 || !profile_point_personal(p, i))
			continue;
		for (int n = 0; n < d->connectors; n++)
			fn(user, profile_unit(p, point, d->numbers[n], d->unit), point->function,
			   (uint16_t)profile_address(p, point, d->numbers[n]), point->words);
	}
}
