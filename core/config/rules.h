/* Rules: what must hold between options and between objects, and what follows from them (defaults that depend on
 * other options). */
#ifndef FC_CONFIG_RULES_H
#define FC_CONFIG_RULES_H

#include "config/config.h"

/* Says one mistake: which object (type and place in its list), which option ("" = the object), what is wrong. */
typedef void (*rules_mistake)(void *user, const char *type, int index, const char *option, const char *what);

/* Checks all rules and fills the dependent defaults. FC_OK also when mistakes were said; FC_ENOMEM. */
int rules_apply(struct config *config, rules_mistake mistake, void *user);

#endif
