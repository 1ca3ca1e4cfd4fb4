/* Journal: orders, and what of them is still to be told to whom. An order is sacred (DESIGN.md, rule 1): what these functions
 * report as done is on the disk (WAL, synchronous FULL), and nothing is deleted here (retain.h).
 *
 * An order is opened once, noted from time to time while it runs, and closed once, in one transaction with its entries in the
 * outbox. Repeats are answered by what is there already. */
#ifndef FC_STORE_JOURNAL_H
#define FC_STORE_JOURNAL_H

#include "store/store.h"

enum { JOURNAL_SEQ = 28, JOURNAL_NAME = 64, JOURNAL_VERSION = 65 };

struct journal_order {
	char seq[JOURNAL_SEQ]; /* StartChargeSeq, 27 characters */
	char connector_id[JOURNAL_NAME];
	char platform[JOURNAL_NAME]; /* section of the platform that started it, "" = none */
	int mode;                    /* the charge room's: who started it */
	int closed;
	int64_t start_wall, end_wall; /* seconds since 1970; end 0 while it runs */
	int64_t wh, money_e4;
	int reason;         /* StopReason */
	const char *record; /* all the rest as JSON; never NULL. Read: valid inside the callback only */
};

/* FC_OK, FC_EEXIST when there is an order of that seq, FC_EIO. */
int journal_open(struct store *store, const struct journal_order *order, struct error *err);
/* What has changed of a running order. FC_ENOENT when there is no open one of that seq. */
int journal_note(struct store *store, const struct journal_order *order, struct error *err);
/* Who is to get an order, and as which message; both borrowed. */
struct journal_recipient {
	const char *platform, *method;
};
/* Closes it, and puts it into the outbox of each recipient. FC_OK, FC_ENOENT when there is no open one of that seq, FC_EIO:
 * nothing of it was kept. */
int journal_close(struct store *store, const struct journal_order *order, const struct journal_recipient *recipients,
		  int count, struct error *err);
/* What is read next comes from the file, not from pages that SQLite has kept in memory. */
void journal_read_anew(struct store *store);
/* An order that is over already and is for nobody: at once, or none of it. As journal_open. */
int journal_keep(struct store *store, const struct journal_order *order, struct error *err);
/* FC_OK and fn called once; FC_ENOENT, FC_EIO. */
int journal_find(struct store *store, const char *seq, void (*fn)(void *user, const struct journal_order *order),
		 void *user);
/* Of the connector's closed orders with energy those that were opened last, at most so many, the newest first, whatever the clock said
 * (an older one may have been closed later). fn called for each, else as journal_find. */
int journal_last(struct store *store, const char *connector_id, int most,
		 void (*fn)(void *user, const struct journal_order *order), void *user);
/* All that are open, oldest first. Returns how many, or FC_EIO. */
int journal_each_open(struct store *store, void (*fn)(void *user, const struct journal_order *order), void *user);
/* Closed ones that ended in first..last, oldest first; platform NULL = of all. Returns how many, or FC_EIO. */
int journal_each_closed(struct store *store, const char *platform, int64_t first, int64_t last,
			void (*fn)(void *user, const struct journal_order *order), void *user);

enum outbox_state {
	OUTBOX_WAITING,
	OUTBOX_CONFIRMED,
	OUTBOX_DISPUTED,
	OUTBOX_DROPPED, /* the platform's mapping does not send this method any more */
};

struct outbox_entry {
	int64_t id;
	char platform[JOURNAL_NAME], method[JOURNAL_NAME], seq[JOURNAL_SEQ];
	int attempts;
	int64_t next_wall; /* not before */
	enum outbox_state state;
	int answer;                    /* ConfirmResult, once there is one */
	char mapping[JOURNAL_VERSION]; /* the version of the mapping that shaped what was confirmed, "" = not known */
};

/* The platform's oldest waiting entry, of those that skip() says 0 of (NULL: of all); it must not touch the store. FC_ENOENT when there is
 * none; then *entry means nothing. */
int outbox_first(struct store *store, const char *platform, int (*skip)(void *user, const struct outbox_entry *entry),
		 void *user, struct outbox_entry *entry);
/* A try that failed: one more attempt, not before next_wall. */
int outbox_later(struct store *store, int64_t id, int64_t next_wall, struct error *err);
/* The platform answered, to what this version of its mapping had made of the order ("" = none; NULL: what is there stays).
 *
 * OUTBOX_CONFIRMED counts at once and waits in memory for the next transaction of an order that is opened or closed, for at most
 * OUTBOX_LATEST_S: flash is spared. A power cut meanwhile costs one more push of an order that the platform has, which it answers
 * as it answers each repeat. With any other state FC_OK says that it is on the disk. */
enum { OUTBOX_LATEST_S = 300 };
int outbox_done(struct store *store, int64_t id, enum outbox_state state, int answer, const char *mapping,
		struct error *err);
/* Writes the confirmations that wait. Of itself from time to time (outbox_tend), and before the store is closed. */
int outbox_flush(struct store *store, struct error *err);
void outbox_tend(struct store *store);
/* Puts an order that is there already into the outbox again (resend). FC_ENOENT when it was never in it. */
int outbox_again(struct store *store, const char *platform, const char *seq, struct error *err);
/* How many wait; platform NULL = for all. */
int64_t outbox_waiting(struct store *store, const char *platform);

#endif
