/* Differ: where two messages differ, field by field, as they would stand on the wire: 10.0 and 10 are not the same. What is
 * personal in the first was masked when it was recorded, and is compared by its form. */
#ifndef FC_UPSTREAM_DIFFER_H
#define FC_UPSTREAM_DIFFER_H

#include "base/value.h"
#include "upstream/personal.h"

enum { DIFFER_PATH = 200, DIFFER_TEXT = 80 };

enum difference_kind { DIFFERENCE_CHANGED, DIFFERENCE_LOST, DIFFERENCE_ADDED };
const char *difference_name(enum difference_kind kind); /* "changed", "lost", "added" */

struct difference {
	enum difference_kind kind;
	char path[DIFFER_PATH];                       /* StationInfos[2].Power */
	char field[DIFFER_PATH];                      /* StationInfos[].Power: the same for all items */
	char before[DIFFER_TEXT], after[DIFFER_TEXT]; /* as JSON, cut; "" where there is nothing */
};

struct differ {
	const struct schema *schema;
	const struct personal_ids *ids; /* of the recorded message */
	int masked;                     /* before was masked */
	void (*fn)(void *user, const struct difference *difference);
	void *user;
	int count;   /* differences told */
	int by_form; /* places that could only be compared by their form, and were of the same */
};

/* Tells every place. Members count in any order. */
void differ_run(struct differ *differ, const struct value *before, const struct value *after);

#endif
