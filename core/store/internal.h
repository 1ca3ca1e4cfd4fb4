/* What the files of this room share. */
#ifndef FC_STORE_INTERNAL_H
#define FC_STORE_INTERNAL_H

#include <sqlite3.h>

#include "store/journal.h"
#include "store/retain.h"
#include "store/store.h"

enum statement {
	ENERGY_ADD,
	METER_SET,
	METER_GET,
	ENERGY_SUM,
	VALUE_SET,
	VALUE_GET,
	LOOKUP_GET,
	LOOKUP_KEY,
	ROLL_BACK,
	STATEMENTS
};

/* Events that wait for a transaction (events.c). */
struct waiting_event;
struct event_queue {
	struct waiting_event *first, *last; /* oldest first; owned */
	int count;
	int64_t next_id;      /* 0 = the file was not asked yet */
	int64_t newest_id;    /* given in this run */
	int64_t forgotten_id; /* what is not above it is gone, but for what stays longer */
	int64_t tried_us;
	int64_t room_us; /* of the bucket that holds a flood back: full at EVENTS_BURST times EVENTS_PACE_S */
	int64_t filled_us;
	uint64_t dropped;
	int is_wanted; /* the next transaction is an order's: those that wait go with it, however short they have waited */
	int is_tired; /* a transaction that they went along with failed: the next goes without */
};
/* Within the transaction: writes what waits. The last that was written, or 0; it never fails the transaction. */
int64_t events_ride(struct store *store);
/* The transaction with those up to that one (0: none) was committed, or not. */
void events_rode(struct store *store, int64_t upto, int is_kept);
/* The next transaction takes along what waits. Nonzero when something does. */
int events_wanted(struct store *store);
void events_end(struct store *store);

/* Confirmations that wait for a transaction (settle.c). */
struct settled {
	int64_t id;
	int answer, has_mapping;
	char mapping[JOURNAL_VERSION];
};
enum { SETTLES = 32 };
struct settle_queue {
	struct settled list[SETTLES]; /* oldest first */
	int count;
	int64_t since_us, tried_us;
	int is_tired; /* a transaction that they went along with failed: the next goes without */
};
/* Makes the SQL function answered(id) known to a file that was opened. What SQLite says. */
int settle_begin(struct store *store);
/* The one that waits, or NULL. */
const struct settled *settle_find(const struct store *store, int64_t id);
/* Copied. FC_OK, or FC_EBUSY: it has to be written at once. */
int settle_later(struct store *store, const struct settled *settled);
/* An order that is to be told again: what waits of it must not end that. */
void settle_forget(struct store *store, const char *platform, const char *seq);
/* As events_ride and events_rode; how many were written. */
int settle_ride(struct store *store);
void settle_rode(struct store *store, int count, int is_kept);

/* What may go of the orders (retain.c). */
struct retain {
	struct retain_state state;
	int is_set;
	int64_t offset_s, steady_us; /* wall clock - monotonic; since when that is what it is */
	int64_t looked_us, rests_until_us;
	int32_t day; /* whose old orders are gone */
	int is_passing, by_size, count;
	int64_t last_wall,
	    at_end; /* the pass: end of the last that it deleted, and the place behind which it goes on */
	char at_seq[JOURNAL_SEQ];
	int (*ask_disk)(const char *path, int64_t *total, int64_t *left); /* NULL: statvfs; bytes. 0, -1 */
};
/* retain_tend at a moment: both clocks, and whether the wall clock is set. */
void retain_tend_at(struct store *store, int64_t mono_us, int64_t wall, int is_trusted);

/* After so much the WAL is written into the file. */
enum { STORE_WAL_BYTES = 4096000 };

struct store {
	char path[480];
	sqlite3 *db;
	sqlite3_stmt *statements[STATEMENTS];
	struct store_health health;
	int changes; /* rows changed until the last failure: what changes none after it proves nothing */
	int undone;  /* a transaction failed and could not be taken back either: nothing is written before it is */
	int damaged; /* the file itself is bad: to be replaced */
	int is_mislabelled; /* ... in its version: its tables are of another one */
	int detached;       /* it was replaced, and the new one could not be opened yet */
	int64_t tended_us;  /* when replacing it failed */
	uint64_t inode[2];  /* of the file and its WAL */
	struct event_queue events;
	struct settle_queue settles;
	struct retain retain;
	int is_shared; /* others look into the file: nothing waits in memory that they wait for */
};

sqlite3 *store_db(struct store *store);
/* NULL when it can't be prepared. Orders are rare beside samples: their statements are prepared when they are needed. */
sqlite3_stmt *store_prepare(sqlite3 *db, const char *sql);
/* A column's text in the statement's memory, "" for NULL. SQLite makes it when it is asked for, and gives none where there is no memory for
 * it, as for NULL: NULL here says that alone, and such a row is none. What is said of the statement afterwards is SQLITE_NOMEM. */
const char *store_column(sqlite3_stmt *s, int column);
/* The same, copied. FC_OK; FC_ENOMEM: *out is "". */
int store_text(sqlite3_stmt *s, int column, char *out, size_t size);
/* Nonzero when a result of SQLite says that the file itself is bad, and not the disk full, locked or read-only. */
int store_is_damage(int code);
/* Nonzero when it says that there was no memory, which may be the file's fault, too: of a row that says that it is longer than all there is. */
int store_is_for_memory(int code);
/* FC_EIO "store: what: why"; and the store's health knows. */
int store_failed(struct store *store, struct error *err, const char *what);
/* Nonzero outside of a transaction, also while there is no file: it was set aside, and the new one could not be opened yet. */
int store_is_idle(const struct store *store);
/* Before anything is written outside of a transaction: takes back what was left of one that failed. FC_EIO: it stays. */
int store_clear(struct store *store, struct error *err);
/* Back to before a savepoint, and rid of it. Where that fails, the transaction around it fails at its commit. */
void store_back_to(struct store *store, const char *savepoint);
/* A statement went through: outside of a transaction, what it wrote is on the disk. The store is healthy again, if that was anything. */
void store_worked(struct store *store);

/* The database file (file.c). Opens or makes it, sets a damaged one aside, brings an older one to this schema. After a failure
 * file_close still has to be called. */
int file_open(struct store *store, const char *data_dir, struct error *err);
void file_close(struct store *store);
/* Nonzero when someone took away or replaced what is open. */
int file_is_gone(const struct store *store);
/* Makes a new file of all that can still be read, sets the old one aside, opens the new one. No statement may be open. On failure
 * the store goes on with what it has, or is detached; a second call goes on from there. */
int file_replace(struct store *store, struct error *err);

/* FC_EIO "store: path: why", by what db (NULL: no memory) said last. */
int file_failed(sqlite3 *db, const char *path, struct error *err);
/* One row, one column of text or number. SQLITE_OK, or why not. */
int file_query(sqlite3 *db, const char *sql, char *out, size_t size);

/* The tables, and how those of earlier versions become them (migrate.c). */
extern const int migrate_newest;
enum { MIGRATE_NO_MEMORY = -2 };
/* The file's schema; -1 when it can't be read, MIGRATE_NO_MEMORY when there is no memory to read it with: that says nothing of the file. */
int migrate_version(sqlite3 *db);
/* Each step is a transaction of its own: a power cut between two leaves a file that the next start takes further. FC_EINVAL: the file's
 * tables are not those of its version; else FC_EIO. */
int migrate_to(sqlite3 *db, const char *path, int upto, struct error *err);

struct rescue {
	int64_t rows, orders, open, outbox;
	int64_t lost; /* orders that are known to be missing, each named in the log */
	int torn;     /* some table could not be read to its end */
};
/* Copies what can be read of a damaged database into a new, sound and empty one. FC_EIO: the new one could not be written. */
int store_rescue(sqlite3 *from, sqlite3 *to, struct rescue *found, struct error *err);

/* What a statement must select for these two; a row's record is the statement's own memory. FC_OK; FC_ENOMEM: not all of the row could be
 * had, and nothing of it is to be believed. */
#define JOURNAL_COLUMNS \
	"seq, connector_id, platform, mode, closed, start_wall, end_wall, wh, money_e4, reason, rtrim(record)"
#define OUTBOX_COLUMNS "id, platform, method, seq, attempts, next_wall, state, answer, mapping"
/* With what waits to be written of it. */
void outbox_told(const struct store *store, struct outbox_entry *entry);
int journal_row(sqlite3_stmt *s, struct journal_order *order);
int outbox_row(sqlite3_stmt *s, struct outbox_entry *entry);

#endif
