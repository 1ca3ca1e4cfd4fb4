#include "device/fate.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"

/* Modbus exceptions that say: not this address, not this many, not this function. */
enum { ILLEGAL_FUNCTION = 1, ILLEGAL_VALUE = 3, DEVICE_FAILURE = 4 };
enum { FAILED_IN_A_ROW = 3 };
static const int64_t try_again_us = 600000000;

static uint8_t *fate_of(struct device *d, const struct plan_item *item)
{
	return &d->fates[plan_fate_at(item->number, item->point)];
}

/* Calls for every point of every configured connector (0 = shared). */
static void each_fate(struct device *d, void (*fn)(struct device *d, int point, int number))
{
	for (int i = 0; i < d->profile->read_count; i++) {
		int shared = d->profile->points[i].shared;

		for (int k = 0; k < (shared ? 1 : d->connectors); k++)
			fn(d, i, shared ? 0 : d->numbers[k]);
	}
}

/* What was read of it is known no longer. */
static void forget(struct device *d, int point, int number)
{
	const struct point *p = &d->profile->points[point];
	int place = p->target ? p->target - 1 : point;

	for (int i = 0; i < d->connectors; i++)
		if (!number || d->numbers[i] == number)
			device_values(d, d->numbers[i])[place].quality = QUALITY_UNKNOWN;
}

static void choose_by_firmware(struct device *d, int point, int number)
{
	uint8_t *fate = &d->fates[plan_fate_at(number, point)];
	int reads = profile_reads(d->profile, point, d->has_version ? &d->version : NULL);

	if (reads == (*fate != FATE_OTHER_FIRMWARE))
		return;
	*fate = reads ? FATE_MERGED : FATE_OTHER_FIRMWARE;
	d->replan = 1;
	/* A value of other registers is no value of these. */
	forget(d, point, number);
}

static uint8_t *firmware_fate(struct device *d)
{
	int place = d->profile->firmware_point - 1;

	return &d->fates[plan_fate_at(d->profile->points[place].shared ? 0 : d->numbers[0], place)];
}

void fate_begin(struct device *d)
{
	memset(d->fates, FATE_MERGED, plan_fates(d->highest));
	each_fate(d, choose_by_firmware);
	/* Not a minute later, when an energy may be waiting for it. */
	if (d->profile->range_count && d->profile->firmware_point)
		*firmware_fate(d) = FATE_EAGER;
}

static void look_at_firmware(struct device *d)
{
	int place = d->profile->firmware_point - 1;
	struct firmware_version version;

	if (place < 0 || profile_version(d->profile, &device_values(d, d->numbers[0])[place], &version))
		return;
	if (d->has_version && !memcmp(&version, &d->version, sizeof(version)))
		return;
	if (*firmware_fate(d) == FATE_EAGER) {
		*firmware_fate(d) = FATE_MERGED;
		d->replan = 1;
	}
	d->has_version = 1;
	d->version = version;
	log_info("device: charger %s: firmware %u.%u.%u", d->name, version.part[0], version.part[1], version.part[2]);
	each_fate(d, choose_by_firmware);
}

static void settle(struct device *d, int point, int number)
{
	uint8_t *fate = &d->fates[plan_fate_at(number, point)];

	if (*fate == FATE_CLEARED)
		*fate = d->culprits ? FATE_MERGED : FATE_ALONE;
}

static void mend(struct device *d, int point, int number)
{
	uint8_t *fate = &d->fates[plan_fate_at(number, point)];

	if (*fate == FATE_CLEARED || *fate == FATE_SUSPECT)
		*fate = FATE_MERGED;
}

/* A block of so many words is too long. 0: it can't be shorter. */
static int learn_words(struct device *d, int refused)
{
	int most = refused / 2;

	/* A text may be longer than what is joined: it stays a read of its own. */
	if (most < 1 || (d->most_words && most >= d->most_words))
		return 0;
	if (!d->most_words)
		log_warning("device: charger %s: refuses %d registers in one read and none of them by itself: at most "
			    "%d from now on, "
			    "or fewer (modbus.max_words would say so)",
			    d->name, refused, most);
	d->most_words = most;
	d->replan = 1;
	return 1;
}

/* All suspects have answered. Without a culprit it was the block that was refused: its size, or a border within it. */
static void end_search(struct device *d)
{
	d->by_failure = 0;
	if (!d->culprits && learn_words(d, d->refused_words)) {
		each_fate(d, mend);
		return;
	}
	if (!d->culprits)
		log_warning("device: charger %s: refuses a read of several registers and each of them not: read by "
			    "themselves from now on (modbus.max_words, deny or single would say so)",
			    d->name);
	each_fate(d, settle);
	d->culprits = 0;
	d->replan = 1;
}

static void suspect_answered(struct device *d)
{
	if (d->suspects && !--d->suspects)
		end_search(d);
}

void fate_answered(struct device *d, struct plan_block *block)
{
	block->failed = 0;
	for (uint32_t i = 0; i < block->items; i++) {
		uint8_t *fate = fate_of(d, &d->plan.items[block->first_item + i]);

		if (*fate == FATE_SUSPECT) {
			*fate = FATE_CLEARED;
			suspect_answered(d);
		} else if (*fate == FATE_REFUSED) {
			*fate = FATE_MERGED;
			d->replan = 1;
		}
	}
	look_at_firmware(d);
}

static int is_optional(const struct profile *p, const struct point *point)
{
	return point->optional || (point->group && p->groups[point->group - 1].optional);
}

static void leave_out(struct device *d, int point, int number)
{
	uint8_t *fate = &d->fates[plan_fate_at(number, point)];

	if (*fate == FATE_OUT)
		return;
	if (*fate == FATE_SUSPECT && d->suspects)
		d->suspects--;
	if (*fate == FATE_OTHER_FIRMWARE)
		return;
	*fate = FATE_OUT;
	forget(d, point, number);
}

/* The rest of an optional group goes with the one that was refused: never probe further (chargers.md 4, row 26). */
static void leave_group_out(struct device *d, int place, int number)
{
	int group = d->profile->points[place].group;

	leave_out(d, place, number);
	for (int i = 0; group && i < d->profile->read_count; i++) {
		const struct point *other = &d->profile->points[i];

		if (other->group != group)
			continue;
		for (int k = 0; k < d->connectors; k++)
			if (!number || other->shared || d->numbers[k] == number)
				leave_out(d, i, other->shared ? 0 : d->numbers[k]);
	}
	d->left_out_us = clock_mono_us();
	d->replan = 1;
}

static void condemn(struct device *d, const struct plan_item *item, uint8_t exception)
{
	const struct point *point = &d->profile->points[item->point];
	uint8_t *fate = fate_of(d, item);
	int optional = is_optional(d->profile, point), group = point->group && optional && !point->optional;

	if (*fate == FATE_REFUSED || *fate == FATE_OUT)
		return;
	int searched = *fate == FATE_SUSPECT;
	d->culprits++;
	log_warning("device: charger %s: point %s (function %d, address %u, %d words) is refused: exception %u%s%s",
		    d->name, point->name, point->function, profile_address(d->profile, point, item->number),
		    point->words, exception, optional ? ": left out" : "", group ? " with its group" : "");
	if (optional && group)
		leave_group_out(d, item->point, item->number);
	else if (optional) {
		leave_out(d, item->point, item->number);
		d->left_out_us = clock_mono_us();
		d->replan = 1;
	} else {
		*fate = FATE_REFUSED;
		if (searched && d->suspects)
			d->suspects--;
	}
	if (!d->suspects && searched)
		end_search(d);
	else if (!d->suspects)
		d->culprits = 0;
}

static int several(const struct device *d, const struct plan_block *block)
{
	const struct plan_item *first = &d->plan.items[block->first_item];

	for (uint32_t i = 1; i < block->items; i++)
		if (first[i].offset != first->offset ||
		    d->profile->points[first[i].point].words != d->profile->points[first->point].words)
			return 1;
	return 0;
}

/* Nonzero when each of the block's points has been read: no culprit is among them. */
static int all_known(const struct device *d, const struct plan_block *block)
{
	for (uint32_t i = 0; i < block->items; i++) {
		const struct plan_item *item = &d->plan.items[block->first_item + i];
		const struct point *p = &d->profile->points[item->point];
		int place = p->target ? p->target - 1 : item->point;

		if (!device_values(d, item->number ? item->number : d->numbers[0])[place].mono_us)
			return 0;
	}
	return 1;
}

/* Exception 4. Nonzero when it may be the block's length that it means. */
static int failed_for_long(struct device *d, struct plan_block *block)
{
	if (d->by_failure && *fate_of(d, &d->plan.items[block->first_item]) == FATE_SUSPECT) {
		/* A lone point too: something is broken there, and not for us to find. */
		each_fate(d, mend);
		d->suspects = d->culprits = d->by_failure = 0;
		d->no_search_us = clock_mono_us() + try_again_us;
		d->replan = 1;
		return 0;
	}
	if (d->suspects || !several(d, block) || clock_mono_us() < d->no_search_us)
		return 0;
	if (++block->failed < FAILED_IN_A_ROW)
		return 0;
	d->by_failure = 1;
	return 1;
}

void fate_refused(struct device *d, struct plan_block *block, uint8_t exception)
{
	if (exception < ILLEGAL_FUNCTION || exception > DEVICE_FAILURE || !block->items)
		return;
	if (exception == DEVICE_FAILURE && !failed_for_long(d, block))
		return;
	int search = several(d, block);
	/* The search before has shown that there is no culprit. */
	if (search && d->most_words && !d->suspects && all_known(d, block) && learn_words(d, block->count)) {
		d->by_failure = 0;
		return;
	}
	if (search)
		d->refused_words = d->suspects && d->refused_words < block->count ? d->refused_words : block->count;
	for (uint32_t i = 0; i < block->items; i++) {
		const struct plan_item *item = &d->plan.items[block->first_item + i];

		if (!search) {
			condemn(d, item, exception);
			continue;
		}
		*fate_of(d, item) = FATE_SUSPECT;
		d->suspects++;
		d->replan = 1;
	}
}

static void try_again(struct device *d, int point, int number)
{
	uint8_t *fate = &d->fates[plan_fate_at(number, point)];

	if (*fate != FATE_OUT)
		return;
	/* By itself: its neighbours are not to be blinded again. */
	*fate = FATE_SUSPECT;
	d->suspects++;
	d->replan = 1;
}

void fate_back(struct device *d)
{
	if (!d->left_out_us || clock_mono_us() - d->left_out_us < try_again_us)
		return;
	d->left_out_us = 0;
	/* So that those who answer join their neighbours again. */
	d->culprits = 1;
	each_fate(d, try_again);
	if (!d->suspects)
		d->culprits = 0;
}
