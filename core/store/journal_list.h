/* Journal list: looking through the journal. It holds years: who looks gets a page at a time, so that neither the loop is held
 * up nor memory grows with it. */
#ifndef FC_STORE_JOURNAL_LIST_H
#define FC_STORE_JOURNAL_LIST_H

#include "store/journal.h"

enum { JOURNAL_LOOKS = 1000 }; /* entries looked at for one page at most, whether they fit or not */

/* What has become of telling it. */
enum journal_told {
	JOURNAL_ANY,
	JOURNAL_WAITING,   /* somebody has not answered to it yet */
	JOURNAL_DISPUTED,  /* somebody has disputed it */
	JOURNAL_CONFIRMED, /* all to whom it was told have confirmed it */
};

struct journal_query {
	int open;              /* those that run, else the closed ones */
	const char *platform;  /* that started it; NULL = whoever did */
	const char *connector; /* NULL = any */
	const char *search;    /* stands in its number, its connector or its platform, in capitals or not; NULL = any */
	enum journal_told told;
	int64_t first, last; /* a closed one ended then; an open one began then */
	int oldest_first;    /* by the end; open ones: by their number */
	int most;            /* told at most */
};

/* Where a page ended, and the next one begins. seq "" = at the beginning. */
struct journal_place {
	int64_t end_wall;
	char seq[JOURNAL_SEQ];
};

/* Tells the next page and moves place behind it. 1 when there may be more, 0 when that was all, FC_EIO. A page may be empty and
 * not the last. */
int journal_page(struct store *store, const struct journal_query *query, struct journal_place *place,
		 void (*fn)(void *user, const struct journal_order *order), void *user);
/* How many are open, or FC_EIO. */
int64_t journal_count_open(struct store *store);
/* What is to be told of an order to whom, and how far that is; oldest first. Returns how many, or FC_EIO. */
int outbox_of(struct store *store, const char *seq, void (*fn)(void *user, const struct outbox_entry *entry),
	      void *user);
/* What is not confirmed, as counts by platform (configured or not) and state. FC_OK, FC_EIO. */
int outbox_unsettled(struct store *store,
		     void (*fn)(void *user, const char *platform, enum outbox_state state, int64_t count), void *user);
/* When the oldest order ended that waits for a platform; NULL = for any. FC_OK, FC_ENOENT: none waits, FC_EIO. */
int outbox_oldest(struct store *store, const char *platform, int64_t *end_wall);

#endif
