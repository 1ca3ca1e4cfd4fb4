/* Alarms: what is wrong now, since when, and why: for whoever has ten seconds to look at the station.
 *
 * Once a second the book is made anew from what the rooms say: whoever sees something wrong says it in each look, and what nobody
 * says any more goes. An alarm keeps its identity, its beginning and its count while it lasts: its id is its kind and what it is about.
 *
 * Debounce: a kind may have to be seen for a while before it is told (a charger that misses a few seconds is no news), and an
 * alarm that is not seen any more stays for ALARM_FADE_S: a fault that comes and goes within seconds is one alarm with a count.
 * Durations are monotonic; the wall time of the beginning is put right when the clock is set meanwhile.
 *
 * Each beginning and end is in the list of what happened (store/events.h).
 *
 * All memory is had at the start: ALARMS_MAX of them; what comes beyond is counted, not kept. On the loop's thread. */
#ifndef FC_CONTROL_ALARMS_H
#define FC_CONTROL_ALARMS_H

#include <stdint.h>

#include "base/error.h"
#include "base/value.h"
#include "control/control.h"
#include "loop/loop.h"

enum alarm_kind {
	ALARM_CONNECTOR_FAULT,   /* the charger says so */
	ALARM_CONNECTOR_OFFLINE, /* nothing is known of it */
	ALARM_VALUE_STALE,       /* some of its values are old */
	ALARM_PLATFORM_DOWN,
	ALARM_OUTBOX_WAITING, /* orders that a platform has not confirmed for long */
	ALARM_ORDER_DISPUTED,
	ALARM_BUS_DOWN,
	ALARM_BUS_ERRORS, /* many answers are lost or torn */
	ALARM_UNIT_SILENT,
	ALARM_CAN_BUS_OFF,
	ALARM_SCRIPT_REFUSED, /* a changed file was not taken: "file:line: reason" */
	ALARM_STORE_FAILING,  /* nothing can be kept */
	ALARM_CLOCK_UNTRUSTED,
	ALARM_LIMIT_NOT_TAKEN,
	ALARM_CONFIG_PENDING, /* a configuration waits to be confirmed */
	ALARM_BUS_STUCK,      /* the driver of its port holds its worker */
	ALARM_CONFIG_REFUSED, /* the file has a mistake, the last good one is in force: "file:line: reason" */
	ALARM_WATCHDOG_UNFED, /* its device can't be had, or something stands still */
	ALARM_STORE_FULL,     /* orders of which none may be deleted fill the database's share of the disk */
	ALARM_KINDS
};
enum alarm_level { ALARM_WARNING, ALARM_ERROR };

enum {
	ALARMS_MAX = 3 * CONFIG_MAX_CONNECTORS + 64,
	ALARM_FADE_S = 10,
	ALARM_ARGUMENTS = 3,
	ALARM_OBJECT = 96,
	ALARM_ID = ALARM_OBJECT + 24,
	ALARM_NAME = 96,
	ALARM_CAUSE = 240,
	ALARM_ARGUMENT = 160
};

/* Something is wrong, as whoever sees it says. Borrowed for the call. */
struct alarm_fault {
	enum alarm_kind kind;
	const char *object; /* a ConnectorID, a section, "bus1/7" (line and unit), a Lua file; "" = the gateway */
	const char *name;   /* of the object for people; NULL = as object */
	const char *key;    /* stable id of the cause, for translation: "fault.code" */
	const char *cause;  /* in English words */
	int64_t since_us;   /* monotonic; 0 = it was seen first now */
	struct {
		const char *name, *text;
	} arguments[ALARM_ARGUMENTS]; /* what stands in the words; unused ones have no name (a literal: it is kept) */
};

struct alarm {
	char id[ALARM_ID]; /* "connector_fault:11010500010011" */
	enum alarm_kind kind;
	enum alarm_level level;
	char object[ALARM_OBJECT], name[ALARM_NAME];
	int64_t since_us, since_wall; /* seconds since 1970 */
	const char *key;
	char cause[ALARM_CAUSE];
	struct {
		const char *name;
		char text[ALARM_ARGUMENT];
	} arguments[ALARM_ARGUMENTS];
	unsigned count; /* so often did it come since since; 1 = it never went */
	int is_fading;  /* it is not seen now: over, or about to come again */
};

/* "connector_fault"; "error"; what its object is: connector, charger, platform, bus, lua, store, gateway, config. */
const char *alarm_kind_name(enum alarm_kind kind);
const char *alarm_level_name(enum alarm_level level);
const char *alarm_object_kind(enum alarm_kind kind);

struct alarms;
/* For the list of what happened. ended: is_fading, and it was last seen ALARM_FADE_S before. May be NULL. */
struct alarms_hooks {
	void (*began)(void *user, const struct alarm *alarm);
	void (*ended)(void *user, const struct alarm *alarm);
	void *user;
};

/* Looks by itself once a second; loop NULL: only when it is told to. sources is copied (alarms in it is not looked at). hooks may be NULL. */
struct alarms *alarms_new(struct loop *loop, const struct control_sources *sources, const struct alarms_hooks *hooks,
			  struct error *err);
void alarms_free(struct alarms *alarms);
/* Another one who sees things: fn is called in each look, and says what is wrong by alarms_say. FC_OK, FC_ENOMEM. */
int alarms_add_source(struct alarms *alarms, void (*fn)(void *user, struct alarms *alarms, int64_t now_us), void *user);
/* Only within a look. The same kind and object twice: the first counts. */
void alarms_say(struct alarms *alarms, const struct alarm_fault *fault);
/* now_us: monotonic. */
void alarms_look(struct alarms *alarms, int64_t now_us);
/* Errors first, then the oldest first. */
void alarms_each(const struct alarms *alarms, void (*fn)(void *user, const struct alarm *alarm), void *user);
/* How many are told. */
int alarms_count(const struct alarms *alarms, enum alarm_level level);
/* How many there was no room for in the last look. */
int alarms_left_out(const struct alarms *alarms);
/* One as a tree: level, kind, object_kind, object, name, since (seconds since 1970), cause, key, args; count from 2 on. */
struct value *alarm_tree(const struct alarm *alarm, struct arena *arena);

#endif
