/* Versions: every version of a script that came into force, when and by what, and its text by content: the same text is stored
 * once. Orders name versions, so that years later it can be seen by which prices a charge was billed.
 *
 * Bounded: VERSIONS_MAX a script and VERSION_TEXTS_MAX bytes of text in all; the oldest go. Kept beyond these bounds is what is in
 * force, the two newest of each script, and what an order of the last VERSION_KEPT_DAYS refers to (version_used), with the modules
 * it was made of. Nothing is written while nothing changes. */
#ifndef FC_STORE_VERSIONS_H
#define FC_STORE_VERSIONS_H

#include "store/journal.h"

enum {
	VERSION_ITEM = 80,
	VERSION_ORIGIN = 80,
	VERSIONS_MAX = 200,
	VERSION_TEXTS_MAX = 4 << 20,
	VERSION_KEPT_DAYS = 400,
};

struct version {
	int64_t id;                 /* later ones are larger */
	char item[VERSION_ITEM];    /* "operators/x", "lib/y" */
	char hash[JOURNAL_VERSION]; /* SHA-256 of its text */
	char whole
	    [JOURNAL_VERSION]; /* of text and modules: the version that orders name; the same when it requires nothing */
	int64_t at_wall;       /* when it came into force */
	char origin[VERSION_ORIGIN]; /* "start", "file", "signal", "command", "rollback to 0123456789ab" */
};

/* Adds a version behind all others, and its text unless that is there. Within the caller's transaction. FC_OK, FC_EIO. */
int version_add(struct store *store, const struct version *version, const char *text, size_t len, struct error *err);
/* The text alone: one that was lost with a damaged page. */
int version_add_text(struct store *store, const char *hash, const char *text, size_t len, struct error *err);
/* The version whole is made of this text of that module, too. */
int version_add_part(struct store *store, const char *whole, const char *item, const char *hash, struct error *err);
/* The newest of an item. FC_OK, FC_ENOENT, FC_EIO. */
int version_last(struct store *store, const char *item, struct version *version);
/* Nonzero when the item has had that version. */
int version_is_known(struct store *store, const char *item, const char *whole);
/* The newest first, those before the id (0 = all) of an item (NULL = of all), most at most. Returns how many, or FC_EIO. */
int version_each(struct store *store, const char *item, int64_t before, int most,
		 void (*fn)(void *user, const struct version *version), void *user);
/* The modules of a version. Returns how many, or FC_EIO. */
int version_each_part(struct store *store, const char *whole,
		      void (*fn)(void *user, const char *item, const char *hash), void *user);
/* FC_OK and fn called once; FC_ENOENT, FC_EIO. The text is SQLite's, and not terminated. */
int version_text(struct store *store, const char *hash, void (*fn)(void *user, const char *text, size_t len),
		 void *user);
/* Nonzero when the text is there. */
int version_has_text(struct store *store, const char *hash);
/* An order refers to the version at that time. Written once a day. whole may be "". */
void version_used(struct store *store, const char *whole, int64_t wall);
/* Drops the oldest of an item that has too many, and of all while the texts are too large. is_kept: what is in force. Within the
 * caller's transaction. FC_OK, FC_EIO. */
int version_trim(struct store *store, const char *item, int64_t now,
		 int (*is_kept)(void *user, const struct version *version), void *user, struct error *err);

#endif
