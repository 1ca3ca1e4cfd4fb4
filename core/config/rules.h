/* Rules: what must hold between options and between objects, and what follows from them (defaults that depend on
 * other options). */
#ifndef FC_CONFIG_RULES_H
#define FC_CONFIG_RULES_H

#include "config/config.h"

struct rules_place {
	/* Says one mistake: which object (type and place in its list), which option ("" = the object), what is wrong. */
	void (*mistake)(void *user, const char *type, int index, const char *option, const char *what);
	/* Nonzero unless the option was found wrong by itself: then its field is a default that proves nothing. */
	int (*is_sound)(void *user, const char *type, int index, const char *option);
	void *user;
};

/* Checks all rules and fills the dependent defaults. Objects with mistakes are in config too (references that lead nowhere
 * are -1). FC_OK also when mistakes were said; FC_ENOMEM. */
int rules_apply(struct config *config, const struct rules_place *place);

#endif
