/* Profile, compiled: what a charger's Lua table becomes. For this room only; others see device.h. */
#ifndef FC_DEVICE_PROFILE_H
#define FC_DEVICE_PROFILE_H

#include <stdint.h>

#include "base/value.h"
#include "device/device.h"
#include "script/script.h"

enum {
	PROFILE_NAME = 32,
	PROFILE_DENY_MAX = 16,
	PROFILE_STATES_MAX = 64,
	PROFILE_FAULTS_MAX = 16,
	PROFILE_INVALID_MAX = 4,
	PROFILE_CONNECTORS_MAX = 16,
	PROFILE_COMMANDS_MAX = 8,
	PROFILE_COMMAND_WORDS = 4,
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
};

struct point {
	char name[PROFILE_NAME];
	char unit[16];
	enum point_type type;
	uint8_t function;
	uint16_t address, words; /* bits when function is 1 or 2 */
	int low_first;           /* first register holds the low word */
	int swap;                /* text: bytes of each word swapped */
	int shared;              /* the same address for all connectors */
	int shift;
	uint64_t mask; /* 0 = none */
	double scale, offset;
	int has_range;
	double min, max;
	uint64_t invalid[PROFILE_INVALID_MAX];
	int invalid_count;
	uint32_t period_ms; /* 0 = the charger's */
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
struct profile_command {
	char name[PROFILE_NAME];
	uint8_t function; /* 5, 6, 15 or 16 */
	uint16_t address, count;
	uint16_t words[PROFILE_COMMAND_WORDS];
	int shared; /* the same address for all connectors */
};

struct profile {
	char name[64];
	char hash[65];
	uint64_t fingerprint; /* of what was compiled, modules that the file requires included */
	struct point points[DEVICE_POINTS_MAX];
	int point_count;
	int connectors, stride;
	int max_words, merge_gap, single;
	uint32_t gap_ms;
	struct register_range deny[PROFILE_DENY_MAX];
	int deny_count;
	struct status_rules status;
	struct profile_command commands[PROFILE_COMMANDS_MAX];
	int command_count;
	struct sources *sources; /* what it was made of; owned, last: no part of the fingerprint */
};

/* Compiles the table that a profile file returned. FC_OK, or FC_EINVAL with "file: points.power.type: what is wrong and
 * what is allowed; next place: ...": all mistakes of the file, as many as the text holds; the rest go to the log. */
int profile_compile(const struct value *table, const char *path, struct profile *profile, struct error *err);
/* Runs the table's examples: registers in, status and points out. */
int profile_run_examples(const struct value *table, const char *path, const struct profile *profile, struct error *err);

#endif
