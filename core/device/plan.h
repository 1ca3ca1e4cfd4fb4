/* Plan: which register blocks a charger is read in. Neighbouring points of one function and period share a block,
 * within the device's maximum of words and never across its deny list. Pure function. */
#ifndef FC_DEVICE_PLAN_H
#define FC_DEVICE_PLAN_H

#include "device/profile.h"

enum { PLAN_ITEMS_MAX = PROFILE_POINTS_MAX * PROFILE_CONNECTORS_MAX };

/* One point of one connector within a block. */
struct plan_item {
	uint16_t point;
	uint8_t number;  /* connector, 1-based; 0 = shared by all */
	uint16_t offset; /* of its first word in the block */
};

struct plan_block {
	uint8_t unit, function;
	uint16_t address, count;
	uint32_t identifier; /* of a DL/T 645 meter */
	uint32_t period_ms;
	uint8_t failed;             /* in a row with exception 4; fate.c */
	uint32_t first_item, items; /* into struct plan's items; none: read to keep the charger alive */
};

struct plan {
	struct plan_block *blocks;
	uint32_t count;
	struct plan_item *items;
	uint32_t item_count;
};

/* How a point of a connector is read: with its neighbours; by itself, while it is found out which of a refused block is the
 * culprit; by itself for good, since the block is refused and none of its points; by itself, since it is refused, and nothing is
 * read across it; not at all, since it is optional and refused, or not of this firmware; by itself and often, since others wait for the firmware. */
enum plan_fate { FATE_MERGED, FATE_SUSPECT, FATE_ALONE, FATE_REFUSED, FATE_OUT, FATE_OTHER_FIRMWARE, FATE_EAGER };
/* Of a point (connector number, 0 = shared) in an array of plan_fates(): of connectors 1 to highest. */
static inline size_t plan_fates(int highest)
{
	return (size_t)(highest + 1) * PROFILE_POINTS_MAX;
}

static inline uint32_t plan_fate_at(int number, int point)
{
	return (uint32_t)(number * PROFILE_POINTS_MAX + point);
}

/* For connectors 1..connectors (as many as are configured), all points merged, unit 1. FC_OK, FC_ENOMEM. Free with plan_fini. */
int plan_make(const struct profile *profile, const int *numbers, int connectors, uint32_t poll_ms, struct plan *plan);
/* The same of a charger's unit, by the fates of its points, and in reads of most_words at most (0: as many as the profile says). */
int plan_make_for(const struct profile *profile, const int *numbers, int connectors, uint32_t poll_ms, uint8_t unit,
		  const uint8_t *fates, int most_words, struct plan *plan);
void plan_fini(struct plan *plan);

#endif
