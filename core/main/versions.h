/* Versions: notes which Lua came into force. Called when something was loaded; what is in force is looked through, what is new of
 * it goes into the store (store/versions.h). */
#ifndef FC_MAIN_VERSIONS_H
#define FC_MAIN_VERSIONS_H

#include "control/in_force.h"
#include "store/store.h"

struct versions;

/* The store is borrowed. NULL when there is no memory. */
struct versions *versions_new(struct store *store, const struct in_force *all);
void versions_free(struct versions *versions);
/* After every successful start, apply or swap. origin: "start", "file", "signal", "command", "rollback to 0123456789ab". A version
 * that was in force before makes no entry. What can't be written now (a full disk) is written by versions_tend. */
void versions_note(struct versions *versions, const char *origin);
/* From time to time. */
void versions_tend(struct versions *versions);

#endif
