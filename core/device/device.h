/* Device: a charger on a bus, read by its profile. Compiles the Lua profile into a poll plan (blocks of neighbouring
 * registers), decodes answers into points with quality and age, derives the standard's connector status.
 *
 * Numbers are integers in thousandths of the point's unit ("milli"): 230.1 V is 230100. */
#ifndef FC_DEVICE_DEVICE_H
#define FC_DEVICE_DEVICE_H

#include <stdint.h>

#include "base/error.h"
#include "bus/bus.h"
#include "bus/can.h"
#include "config/config.h"
#include "loop/loop.h"
#include "script/shelf.h"
#include "script/sources.h"

#define DEVICE_POINTS_MAX 64
#define DEVICE_TEXT_MAX   64

enum quality {
	QUALITY_UNKNOWN, /* never read, or the last read failed (DESIGN.md rule 4: never zero) */
	QUALITY_GOOD,
	QUALITY_STALE, /* good once, older than three periods */
};
const char *quality_name(enum quality quality);

struct point_value {
	enum quality quality;
	int is_text;
	int64_t milli;              /* thousandths of the unit */
	char text[DEVICE_TEXT_MAX]; /* when is_text */
	int64_t mono_us;            /* when it was read; 0 never */
};

/* Standard connector status, protocol.md 2.1. */
enum connector_status {
	CONNECTOR_OFFLINE = 0,
	CONNECTOR_IDLE = 1,
	CONNECTOR_OCCUPIED = 2,
	CONNECTOR_CHARGING = 3,
	CONNECTOR_RESERVED = 4,
	CONNECTOR_FAULT = 255,
};
const char *connector_status_name(enum connector_status status);

struct profile;
/* Compiles profile profiles/NAME.lua and runs its examples. NULL and *err "file: points.power:
 * what is wrong". */
struct profile *profile_load(const struct script_host *host, const char *name, struct error *err);
void profile_free(struct profile *profile);
extern const struct shelf_kind profile_kind;
/* FC_EINVAL and *err when config has a charger or device of this profile with a connector that the profile does not describe, whose
 * unit the line can't have, or on a bus that it does not speak on. */
int profile_fits(const struct profile *profile, const struct config *config, struct error *err);
const char *profile_name(const struct profile *profile);
const char *profile_hash(const struct profile *profile);
/* Index of a point, or -1; count and names. */
int profile_point(const struct profile *profile, const char *name);
int profile_point_count(const struct profile *profile);
const char *profile_point_name(const struct profile *profile, int point);
const char *profile_point_unit(const struct profile *profile, int point);
/* Nonzero when it is about a person (a card, a vehicle's number): logs and lists show its end only. */
int profile_point_personal(const struct profile *profile, int point);

struct device_set;
struct device; /* one charger, or whatever else has a section device */

/* Called on the loop when something of a connector changed: its status, or any point (after a block was decoded or
 * failed). number is 1-based. */
typedef void (*device_changed)(void *user, struct device *device, int number);

/* No devices yet. The profiles are read as host says; it is borrowed. */
struct device_set *device_set_new(struct loop *loop, struct bus *bus, const struct script_host *host,
				  device_changed changed, void *user, struct error *err);
void device_set_free(struct device_set *set);
/* The bus's result callback belongs here. */
void device_set_result(void *device_set, const struct bus_result *result);
/* Brings the lines and devices in step with the configuration: what did not change is not touched (its polls go on
 * without a gap). All profiles are loaded before anything is touched; on failure nothing changed. */
int device_set_apply(struct device_set *set, const struct config *config, struct error *err);
/* Loads the profiles again (a changed file); devices whose profile did not change are untouched. A profile may say now that its device
 * has other connectors, or only listens: then that device is another one. */
int device_set_reload_profiles(struct device_set *set, struct error *err);

/* Whoever keeps struct device pointers is told, with the set's user, that those of before a reload of the profiles count no more: before
 * any device is told of. After device_set_apply its caller sees to that. */
void device_set_on_replaced(struct device_set *set, void (*replaced)(void *user));

/* What the profiles in force were made of, one by one (index 0..); NULL past the end. Valid until the next apply. */
struct sources *device_set_sources(const struct device_set *set, int index);

/* By the section name of a charger or device, or NULL; and by place 0..count-1. Valid until the next apply. */
struct device *device_find(struct device_set *set, const char *charger);
int device_count(const struct device_set *set);
struct device *device_at(struct device_set *set, int index);
const char *device_name(const struct device *device);
const struct profile *device_profile(const struct device *device);
/* Nonzero while the unit answers. */
int device_online(const struct device *device);
enum connector_status device_status(const struct device *device, int number);
/* Monotonic time of the last good reading that the status is made of; 0 never. */
int64_t device_status_read(const struct device *device, int number);
/* By index; connector 1..n. Quality is worked out at the time of the call. FC_ENOENT when out of range. */
int device_point(const struct device *device, int number, int point, struct point_value *out);
/* By name. FC_ENOENT when the profile has no such point. */
int device_point_by_name(const struct device *device, int number, const char *name, struct point_value *out);

/* Where a point is, as a manual names it: "holding 4100", "input 12.3" (bit 3), "CAN bms", "BCS.soc", "DL/T 645 02010100". FC_ENOENT and "":
 * nowhere, or there is no such point. */
enum { DEVICE_REGISTER = 64 };
int device_register(const struct device *device, int number, int point, char out[DEVICE_REGISTER]);

/* Commands that the profile names, such as "start" and "stop": a write to the charger, ahead of the polls, or a sequence of
 * writes, waits and checks. done is called once on the loop: BUS_OK means that the charger confirmed every write and that every
 * check came true; else the log names the step that failed (BUS_TIMEOUT: also a check that did not come true in time). Another
 * command for the same connector ends a sequence under way (BUS_DISCONNECTED). FC_OK, FC_ENOENT (the profile has no such
 * command), FC_EBUSY. A command may be a repeat: the values are fixed, and so is their effect. */
typedef void (*device_command_done)(void *user, enum bus_status status);
int device_command(struct device_set *set, struct device *device, int number, const char *command,
		   device_command_done done, void *user, struct error *err);
/* The limit of a connector's current or power (the profile's setpoint, in thousandths of its unit): written at once, again
 * every refresh_ms, and whenever the charger comes back. It is held until another is given, over reloads too while the line
 * stays. FC_OK, FC_ENOENT (no such setpoint or connector), FC_EINVAL (below its min or above its max, and not its pause value).
 *
 * When the gateway stops or fails, nobody refreshes: a charger with a time limit of its own falls back to what it was installed
 * with (setpoint.safe says to what), one without keeps the last value. */
int device_limit(struct device_set *set, struct device *device, int number, int64_t milli, struct error *err);
/* The operator's limit: as device_limit, but it starts nothing where the profile's commands write the setpoint (cap.h): there it is the
 * most that they may write, and counts from the next start when nothing runs. FC_ENOENT also: this profile's commands leave no
 * room for one. */
int device_cap(struct device_set *set, struct device *device, int number, int64_t milli, struct error *err);
/* Gives it up: the charger is told what it would have without it. FC_OK also when there was none. */
int device_uncap(struct device_set *set, struct device *device, int number, struct error *err);
/* FC_OK, FC_ENOENT: there is none. is_waiting: it counts from the next start. */
int device_capped(const struct device *device, int number, int64_t *milli, int *is_waiting);
/* What a limit may be. FC_OK, FC_ENOENT: the charger has none. */
struct device_range {
	const char *unit;
	int64_t min_milli, max_milli;
	int has_pause;
	int64_t pause_milli; /* lower than min: nothing flows */
};
int device_limit_range(const struct device *device, struct device_range *out);
/* What is held. FC_OK, FC_ENOENT: nothing. */
int device_limit_held(const struct device *device, int number, int64_t *milli);
enum limit_state {
	LIMIT_HELD,      /* nothing more is known: not read back, or not yet */
	LIMIT_TAKEN,     /* reads back */
	LIMIT_NOT_TAKEN, /* was accepted twice, and reads back as something else */
	LIMIT_REFUSED,   /* by an exception: not written until the charger comes back */
};
struct device_limit {
	enum limit_state state;
	int64_t milli;                 /* what is held */
	const char *unit;              /* the profile's */
	const char *point;             /* that reads it back; NULL: none */
	struct point_value reads_back; /* as it is now */
};
/* What is held, and what has become of it. FC_OK, FC_ENOENT: nothing. */
int device_limit_state(const struct device *device, int number, struct device_limit *out);
const char *limit_state_name(enum limit_state state);
/* Nonzero when the profile says that `unlock` ends a charge safely (unlock_while_charging). */
int device_unlocks_charging(const struct device *device);
/* Nonzero when the profile has it. */
int device_can(const struct device *device, const char *command);

/* Sum over all lines, and the lines one by one (index 0..). FC_ENOENT past the end. */
void device_bus_totals(const struct device_set *set, struct bus_line_stats *stats);
int device_bus_line(const struct device_set *set, int index, const char **name, struct bus_line_stats *stats);
/* Of a CAN line: its port's figures, and why its state is what it is ("" = nothing to say). FC_ENOENT: it is no CAN line. */
int device_can_line(const struct device_set *set, int index, struct can_stats *stats, const char **reason);

/* For the person on site (forecourt bus), by a line's index. The line itself: NULL past the end, while it is not open, and where
 * it is no Modbus line. */
struct bus_line *device_line_bus(const struct device_set *set, int index);
/* Its number in the trace; 0: not open. */
uint32_t device_line_id(const struct device_set *set, int index);
/* The nth (0..) charger on the line that asks that unit, or NULL. */
struct device *device_at_unit(const struct device_set *set, int index, unsigned unit, int nth);
/* Nonzero when the profile says that one of these registers must not be read (write: not be written), and the range's ends. */
int device_denies(const struct device *device, int write, unsigned address, unsigned count, uint16_t *first,
		  uint16_t *last);
/* What is read first of the charger: a request that does no harm. FC_ENOENT: nothing is read of it. */
int device_first_read(const struct device *device, uint8_t *function, uint16_t *address);
/* The registers whose values are of a person (points that are a card or a VIN), of all chargers on the line. */
void device_personal(const struct device_set *set, int index,
		     void (*fn)(void *user, uint8_t unit, uint8_t function, uint16_t address, uint16_t words),
		     void *user);
/* One request beside the polls: read or write, the other NULL; its tag is not looked at, period_ms and deadline_ms say how long it
 * may wait for its turn. done comes once, on the loop; a line that is closed meanwhile answers BUS_DISCONNECTED. FC_OK, FC_ENOENT
 * (no such line, or it is not open), FC_EBUSY, FC_EINVAL. */
typedef void (*device_asked)(void *user, const struct bus_result *result);
int device_ask(struct device_set *set, int index, const struct bus_read *read, const struct bus_write *write,
	       device_asked done, void *user, struct error *err);

#endif
