/* Instance: one charger's inside. For this room only. */
#ifndef FC_DEVICE_INSTANCE_H
#define FC_DEVICE_INSTANCE_H

#include "device/plan.h"
#include "device/profile.h"

/* What is written to a charger again and again has a place a connector: its keep-alives, then its setpoint. */
enum { UPKEEP_SETPOINT = PROFILE_KEEP_ALIVES_MAX, UPKEEP_PLACES };

/* What is kept of one connector beside its values. */
struct device_connector {
	struct upkeep_slot {
		int64_t due_us;
		int64_t busy_until_us; /* a write is under way */
		int is_off;            /* refused by the charger */
	} slots[UPKEEP_PLACES];
	int is_held;
	int64_t milli; /* what is held */
	int64_t sent;  /* what was written last */
	struct verify {
		int64_t since_us; /* accepted then, and looked for since; 0 = not looked for */
		int again;        /* it has been written once more */
		enum { VERIFY_UNKNOWN, VERIFY_TAKEN, VERIFY_NOT_TAKEN } state;
	} verify;
	/* The operator's limit (cap.h). */
	struct cap {
		int used;
		int64_t milli;
		int is_told;  /* the charger has been told, or the next step tells it */
		int is_free;  /* released: what is held is no limit of anybody's */
		int stepped;  /* a step has written the setpoint, so it is known whether the charger is meant to run: */
		int has_base; /*   it is, and a step wanted base */
		int64_t base;
	} cap;
};

struct seat;
struct device {
	char name[64];           /* section of the charger, or of the device */
	struct profile *profile; /* borrowed from the set */
	uint8_t unit;
	uint8_t meter[6]; /* of a DL/T 645 meter: its number as on the wire */
	uint32_t poll_ms;
	int numbers[PROFILE_CONNECTORS_MAX]; /* connectors that are configured */
	int connectors, highest;
	int online;                                         /* one of its units answers */
	uint64_t heard[4];                                  /* bit u of 256: unit u answers */
	enum connector_status last[PROFILE_CONNECTORS_MAX]; /* last told, by place in numbers */
	int stale[PROFILE_CONNECTORS_MAX];                  /* values that were STALE then */
	int64_t held_until_us; /* a new profile has not read the status yet: the one told last holds until then */
	struct plan plan;
	int replan;             /* the fates have changed: the plan wants to be made anew */
	uint8_t *fates;         /* enum plan_fate, or FATE_CLEARED, of connectors 0 to highest; fate.c */
	int suspects, culprits; /* points looked at by themselves; refused ones found meanwhile */
	int64_t left_out_us;    /* when a point was last left out for good; 0 never */
	int has_version;
	struct firmware_version version;
	int uptime;           /* the point of that name, or -1 */
	int64_t uptime_milli; /* as it was last */
	int rebooted;         /* it went back */
	int restarts;         /* so often since */
	int64_t restarted_us;
	int age;              /* the point of that name, or -1 */
	int most_words;       /* in one read, learned; 0 = what the profile says */
	int refused_words;    /* least length of the reads that are searched */
	int by_failure;       /* the search is for exception 4 */
	int64_t no_search_us; /* until then none for exception 4 */
	int64_t upkeep_begun_us;
	struct device_connector *each; /* by connector number - 1, highest of them */
	struct point_value *values;    /* [connector number - 1][the profile's points] */
	struct seat *seat;             /* of a CAN device; then there is no plan, and no fate */
};

/* NULL and *err: no memory, or its agent can't start. */
struct device *device_new(const char *name, struct profile *profile, const int *numbers, int connectors,
			  uint32_t poll_ms, uint8_t unit, struct error *err);
void device_free(struct device *device);
/* A result for one of its blocks. No allocation. */
void device_take(struct device *device, uint32_t block, const struct bus_result *result);
/* NULL: no connector of that number has a place. */
struct device_connector *device_connector(const struct device *device, int number);
/* Nonzero when it asks that unit. */
int device_has_unit(const struct device *device, uint8_t unit);
/* One of its units can't be reached. */
void device_lost(struct device *device, uint8_t unit);
/* A value that its agent heard (number 0: of all connectors); hooks and what depends on others are worked out. No allocation. */
void device_take_value(struct device *device, int number, int point, const struct point_value *said);
/* Its agent hears it, or no longer: then nothing of it is known. */
void device_heard(struct device *device, int online);
/* device_personal of one charger. */
void device_each_personal(const struct device *device,
			  void (*fn)(void *user, uint8_t unit, uint8_t function, uint16_t address, uint16_t words),
			  void *user);
/* Makes the plan anew by the fates. FC_ENOMEM: the old one stays. */
int device_replan(struct device *device);
/* values[] by point, of a configured connector, as they were stored: quality without regard to age. */
struct point_value *device_values(const struct device *device, int number);
/* The device goes on by the profile, plan and values of another one (of the same charger and connectors), which gets the old
 * ones; limits that are held stay. Values of points that are the same stay; the status is what was told last until it has been read again, or would have
 * become stale. Cannot fail. */
void device_renew(struct device *device, struct device *fresh);
/* How long a value of the point is GOOD. */
int64_t device_good_for_us(const struct device *device, int point);
/* How many values of the connector are STALE now. Between two results time can only add to them. */
int device_stale(const struct device *device, int number);

#endif
