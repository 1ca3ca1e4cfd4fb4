/* Lookup: small tables of texts that scripts keep over reloads and restarts (a platform's own number of a connector ...). A table has
 * a name within a space (a platform's section, a policy's name); a key has one value, a value may have several keys. */
#ifndef FC_STORE_LOOKUP_H
#define FC_STORE_LOOKUP_H

#include "store/store.h"

enum {
	LOOKUP_TEXT_MAX = 200,      /* bytes of a key or a value */
	LOOKUP_NAME_MAX = 95,       /* of a space or a table */
	LOOKUP_ENTRIES_MAX = 10000, /* of a table; the one that was put or changed the longest time ago goes */
	LOOKUP_TABLES_MAX = 16,     /* of a space */
};

struct lookup_entry {
	const char *name;  /* of the table */
	const char *key;   /* not empty */
	const char *value; /* NULL: the key is removed */
};

/* The value of a key. FC_OK; FC_ENOENT; FC_ELIMIT when out is too small (LOOKUP_TEXT_MAX + 1 always suffices); FC_EIO. */
int lookup_get(struct store *store, const char *space, const char *name, const char *key, char *out, size_t size);
/* The key of a value: of several the one that was put last (rank 0), the one before it (rank 1) ... The same results. */
int lookup_key(struct store *store, const char *space, const char *name, const char *value, int rank, char *out,
	       size_t size);
/* Keeps all entries, in their order, on the disk when this returns. What is there already is not written again, and does not become
 * younger: flash is spared. FC_OK; nothing was kept with FC_ELIMIT (a text is too long or empty, too many tables), FC_EBUSY
 * (within a transaction: a caller's mistake), FC_EIO. */
int lookup_put(struct store *store, const char *space, const struct lookup_entry *entries, int count,
	       struct error *err);
/* Entries of a table; FC_EIO. */
int lookup_count(struct store *store, const char *space, const char *name);

#endif
