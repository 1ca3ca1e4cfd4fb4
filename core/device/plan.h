/* Plan: which register blocks a charger is read in. Neighbouring points of one function and period share a block,
 * within the device's maximum of words and never across its deny list. Pure function. */
#ifndef FC_DEVICE_PLAN_H
#define FC_DEVICE_PLAN_H

#include "device/profile.h"

enum { PLAN_ITEMS_MAX = DEVICE_POINTS_MAX * PROFILE_CONNECTORS_MAX };

/* One point of one connector within a block. */
struct plan_item {
	uint16_t point;
	uint8_t number;  /* connector, 1-based; 0 = shared by all */
	uint16_t offset; /* of its first word in the block */
};

struct plan_block {
	uint8_t function;
	uint16_t address, count;
	uint32_t period_ms;
	uint32_t first_item, items; /* into struct plan's items */
};

struct plan {
	struct plan_block *blocks;
	uint32_t count;
	struct plan_item *items;
	uint32_t item_count;
};

/* For connectors 1..connectors (as many as are configured). FC_OK, FC_ENOMEM. Free with plan_fini. */
int plan_make(const struct profile *profile, const int *numbers, int connectors, uint32_t poll_ms, struct plan *plan);
void plan_fini(struct plan *plan);

#endif
