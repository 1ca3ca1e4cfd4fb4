/* Rest: a function that hits its limits again and again would take its whole time of the loop at every message. After REST_AFTER hits
 * in a row it is left out for a while; then one more hit is enough. */
#ifndef FC_SCRIPT_REST_H
#define FC_SCRIPT_REST_H

#include <stddef.h>
#include <stdint.h>

#include "base/value.h"

enum { REST_AFTER = 3, REST_MS = 60000 };

struct rest_entry {
	const char *function; /* its path; borrowed */
	int hits;             /* limits hit in a row */
	int64_t until_ms;     /* monotonic; 0: it may be called */
};

struct rest {
	struct rest_entry *entries;
	size_t count;
};

/* functions: a list of paths, which outlives rest. FC_OK, FC_ENOMEM. */
int rest_init(struct rest *rest, const struct value *functions);
void rest_fini(struct rest *rest);
/* Seconds that the function is still left out; 0: call it. */
int rest_left_s(const struct rest *rest, const char *function, int64_t now_ms);
/* How a call ended; nonzero when the function is left out from now on: to be logged. */
int rest_note(struct rest *rest, const char *function, int hit_limit, int64_t now_ms);

#endif
