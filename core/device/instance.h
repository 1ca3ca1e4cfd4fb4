/* Instance: one charger's inside. For this room only. */
#ifndef FC_DEVICE_INSTANCE_H
#define FC_DEVICE_INSTANCE_H

#include "device/plan.h"
#include "device/profile.h"

struct device {
	char name[64];           /* section of the charger */
	struct profile *profile; /* borrowed from the set */
	uint8_t unit;
	uint32_t poll_ms;
	int numbers[PROFILE_CONNECTORS_MAX]; /* connectors that are configured */
	int connectors, highest;
	int online;
	enum connector_status last[PROFILE_CONNECTORS_MAX]; /* last told, by place in numbers */
	int stale[PROFILE_CONNECTORS_MAX];                  /* values that were STALE then */
	int64_t held_until_us; /* a new profile has not read the status yet: the one told last holds until then */
	struct plan plan;
	struct point_value *values; /* [connector number - 1][DEVICE_POINTS_MAX] */
};

/* NULL when there is no memory. */
struct device *device_new(const char *name, struct profile *profile, const int *numbers, int connectors,
			  uint32_t poll_ms, uint8_t unit);
void device_free(struct device *device);
/* A result for one of its blocks. No allocation. */
void device_take(struct device *device, uint32_t block, const struct bus_result *result);
/* The device goes on by the profile, plan and values of another one (of the same charger and connectors), which gets the old
 * ones. Values of points that are the same stay; the status is what was told last until it has been read again, or would have
 * become stale. Cannot fail. */
void device_renew(struct device *device, struct device *fresh);
/* How long a value of the point is GOOD. */
int64_t device_good_for_us(const struct device *device, int point);
/* How many values of the connector are STALE now. Between two results time can only add to them. */
int device_stale(const struct device *device, int number);

#endif
