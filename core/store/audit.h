/* Audit: who ordered what, when, and how it ended: one row an action, the newest AUDIT_ROWS_MAX are kept. */
#ifndef FC_STORE_AUDIT_H
#define FC_STORE_AUDIT_H

#include <stdint.h>

#include "base/error.h"
#include "store/store.h"

/* What does not fit into its field is cut. 2000 rows take half a megabyte, a megabyte at most. */
enum { AUDIT_ROWS_MAX = 2000, AUDIT_WHO = 64, AUDIT_PLACE = 48, AUDIT_COMMAND = 32, AUDIT_TEXT = 256 };

struct audit_entry {
	int64_t id;              /* grows; given by the store */
	int64_t at_wall;         /* when it was ordered */
	char who[AUDIT_WHO];     /* "user 0 (process 123)" */
	char place[AUDIT_PLACE]; /* from where: an address; "" = on the box */
	char command[AUDIT_COMMAND];
	char arguments[AUDIT_TEXT]; /* JSON as text */
	char before[AUDIT_TEXT];    /* what was there and what is now; "" where the action has no such thing */
	char after[AUDIT_TEXT];
	char result[AUDIT_TEXT]; /* "done", or why not; "" = begun, and its end was never written */
};

/* Durable when it returns. *id: the row's, may be NULL. */
int audit_add(struct store *store, const struct audit_entry *entry, int64_t *id, struct error *err);
/* The end of an action that was added when it began. */
int audit_finish(struct store *store, int64_t id, const char *before, const char *after, const char *result,
		 struct error *err);
/* The newest first, at most most; below: only ids below that one (0 = all). How many, or FC_EIO. */
int audit_each(struct store *store, int64_t below, int most, void (*fn)(void *user, const struct audit_entry *entry),
	       void *user);

#endif
