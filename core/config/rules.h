/* Rules: what must hold between options and between objects, and what follows from them (defaults that depend on
 * other options). */
#ifndef FC_CONFIG_RULES_H
#define FC_CONFIG_RULES_H

#include <stddef.h>

#include "config/config.h"

struct rules_place {
	/* Says one mistake: which object (type and place in its list), which option ("" = the object), what is wrong. */
	void (*mistake)(void *user, const char *type, int index, const char *option, const char *what);
	/* Nonzero unless the option was found wrong by itself: then its field is a default that proves nothing. */
	int (*is_sound)(void *user, const char *type, int index, const char *option);
	/* Nonzero when the file says it. */
	int (*is_given)(void *user, const char *type, int index, const char *option);
	void *user;
};

/* Checks all rules and fills the dependent defaults. Objects with mistakes are in config too (references that lead nowhere
 * are -1). FC_OK also when mistakes were said; FC_ENOMEM. */
int rules_apply(struct config *config, const struct rules_place *place);

/* For the files of the rules only: what all of them use. */
struct rules {
	struct config *c;
	const struct rules_place *place;
};
void rules_say(struct rules *r, const char *type, int index, const char *option, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));
int rules_is_sound(const struct rules *r, const char *type, int index, const char *option);
/* Text that must not repeat within a list of objects: sorted, so that a thousand connectors take no million comparisons. */
struct rules_entry {
	const char *text, *name;
	const char *type;
	int index;
};
/* For qsort: by text, type, place. */
int rules_compare(const void *a, const void *b);
struct rules_entry *rules_entries(int count);
/* entries holds count texts; "" does not count. Sorts them. */
void rules_unique(struct rules *r, struct rules_entry *entries, int count, const char *option);

/* Buses, and what is on them. FC_OK, FC_ENOMEM. */
int rules_buses(struct rules *r);
/* Meters and BMS of connectors: what the options name, into their sources. */
int rules_sources(struct rules *r);

#endif
