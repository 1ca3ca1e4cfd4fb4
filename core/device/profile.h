/* Profile, compiled: what a charger's Lua table becomes. For this room only; others see device.h. */
#ifndef FC_DEVICE_PROFILE_H
#define FC_DEVICE_PROFILE_H

#include <stdint.h>

#include "base/value.h"
#include "device/device.h"
#include "device/report.h"
#include "script/script.h"

enum {
	PROFILE_NAME = 32,
	PROFILE_POINTS_MAX = 96, /* what is read: points and their variants */
	PROFILE_DENY_MAX = 16,
	PROFILE_STATES_MAX = 64,
	PROFILE_FAULTS_MAX = 16,
	PROFILE_INVALID_MAX = 4,
	PROFILE_CONNECTORS_MAX = 16,
	PROFILE_COMMANDS_MAX = 8,
	PROFILE_COMMAND_WORDS = 4,
	PROFILE_STEPS_MAX = 64,   /* of all commands together */
	PROFILE_MATCHES_MAX = 48, /* conditions, of the whole file */
	PROFILE_MATCH_VALUES = 8,
	PROFILE_RANGES_MAX = 16,
	PROFILE_GROUPS_MAX = 16,
	PROFILE_BIT_NAMES_MAX = 64,
	PROFILE_KEEP_ALIVES_MAX = 4,
	PROFILE_PARTS = 4, /* 1.2.3.4 */
	/* Charging waits 50 s for a result at most (protocol.md 2.9). */
	PROFILE_SEQUENCE_MS = 40000,
};

enum point_type {
	POINT_U16,
	POINT_S16,
	POINT_U32,
	POINT_S32,
	POINT_U64,
	POINT_S64,
	POINT_F32,
	POINT_F64,
	POINT_TEXT,
	POINT_BOOL,
	POINT_BITS, /* a text: the names of the bits that are set */
	POINT_BCD,
	POINT_SBCD, /* its highest bit is the sign */
	POINT_HEX,  /* a text */
	POINT_RAW,  /* for a hook only: it gets the registers */
};

enum text_encoding { TEXT_ASCII, TEXT_UTF8, TEXT_UTF16 };

/* References to other entries (links, groups, conditions, ranges) are places counted from 1; 0 = none. */
struct point {
	char name[PROFILE_NAME];
	char unit[16];
	enum point_type type;
	uint8_t function;
	uint16_t address, words; /* bits when function is 1 or 2 */
	int low_first;           /* first register holds the low word */
	int permuted;            /* byte i of the registers is byte order[i] of the value, 0 the highest */
	uint8_t order[8];
	int swap;   /* text: bytes of each word swapped */
	int shared; /* the same address for all connectors */
	int shift;
	int shift_stride; /* so many bits more for each further connector */
	uint64_t mask;    /* 0 = none */
	double scale, offset;
	int has_range;
	double min, max;
	uint64_t invalid[PROFILE_INVALID_MAX];
	int invalid_count;
	uint32_t period_ms; /* 0 = the charger's */
	enum text_encoding encoding;
	uint8_t skip, chars; /* text: bytes left out before it, most characters of it (0 = all) */
	int has_stride;
	int stride;         /* instead of the profile's */
	uint16_t elsewhere; /* bit n-1: connector n's is at at[n-1] */
	uint16_t at[PROFILE_CONNECTORS_MAX];
	int has_unit_id;
	uint8_t unit_id;                    /* instead of the charger's */
	int decimals_from, decimals_offset; /* times 10 ^ (that point + decimals_offset) */
	int scale_from[2];                  /* times those points */
	int valid[2];                       /* conditions: unknown unless all hold */
	int group, range;
	int optional;
	int hook;
	int target;          /* a variant: the point that it is a variant of */
	int variants;        /* the firmware must be known before it is read */
	int personal;        /* about a person: a vehicle's number, a card; logs and lists show its end only */
	uint32_t identifier; /* of a DL/T 645 meter; address is a number of ours then */
	uint8_t bytes;       /* that count, the last ones of its words; 0 = all */
	int signal;          /* of a listening profile: place in gbt_signals(), from 1 */
};

struct bit_name {
	int point; /* place, from 0 */
	int bit;
	char name[24];
};

/* A version such as 1.2.1, and bounds that all hold. */
struct firmware_version {
	uint32_t part[PROFILE_PARTS];
};
enum firmware_relation { FIRMWARE_EQUAL, FIRMWARE_NOT, FIRMWARE_LESS, FIRMWARE_MOST, FIRMWARE_MORE, FIRMWARE_LEAST };
struct firmware_range {
	int count;
	enum firmware_relation relation[2];
	struct firmware_version bound[2];
};
/* How the firmware point says it: a text with 1.2.1 in it, one number, decimal digits XXYYZZ, or a byte each. */
enum firmware_form { FIRMWARE_TEXT, FIRMWARE_NUMBER, FIRMWARE_DECIMAL, FIRMWARE_BYTES };

struct point_group {
	char name[PROFILE_NAME];
	int optional, range;
};

/* A point has (or has not) one of these values. */
struct profile_match {
	int point; /* place, from 0 */
	int negated;
	int count;
	struct {
		int is_text;
		int64_t milli;
		char text[16];
	} values[PROFILE_MATCH_VALUES];
};

struct status_state {
	int is_text;
	int64_t number;
	char text[16];
	enum connector_status status;
};

struct status_fault {
	int point;
	int negated;   /* true when the value is NOT number */
	uint64_t mask; /* nonzero: true when any of these bits is set */
	int64_t number;
};

struct status_rules {
	int point; /* -1: the profile derives no status (a meter) */
	struct status_state states[PROFILE_STATES_MAX];
	int state_count;
	enum connector_status otherwise;
	struct status_fault faults[PROFILE_FAULTS_MAX];
	int fault_count;
};

struct register_range {
	uint16_t first, last;
};

/* A write with fixed values. */
struct profile_write {
	uint8_t function; /* 5, 6, 15 or 16 */
	uint16_t address, count;
	uint16_t words[PROFILE_COMMAND_WORDS];
	int shared; /* the same address for all connectors */
};

/* STEP_SEND: a frame of a CAN profile. */
enum step_kind { STEP_WRITE, STEP_WAIT, STEP_CHECK, STEP_LIMIT, STEP_PAUSE, STEP_SEND };

struct profile_step {
	enum step_kind kind;
	struct profile_write write;
	uint32_t ms;   /* STEP_WAIT; STEP_CHECK: within */
	int match;     /* STEP_CHECK */
	int64_t milli; /* STEP_LIMIT */
	int order;     /* STEP_SEND: place in struct can_plan, from 1 */
};

/* Steps that are taken in turn; a step that fails ends it. */
struct profile_command {
	char name[PROFILE_NAME];
	int first_step, steps;
};

/* What a charger must hear again and again: a write, or a read (function 3 or 4) whose answer is not looked at. */
struct profile_keep_alive {
	struct profile_write write;
	uint32_t period_ms;
	int period_from;     /* the period is this point's value in seconds */
	double period_share; /*   times this; period_ms while it is unknown or 0 */
	int unless;          /* condition */
	int value_from;      /* writes this point's value instead of a fixed one */
};

/* The register that limits a connector's current or power. */
struct profile_setpoint {
	int used;
	struct profile_write write; /* without words */
	struct point
	    form; /* type, order, scale, offset, unit; scaled by other points: not written while they are unknown */
	double min, max;
	int has_pause, has_safe, has_initial;
	double pause, safe, initial;
	uint32_t refresh_ms; /* 0 = written once */
	int refresh_from;    /* as period_from and period_share of a keep-alive */
	double refresh_share;
	int verify; /* the point that reads it back, place from 1; 0 = none */
	uint32_t verify_ms;
	double verify_within; /* in its unit; 0 = half a step of the register */
	int verify_at_most;   /* what reads back may be less */
};

/* What the file was tried on: nothing but its examples, a simulated device of that maker, or the device. */
enum profile_tested { TESTED_EXAMPLES, TESTED_SIMULATOR, TESTED_HARDWARE };

/* What the charger needs of its line, as text for people; the configuration decides. */
struct profile_line {
	char framing[20]; /* "" = not said */
	int baud, data_bits, stop_bits;
	char parity;
	int connections, connect_timeout_ms, response_timeout_ms, byte_timeout_ms;
};

struct agent_kind;
struct can_plan;

struct profile {
	char name[64];
	char hash[65];
	uint64_t fingerprint; /* of all that the reads and the values' places depend on */
	struct point points[PROFILE_POINTS_MAX];
	int point_count; /* that have a value */
	int read_count;  /* with the variants behind them */
	int connectors, stride;
	uint16_t elsewhere; /* bit n-1: connector n's registers are moved by offsets[n-1] */
	uint16_t offsets[PROFILE_CONNECTORS_MAX];
	int unit_stride;
	int dlt645; /* a meter that speaks DL/T 645: no Modbus */
	int max_words, merge_gap, single;
	int longer_answers;       /* more words than asked for may come: chargers.md 4, row 25 */
	uint32_t gap_ms, rest_ms; /* before a request; after a write */
	uint32_t least_period_ms;
	struct register_range deny[PROFILE_DENY_MAX];
	int deny_count;
	struct register_range deny_write[PROFILE_DENY_MAX];
	int deny_write_count;
	int firmware_point; /* place from 1 */
	enum firmware_form firmware_form;
	struct firmware_range ranges[PROFILE_RANGES_MAX];
	int range_count;
	struct point_group groups[PROFILE_GROUPS_MAX];
	int group_count;
	struct bit_name bit_names[PROFILE_BIT_NAMES_MAX];
	int bit_name_count;
	struct profile_keep_alive keep_alives[PROFILE_KEEP_ALIVES_MAX];
	int keep_alive_count;
	const struct agent_kind *agent; /* of a CAN device; NULL: it speaks Modbus */
	/* From here on nothing of it is in the fingerprint: a change does not open a line again. */
	struct status_rules status;
	struct profile_match matches[PROFILE_MATCHES_MAX];
	int match_count;
	struct profile_setpoint setpoint;
	struct profile_command commands[PROFILE_COMMANDS_MAX];
	int command_count;
	struct profile_step steps[PROFILE_STEPS_MAX];
	int step_count;
	int unlock_while_charging; /* command unlock ends a charge safely */
	uint64_t commands_print;   /* fingerprint of conditions, setpoint and commands */
	struct profile_line line;
	char description[100], source[200]; /* cut; for people */
	enum profile_tested tested;
	int example_count;
	struct can_plan *can;    /* of a polled CAN profile (can_plan.h), else NULL; owned */
	struct sources *sources; /* what it was made of; owned */
	struct script *script;   /* kept when there are hooks, else NULL */
	struct hook_count {
		uint64_t calls, failures;
		int64_t said_us; /* the last failure in the log */
		int unsaid;
	} hooks;
};

/* Nonzero when a point of that name is about a person: the one list of such names. */
int profile_is_personal(const char *name);
/* Where a point, or what lies at address, is for a connector (number from 1; 0 as 1). */
uint32_t profile_address(const struct profile *profile, const struct point *point, int number);
uint32_t profile_write_address(const struct profile *profile, const struct profile_write *write, int number);
/* The unit asked for it, base being the charger's. */
uint8_t profile_unit(const struct profile *profile, const struct point *point, int number, uint8_t base);
/* profile_fits for one of config's units (config_unit), whatever profile it names. */
int profile_fits_unit(const struct profile *profile, const struct config *config, int unit, struct error *err);
/* How often a point is read. */
uint32_t profile_period(const struct profile *profile, const struct point *point, uint32_t poll_ms);
/* Nonzero when the match holds; values[] by point. 0 when the point is not GOOD. */
int profile_match_holds(const struct profile_match *match, const struct point_value *values);
/* The version that the firmware point says. FC_OK, FC_EINVAL when it says none. */
int profile_version(const struct profile *profile, const struct point_value *value, struct firmware_version *version);
int profile_range_holds(const struct firmware_range *range, const struct firmware_version *version);
/* Nonzero when points[place] is what is read with that firmware (NULL = not known yet). */
int profile_reads(const struct profile *profile, int place, const struct firmware_version *version);
/* "1.2.1" or v1.2.1: the first number in a text on. FC_OK, FC_EINVAL. */
int firmware_parse(const char *text, struct firmware_version *version);
/* A setpoint's value (in thousandths) as the write's words; values[] by point, of that connector. FC_OK, FC_EINVAL while what it
 * is scaled by is not known. */
int profile_encode(const struct profile_setpoint *setpoint, int64_t milli, const struct point_value *values,
		   struct profile_write *write);

/* Compiles the table that a profile file returned, hooks by the names of its functions. FC_OK, or FC_EINVAL with "file:
 * points.power.type: what is wrong and what is allowed; next place: ...": all mistakes of the file, as many as the text holds; the
 * rest go to the log, or all of them to the listener. */
int profile_compile(const struct script *script, struct profile *profile, const struct profile_listener *listener,
		    struct error *err);
/* Runs the table's examples: registers in, status and points out. */
int profile_run_examples(struct script *script, struct profile *profile, struct error *err);

#endif
