/* GB/T 27930, listened to: what a charger (0x56) and a vehicle's battery management (BMS, 0xf4) tell each other on CAN, 2015 and 2011
 * editions (chargers.md 2.1 to 2.7). A pure decoder: frames and times go in, values and events come out. It never transmits: it has
 * no way to.
 *
 * The gateway may start in the middle of a charge, miss acknowledgements, or hear a bus that does not keep to the order: the phase
 * follows from what is heard; the edition is unknown until there is evidence; values that read the same in both are given anyway.
 * What is not in the tables (newer editions, other sources) is counted and does no harm.
 *
 * Currents are positive while the battery is charged. (On the wire a charging current is negative: raw * 0.1 - 400 A.)
 * A field of all ones is not said: unknown. So is what lies outside its meaning. Unknown is never zero.
 *
 * Values live as long as the session: a new one (and a silent bus) makes them unknown; why the last charge stopped, its end values
 * and the counters stay until the next begins. Times are monotonic microseconds. Nothing is allocated after gbt_new. */
#ifndef FC_DEVICE_GBT27930_H
#define FC_DEVICE_GBT27930_H

#include <stdint.h>

#include "bus/can.h"
#include "bus/j1939.h"
#include "device/device.h"

enum { GBT_CHARGER = 0x56, GBT_CAR = 0xf4, GBT_VIN_SIZE = 18, GBT_MESSAGES_MAX = 32 };

enum gbt_edition { GBT_EDITION_UNKNOWN = 0, GBT_2011 = 2011, GBT_2015 = 2015 };

/* The signal "phase" has these numbers, "phase.name" their names. */
enum gbt_phase {
	GBT_IDLE,           /* nothing is said: no car, or it has gone */
	GBT_HANDSHAKE,      /* CHM, BHM */
	GBT_IDENTIFICATION, /* CRM, BRM */
	GBT_CONFIGURATION,  /* BCP, CTS, CML, BRO, CRO */
	GBT_CHARGING,       /* BCL, BCS, CCS, BSM ... */
	GBT_STOPPING,       /* BST, CST */
	GBT_ENDED,          /* BSD, CSD */
	GBT_ERROR,          /* BEM, CEM: someone waited in vain */
};
const char *gbt_phase_name(enum gbt_phase phase);

/* Who ended it. A fault names the side that saw it, and is marked as one. */
enum gbt_by { GBT_BY_UNKNOWN, GBT_BY_CAR, GBT_BY_CHARGER, GBT_BY_PERSON };
const char *gbt_by_name(enum gbt_by by);

/* Why a charge stopped or failed. code is stable: for rules and records; en and zh are for people. */
struct gbt_reason {
	const char *code;
	enum gbt_by by;
	int fault;
	const char *en, *zh;
	struct {
		uint8_t source, byte, bit;
	} said; /* where: for gbt_reason.c */
};
/* All of them, for tables and translations. */
const struct gbt_reason *gbt_reasons(int *count);

/* Where a signal is on the wire: for gbt_decode.c. */
struct gbt_place {
	uint8_t form, message;
	uint8_t byte, bit, bits;      /* from 1, as the standard counts; length */
	int32_t scale, offset;        /* in thousandths; scale 0: 1 */
	uint16_t most;                /* largest raw value that makes sense; 0: any */
	uint8_t byte_2011, bits_2011; /* where the 2011 edition has it; 0: in the same place */
};

struct gbt_signal {
	const char *name; /* "BCS.soc", "stop.reason" */
	const char *unit; /* "V", "%", ""; of the values in thousandths */
	int is_text;
	int personal;       /* the VIN: for the order; masked in logs (DESIGN.md rule 8) */
	uint32_t period_ms; /* how often it is told; 0: once, and it stands for the session */
	struct gbt_place place;
};
/* The list is the same in every run; a signal is its place in it. place.message is that of gbt_get_message, or more: of none. */
const struct gbt_signal *gbt_signals(int *count);
/* -1: none of that name. */
int gbt_signal_find(const char *name);

/* Who waits in vain, and for what (chargers.md 2.5). */
struct gbt_wait {
	const char *code; /* "BCL" */
	const char *who;  /* "charger", "car", "both" */
	uint32_t limit_ms;
	const char *en;
};

enum gbt_what {
	GBT_PHASE,     /* phase, from */
	GBT_EDITION,   /* edition is known, or another */
	GBT_RESTARTED, /* begun again from the identification, within one session */
	GBT_WAITED,    /* wait */
	GBT_TRANSPORT, /* a long message failed: transport */
};

struct gbt_event {
	enum gbt_what what;
	int64_t mono_us;
	enum gbt_phase phase, from;
	enum gbt_edition edition;
	const struct gbt_wait *wait;
	const struct j1939_event *transport;
};

struct gbt_stats {
	uint64_t frames;      /* all that were given */
	uint64_t messages;    /* of the tables, whole */
	uint64_t foreign;     /* neither between charger and car, nor extended data frames */
	uint64_t unknown;     /* PGNs that are not in the tables: a newer edition? */
	uint32_t unknown_pgn; /* the last of them */
	uint64_t misdirected; /* a message of the car from the charger, or the other way round */
	uint64_t malformed;   /* shorter than any edition has them */
	uint64_t diagnostics; /* DM1 to DM6 */
	uint32_t sessions;    /* begun, or joined while they ran */
	uint32_t joined;      /* of these, heard from the middle on */
	uint32_t restarts;    /* begun again after an error, or without one */
	uint32_t cut;         /* charges that ended without BST or CST */
	uint32_t resumed;     /* charging went on after a stop or an error */
	uint32_t waited;      /* time-outs */
	struct j1939_stats transport;
};

/* One message of the tables, as it was heard. */
struct gbt_message {
	const char *name;
	uint32_t pgn;
	int from_car;
	uint32_t period_ms; /* 0: no period that counts */
	uint64_t count;
	int64_t last_us; /* 0: never */
};

struct gbt;
/* event may be NULL; it may read g, but not change it. NULL: no memory. */
struct gbt *gbt_new(void (*event)(void *user, const struct gbt_event *event), void *user);
void gbt_free(struct gbt *g);
/* Takes a frame. Time is the frame's mono_us, and never goes back. */
/* The message that it made whole (a place for gbt_get_message); -1: none. */
int gbt_frame(struct gbt *g, const struct can_frame *frame);
/* Time passes: what is overdue is told. The outcome does not depend on how often it is called; some times a second is enough. */
void gbt_tick(struct gbt *g, int64_t now_us);
/* We hear nothing more (the port is down): what was heard is no longer known, and nobody is blamed for the silence. */
void gbt_deaf(struct gbt *g, int64_t now_us);

/* quality is GOOD or UNKNOWN; whether it is still fresh is the caller's to say, by mono_us (when it was heard) and the signal's period.
 * FC_ENOENT: no such signal. */
int gbt_get(const struct gbt *g, int signal, struct point_value *out);
enum gbt_phase gbt_phase(const struct gbt *g);
enum gbt_edition gbt_edition(const struct gbt *g);
/* Why the last charge stopped, refined while both sides speak; NULL while there is nothing to say. A BST or CST without a reason has
 * the code "none_car" or "none_charger". */
const struct gbt_reason *gbt_stop(const struct gbt *g);
/* What BEM or CEM said last in this session; NULL: nothing. */
const struct gbt_reason *gbt_error(const struct gbt *g);
/* Personal. 1 and the vehicle's number when it was heard and is one (17 printable characters); else 0 and "". */
int gbt_vin(const struct gbt *g, char out[GBT_VIN_SIZE]);
/* Cells and sensors from BMV and BMT, counted from 0, in thousandths. FC_OK, FC_ENOENT (not heard, or not so many), FC_EINVAL (not said). */
int gbt_cell(const struct gbt *g, int cell, int64_t *millivolts);
int gbt_temperature(const struct gbt *g, int sensor, int64_t *millidegrees);
/* Changes whenever phase, edition, a reason or a time-out do: then any value may have, not only those of the last message. */
uint32_t gbt_changes(const struct gbt *g);
void gbt_get_stats(const struct gbt *g, struct gbt_stats *stats);
/* FC_ENOENT past the last. */
int gbt_get_message(const struct gbt *g, int index, struct gbt_message *out);

#endif
