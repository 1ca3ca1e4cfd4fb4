/* Calls: the last calls in both directions, one entry each: who, what, when, how it ended and how long it took. The bodies are the
 * recorder's (record.h): an entry holds their numbers there.
 *
 * In memory only, a fixed number of entries. When it is full, the kind of call (platform, method, direction, whether it went well)
 * that has most of them loses its oldest: what comes once a day, and the one failure, stay beside what comes every second. */
#ifndef FC_UPSTREAM_CALLS_H
#define FC_UPSTREAM_CALLS_H

#include <stdint.h>

#include "upstream/mapping.h"
#include "upstream/message.h"

enum { CALL_PLATFORM = 64, CALL_WHY = 120 };

enum call_outcome {
	CALL_ACCEPTED,  /* Ret says so; the business verdict is in the answer */
	CALL_REFUSED,   /* Ret 4001, 4003, 4004 ..., or an answer that can't be trusted */
	CALL_UNREACHED, /* no answer, HTTP status other than 200, no envelope */
	CALL_BUSY,      /* Ret -1, 500, or one that nobody knows */
	CALL_TOKEN,     /* Ret 4002 */
	CALL_HELD,      /* theirs: it is answered when the result is there (option mode sync) */
};
/* "accepted", "refused" ... */
const char *call_outcome_name(enum call_outcome outcome);

struct call {
	uint64_t id;     /* 1.., given by calls_add */
	int64_t wall_ms; /* when it began */
	const struct message *message;
	enum mapping_direction direction; /* MAPPING_OUT: we called */
	enum call_outcome outcome;
	int status; /* HTTP; 0 = none came */
	int has_ret, ret;
	int is_test; /* sent wrong on purpose (conformance.h): nothing is to be concluded from its end */
	int64_t duration_us;
	uint32_t request_bytes, answer_bytes; /* as on the wire; without HTTP's head */
	uint64_t request, answer;             /* numbers in the recorder; 0 = not recorded */
	char platform[CALL_PLATFORM];
	char why[CALL_WHY]; /* "" = went well; masked */
};

struct calls;
/* NULL: no memory. */
struct calls *calls_new(int most);
void calls_free(struct calls *calls);
/* calls NULL: does nothing and returns 0. Else the entry's id. */
uint64_t calls_add(struct calls *calls, const struct call *call);
uint64_t calls_newest(const struct calls *calls); /* its id; 0 = none yet */
/* The oldest with an id above after; NULL: there is none. Valid until the next calls_add. */
const struct call *calls_next(const struct calls *calls, uint64_t after);
/* NULL: never was, or gave way. */
const struct call *calls_find(const struct calls *calls, uint64_t id);

#endif
