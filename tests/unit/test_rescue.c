/* store/rescue: of a damaged database everything that can be read is in the new one, as it was; what is lost is a page's worth, and
 * said. Files of older versions are brought up to date with all that they hold. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/log.h"
#include "folder.h"
#include "store/internal.h"
#include "store/journal.h"
#include "store/journal_list.h"
#include "store/versions.h"

enum { ORDERS = 240, OPEN_EVERY = 40, PAGE = 512, TRIED_MAX = 300 };

struct fixture {
	char folder[64], db[128];
	struct store *store;
	struct error err;
	char record[1500];
	int seen, wrong;
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	folder_make(f->folder, sizeof(f->folder), "rescue");
	(void)snprintf(f->db, sizeof(f->db), "%s/forecourt.db", f->folder);
	/* As long as a real one, so that rows reach into overflow pages. */
	memset(f->record, 'x', sizeof(f->record) - 1);
	memcpy(f->record, "{\"filler\":\"", 11);
	memcpy(f->record + sizeof(f->record) - 3, "\"}", 2);
	*state = f;
	return 0;
}

/* In the fixture's folder. */
static void shell(const struct fixture *f, const char *what)
{
	char command[256];

	(void)snprintf(command, sizeof(command), "cd '%s' && %s", f->folder, what);
	assert_int_equal(system(command), 0);
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	store_close(f->store);
	folder_remove(f->folder);
	free(f);
	return 0;
}

static void run_sql(struct fixture *f, const char *sql)
{
	sqlite3 *db = NULL;

	assert_int_equal(sqlite3_open(f->db, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

/* The page of which a table or an index begins. */
static int root_of(struct fixture *f, const char *name)
{
	sqlite3 *db = NULL;
	sqlite3_stmt *s = NULL;

	assert_int_equal(sqlite3_open(f->db, &db), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, "SELECT rootpage FROM sqlite_master WHERE name = ?1", -1, &s, NULL),
			 SQLITE_OK);
	assert_int_equal(sqlite3_bind_text(s, 1, name, -1, SQLITE_STATIC), SQLITE_OK);
	assert_int_equal(sqlite3_step(s), SQLITE_ROW);
	int root = sqlite3_column_int(s, 0);
	sqlite3_finalize(s);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
	return root;
}

static void open_it(struct fixture *f)
{
	f->err = (struct error){0};
	f->store = store_open(f->folder, &f->err);
	if (!f->store)
		fail_msg("%s", f->err.text);
}

static void close_it(struct fixture *f)
{
	store_close(f->store);
	f->store = NULL;
}

static struct journal_order order_of(const struct fixture *f, int number)
{
	struct journal_order o = {.connector_id = "K1", .platform = "city", .record = f->record};

	(void)snprintf(o.seq, sizeof(o.seq), "123456789%018d", number);
	o.start_wall = 1000 + number;
	o.end_wall = 2000 + number;
	o.wh = 10L * number;
	o.money_e4 = 3L * number;
	return o;
}

/* ORDERS orders: each OPEN_EVERYth open, the rest closed and waiting for the platform. */
static void fill(struct fixture *f)
{
	static const struct journal_recipient names[] = {{"city", "notification_charge_order_info"}};

	assert_int_equal(store_begin(f->store, &f->err), FC_OK);
	for (int i = 1; i <= ORDERS; i++) {
		struct journal_order o = order_of(f, i);

		assert_int_equal(journal_open(f->store, &o, &f->err), FC_OK);
	}
	assert_int_equal(store_energy_add(f->store, "K1", 20000, 5, 77, &f->err), FC_OK);
	assert_int_equal(store_commit(f->store, &f->err), FC_OK);
	for (int i = 1; i <= ORDERS; i++) {
		struct journal_order o = order_of(f, i);

		if (i % OPEN_EVERY)
			assert_int_equal(journal_close(f->store, &o, names, 1, &f->err), FC_OK);
	}
}

static void look(void *user, const struct journal_order *order)
{
	struct fixture *f = user;
	int number = atoi(order->seq + 9);
	struct journal_order o = order_of(f, number);

	f->seen++;
	if (number < 1 || number > ORDERS || strcmp(order->record, f->record) != 0 || order->wh != o.wh ||
	    order->money_e4 != o.money_e4 || order->closed != (number % OPEN_EVERY != 0))
		f->wrong++;
}

static int count_orders(struct fixture *f)
{
	f->seen = f->wrong = 0;
	int closed = journal_each_closed(f->store, NULL, 0, INT64_MAX, look, f);
	int open = journal_each_open(f->store, look, f);
	assert_true(closed >= 0 && open >= 0);
	assert_int_equal(f->seen, closed + open);
	return f->seen;
}

static void spoil_page(struct fixture *f, long page, unsigned seed)
{
	FILE *file = fopen(f->db, "r+b");

	assert_non_null(file);
	assert_int_equal(fseek(file, page * PAGE, SEEK_SET), 0);
	for (int i = 0; i < PAGE; i++) {
		seed = seed * 1103515245 + 12345;
		assert_int_not_equal(fputc((int)(seed >> 16 & 0xFF), file), EOF);
	}
	assert_int_equal(fclose(file), 0);
}

static long pages_of(const struct fixture *f)
{
	struct stat st;

	assert_int_equal(stat(f->db, &st), 0);
	return (long)(st.st_size / PAGE);
}

/* Any one page but the first: at most the orders of a page and what hangs on it are lost, and none is changed. */
static void one_bad_page(void **state)
{
	struct fixture *f = *state;
	int worst = 0, all = 0, replaced = 0, many = 0, tried = 0;

	log_set_level(LOG_LEVEL_ERROR);
	open_it(f);
	fill(f);
	close_it(f);
	shell(f, "cp forecourt.db good");
	long pages = pages_of(f);
	assert_true(pages > 100);
	/* Each is a second of a slow machine: with small pages every third or so of them. */
	const long step = pages / TRIED_MAX + 1;
	for (long page = 1; page < pages; page += step) {
		tried++;
		shell(f, "rm -f forecourt.db* && cp good forecourt.db");
		spoil_page(f, page, (unsigned)page);
		open_it(f);
		int found = count_orders(f), lost = ORDERS - found;
		assert_int_equal(f->wrong, 0);
		worst = lost > worst ? lost : worst;
		all += lost == 0;
		many += lost > 12;
		/* A page that holds nothing any more may be bad without anyone's notice. */
		int is_replaced = store_health(f->store)->replaced == 1;
		assert_true(is_replaced || lost == 0);
		replaced += is_replaced;
		/* Nothing waits that is not there; all that is there and closed waits, for nothing was confirmed. */
		assert_int_equal(outbox_waiting(f->store, "city"), found - journal_each_open(f->store, look, f));
		close_it(f);
	}
	log_set_level(LOG_LEVEL_NOTICE);
	print_message("of %d orders none is lost with %d of %d pages spoiled, more than 12 with %d, at most %d\n",
		      ORDERS, all, tried, many, worst);
	assert_true(replaced * 10 > tried * 9);
	/* The pages at the top of the tree of orders take more with them. */
	assert_true(many * 50 < tried);
}

/* While it is in use: replaced at the next look, and the store works. */
static void damaged_in_use(void **state)
{
	struct fixture *f = *state;
	char aside[160];

	open_it(f);
	fill(f);
	close_it(f);
	open_it(f);
	long pages = pages_of(f);
	for (long page = 5; page < pages; page++)
		spoil_page(f, page, (unsigned)page);
	assert_int_equal(journal_each_closed(f->store, NULL, 0, INT64_MAX, look, f), FC_EIO);
	assert_true(store_health(f->store)->failing);
	store_tend(f->store);
	assert_int_equal(store_health(f->store)->replaced, 1);
	assert_false(store_health(f->store)->failing);
	(void)snprintf(aside, sizeof(aside), "%s.damaged-1", f->db);
	assert_int_equal(access(aside, F_OK), 0);
	struct journal_order o = order_of(f, ORDERS + 1);
	assert_int_equal(journal_open(f->store, &o, &f->err), FC_OK);
	store_tend(f->store);
	assert_int_equal(store_health(f->store)->replaced, 1);
}

/* Someone removes the WAL, or the file, below a running gateway: nothing that was committed is lost. */
static void taken_away_in_use(void **state)
{
	struct fixture *f = *state;
	char wal[160];

	log_set_level(LOG_LEVEL_ERROR);
	for (int what = 0; what < 3; what++) {
		shell(f, "rm -f forecourt.db*");
		open_it(f);
		fill(f);
		(void)snprintf(wal, sizeof(wal), "%s-wal", f->db);
		assert_true(what == 1 || unlink(wal) == 0);
		assert_true(what == 0 || unlink(f->db) == 0);
		store_tend(f->store);
		assert_int_equal(store_health(f->store)->replaced, 1);
		assert_int_equal(count_orders(f), ORDERS);
		/* As if the power failed now: what is on the disk is all. */
		shell(f, "mkdir cut && cp forecourt.db forecourt.db-wal cut/");
		close_it(f);
		shell(f, "rm forecourt.db* && mv cut/* . && rmdir cut");
		open_it(f);
		assert_int_equal(count_orders(f), ORDERS);
		assert_int_equal(f->wrong, 0);
		close_it(f);
	}
	log_set_level(LOG_LEVEL_NOTICE);
}

/* A power cut after the new file was complete and before it had the name. */
static void a_new_file_without_its_name(void **state)
{
	struct fixture *f = *state;
	char fresh[160];

	open_it(f);
	fill(f);
	close_it(f);
	(void)snprintf(fresh, sizeof(fresh), "%s.new", f->db);
	assert_int_equal(rename(f->db, fresh), 0);
	open_it(f);
	assert_int_equal(count_orders(f), ORDERS);
}

/* The files that earlier versions left, as they were made then: never change these. */
static const char *const old_schemas[] = {
    "CREATE TABLE energy(connector_id TEXT NOT NULL, day INTEGER NOT NULL, wh INTEGER NOT NULL,"
    " PRIMARY KEY(connector_id, day)) WITHOUT ROWID;"
    "CREATE TABLE meter(connector_id TEXT PRIMARY KEY, wh INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE value(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;"
    "INSERT INTO energy VALUES('K1', 20000, 1500); INSERT INTO meter VALUES('K1', 9000);"
    "INSERT INTO value VALUES('k', 'one'); PRAGMA user_version = 1;",
    /* What the one before had, and: */
    "CREATE TABLE orders(seq TEXT PRIMARY KEY, connector_id TEXT NOT NULL, platform TEXT NOT NULL, mode INTEGER NOT "
    "NULL,"
    " closed INTEGER NOT NULL, start_wall INTEGER NOT NULL, end_wall INTEGER NOT NULL, wh INTEGER NOT NULL,"
    " money_e4 INTEGER NOT NULL, reason INTEGER NOT NULL, record TEXT NOT NULL) WITHOUT ROWID;"
    "CREATE INDEX orders_open ON orders(closed, end_wall); CREATE INDEX orders_connector ON orders(connector_id, "
    "end_wall);"
    "CREATE TABLE outbox(id INTEGER PRIMARY KEY AUTOINCREMENT, platform TEXT NOT NULL, method TEXT NOT NULL,"
    " seq TEXT NOT NULL REFERENCES orders(seq), attempts INTEGER NOT NULL DEFAULT 0, next_wall INTEGER NOT NULL "
    "DEFAULT 0,"
    " state INTEGER NOT NULL DEFAULT 0, answer INTEGER NOT NULL DEFAULT -1, UNIQUE(platform, method, seq));"
    "CREATE INDEX outbox_waiting ON outbox(platform, state, id);"
    "INSERT INTO orders VALUES('987654321000000000000000002', 'K9', 'city', 1, 1, 10, 30, 7, 8, 2, '{}'),"
    " ('987654321000000000000000001', 'K9', 'city', 1, 1, 20, 25, 6, 8, 2, '{}'),"
    " ('987654321000000000000000000', 'K9', 'city', 1, 0, 40, 0, 5, 8, 2, '{}');"
    "INSERT INTO outbox(platform, method, seq) VALUES('town', 'order', '987654321000000000000000001');"
    "PRAGMA user_version = 2;",
    "CREATE TABLE orders_new(id INTEGER PRIMARY KEY, seq TEXT NOT NULL, connector_id TEXT NOT NULL, platform TEXT NOT "
    "NULL,"
    " mode INTEGER NOT NULL, closed INTEGER NOT NULL, start_wall INTEGER NOT NULL, end_wall INTEGER NOT NULL,"
    " wh INTEGER NOT NULL, money_e4 INTEGER NOT NULL, reason INTEGER NOT NULL, record TEXT NOT NULL);"
    "INSERT INTO orders_new(seq, connector_id, platform, mode, closed, start_wall, end_wall, wh, money_e4, reason, "
    "record)"
    " SELECT seq, connector_id, platform, mode, closed, start_wall, end_wall, wh, money_e4, reason, record FROM orders"
    " ORDER BY closed DESC, end_wall, start_wall, seq;"
    "DROP TABLE orders; ALTER TABLE orders_new RENAME TO orders;"
    "CREATE UNIQUE INDEX orders_seq ON orders(seq); CREATE INDEX orders_connector ON orders(connector_id);"
    "CREATE INDEX orders_open ON orders(closed) WHERE closed = 0;"
    "CREATE INDEX orders_end ON orders(end_wall, seq) WHERE closed = 1;"
    "DROP INDEX outbox_waiting; CREATE INDEX outbox_waiting ON outbox(platform, id) WHERE state = 0;"
    "CREATE TABLE checked(platform TEXT NOT NULL, day INTEGER NOT NULL, at_wall INTEGER NOT NULL, orders INTEGER NOT "
    "NULL,"
    " energy_e2 INTEGER NOT NULL, money_e4 INTEGER NOT NULL, differences INTEGER NOT NULL, PRIMARY KEY(platform, day))"
    " WITHOUT ROWID;"
    "CREATE TABLE difference(platform TEXT NOT NULL, day INTEGER NOT NULL, seq TEXT NOT NULL, reason INTEGER NOT NULL,"
    " our_energy_e2 INTEGER NOT NULL, our_money_e4 INTEGER NOT NULL, their_energy_e2 INTEGER NOT NULL,"
    " their_money_e4 INTEGER NOT NULL, PRIMARY KEY(platform, day, seq, reason)) WITHOUT ROWID;"
    "CREATE INDEX outbox_order ON outbox(seq, id);"
    "CREATE INDEX outbox_unsettled ON outbox(platform, state) WHERE state <> 1;"
    "INSERT INTO outbox(platform, method, seq, attempts, state, answer)"
    " VALUES('town', 'order', '987654321000000000000000002', 3, 2, 4); PRAGMA user_version = 5;",
    /* The last with pages of 1 kB. */
    ("CREATE TABLE lookup(space TEXT NOT NULL, name TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL, "
     "stamp INTEGER NOT NULL, PRIMARY KEY(space, name, key)) WITHOUT ROWID;CREATE INDEX lookup_value ON "
     "lookup(space, name, value, stamp);CREATE INDEX lookup_stamp ON lookup(space, name, stamp);CREATE TABLE "
     "script_text(hash TEXT PRIMARY KEY, text BLOB NOT NULL) WITHOUT ROWID;CREATE TABLE script_version(id "
     "INTEGER PRIMARY KEY AUTOINCREMENT, item TEXT NOT NULL, hash TEXT NOT NULL, whole TEXT NOT NULL, at_wall "
     "INTEGER NOT NULL, origin TEXT NOT NULL, used_wall INTEGER NOT NULL);CREATE INDEX script_version_item ON "
     "script_version(item, id);CREATE INDEX script_version_whole ON script_version(whole);CREATE TABLE "
     "script_part(whole TEXT NOT NULL, item TEXT NOT NULL, hash TEXT NOT NULL, PRIMARY KEY(whole, item)) "
     "WITHOUT ROWID;CREATE INDEX script_part_item ON script_part(item, hash);ALTER TABLE outbox ADD COLUMN "
     "mapping TEXT NOT NULL DEFAULT '';CREATE TABLE audit(id INTEGER PRIMARY KEY AUTOINCREMENT, at_wall "
     "INTEGER NOT NULL, who TEXT NOT NULL, command TEXT NOT NULL, arguments TEXT NOT NULL, before TEXT NOT "
     "NULL, after TEXT NOT NULL, result TEXT NOT NULL);ALTER TABLE audit ADD COLUMN place TEXT NOT NULL "
     "DEFAULT '';CREATE TABLE account(name TEXT PRIMARY KEY, role TEXT NOT NULL, hash TEXT NOT NULL, "
     "must_change INTEGER NOT NULL, disabled INTEGER NOT NULL, created_wall INTEGER NOT NULL, login_wall "
     "INTEGER NOT NULL, login_place TEXT NOT NULL) WITHOUT ROWID;CREATE TABLE token(id INTEGER PRIMARY KEY "
     "AUTOINCREMENT, name TEXT NOT NULL, role TEXT NOT NULL, digest TEXT NOT NULL, made_by TEXT NOT NULL, "
     "created_wall INTEGER NOT NULL, expires_wall INTEGER NOT NULL, used_wall INTEGER NOT NULL);CREATE TABLE "
     "event(id INTEGER PRIMARY KEY, at_wall INTEGER NOT NULL, kind INTEGER NOT NULL, connector_id TEXT NOT "
     "NULL, seq TEXT NOT NULL, before TEXT NOT NULL, after TEXT NOT NULL, text TEXT NOT NULL, who TEXT NOT "
     "NULL, detail TEXT NOT NULL);CREATE INDEX event_seq ON event(seq, id) WHERE seq <> '';CREATE TABLE "
     "samples(slot INTEGER NOT NULL, connector_id TEXT NOT NULL, data BLOB NOT NULL, PRIMARY KEY(slot, "
     "connector_id)) WITHOUT ROWID;DROP INDEX outbox_waiting; DROP INDEX outbox_unsettled;CREATE INDEX "
     "outbox_unsettled ON outbox(platform, state, id) WHERE state <> 1;INSERT INTO samples VALUES(2000000, "
     "'K1', x'010101'), (2000001, 'K2', x'010103'), (2000000, 'K2', x'010102');INSERT INTO event VALUES(7, 30, "
     "7, 'K9', '987654321000000000000000002', 'open', 'closed', 'text', '', '');PRAGMA user_version = 13;"),
};

/* What was confirmed by an earlier version does not say by which mapping, and is confirmed all the same. */
static void check_confirmed(void *user, const struct outbox_entry *entry)
{
	struct fixture *f = user;

	assert_string_equal(entry->mapping, "");
	assert_true(entry->state == OUTBOX_DISPUTED && entry->answer == 4 && entry->attempts == 3);
	assert_int_equal(outbox_done(f->store, entry->id, OUTBOX_CONFIRMED, 0, "abc", NULL), FC_OK);
}

static void check_mapping(void *user, const struct outbox_entry *entry)
{
	(void)user;
	assert_string_equal(entry->mapping, "abc");
}

static void check_versions(struct fixture *f)
{
	const struct version version = {.item = "operators/x", .hash = "h", .whole = "h", .at_wall = 1};
	struct version found;

	assert_int_equal(version_last(f->store, "operators/x", &found), FC_ENOENT);
	assert_int_equal(version_add(f->store, &version, "text", 4, NULL), FC_OK);
	assert_int_equal(version_last(f->store, "operators/x", &found), FC_OK);
}

static void tell_seq(void *user, const struct journal_order *order)
{
	struct fixture *f = user;

	f->seen = f->seen * 10 + atoi(order->seq + 9);
}

static int64_t number(sqlite3 *db, const char *sql)
{
	sqlite3_stmt *s = store_prepare(db, sql);

	assert_non_null(s);
	assert_int_equal(sqlite3_step(s), SQLITE_ROW);
	int64_t n = sqlite3_column_int64(s, 0);
	assert_int_equal(sqlite3_finalize(s), SQLITE_OK);
	return n;
}

/* The pages are small, what was there is beside it as it was, and curves have the connectors that they had. */
static void check_taken_further(struct fixture *f, int last)
{
	static const int versions[] = {1, 2, 5, 13};
	char path[160];
	sqlite3 *older = NULL;
	struct stat st;

	assert_int_equal(number(store_db(f->store), "PRAGMA page_size"), PAGE);
	(void)snprintf(path, sizeof(path), "%s.older", f->db);
	/* As much its owner's alone as the file itself. */
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(sqlite3_open_v2(path, &older, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
	assert_int_equal(number(older, "PRAGMA user_version"), versions[last]);
	assert_int_equal(number(older, "SELECT wh FROM energy"), 1500);
	sqlite3_close(older);
	if (last < 3)
		return;
	assert_int_equal(number(store_db(f->store), "SELECT count(*) FROM samples"), 3);
	assert_int_equal(number(store_db(f->store), "SELECT data = x'010102' FROM samples WHERE slot = 2000000 AND"
						    " connector_id = 'K2'"),
			 1);
	assert_int_equal(number(store_db(f->store), "SELECT count(*) FROM event WHERE seq <> ''"), 1);
}

static void files_of_older_versions(void **state)
{
	struct fixture *f = *state;
	struct outbox_entry entry;
	int64_t meter = 0;
	char out[8];

	for (size_t last = 0; last < sizeof(old_schemas) / sizeof(old_schemas[0]); last++) {
		shell(f, "rm -f forecourt.db*");
		for (size_t i = 0; i <= last; i++)
			run_sql(f, old_schemas[i]);
		open_it(f);
		assert_int_equal(store_health(f->store)->replaced, 0);
		assert_int_equal(store_energy_sum(f->store, "K1", 20000, 20000), 1500);
		assert_int_equal(store_energy_meter(f->store, "K1", &meter), FC_OK);
		assert_int_equal(meter, 9000);
		assert_int_equal(store_value_get(f->store, "k", out, sizeof(out)), FC_OK);
		assert_string_equal(out, "one");
		if (last) {
			f->seen = 0;
			assert_int_equal(journal_each_closed(f->store, "city", 0, 100, tell_seq, f), 2);
			assert_int_equal(f->seen, 12);
			f->seen = 0;
			assert_int_equal(journal_last(f->store, "K9", 1, tell_seq, f), FC_OK);
			assert_int_equal(f->seen, 2);
			assert_int_equal(journal_each_open(f->store, tell_seq, f), 1);
			assert_int_equal(outbox_first(f->store, "town", NULL, NULL, &entry), FC_OK);
			assert_string_equal(entry.seq, "987654321000000000000000001");
			assert_string_equal(entry.mapping, "");
		}
		if (last == 2) {
			assert_int_equal(outbox_of(f->store, "987654321000000000000000002", check_confirmed, f), 1);
			assert_int_equal(outbox_of(f->store, "987654321000000000000000002", check_mapping, f), 1);
		}
		check_taken_further(f, (int)last);
		check_versions(f);
		fill(f);
		assert_int_equal(outbox_waiting(f->store, "city"), ORDERS - ORDERS / OPEN_EVERY);
		close_it(f);
	}
}

/* The four bytes that say the schema's version are a damage like another: no reason to keep a gateway from its orders for ever. Found by
 * fuzz_rescue. */
static void a_version_that_is_damaged(void **state)
{
	static const int versions[] = {0, 1, 5, 13, 1001, INT32_MAX, -1, INT32_MIN};
	struct fixture *f = *state;
	char sql[64];

	log_set_level(LOG_LEVEL_ERROR);
	for (size_t i = 0; i < sizeof(versions) / sizeof(versions[0]); i++) {
		shell(f, "rm -f forecourt.db*");
		open_it(f);
		fill(f);
		close_it(f);
		(void)snprintf(sql, sizeof(sql), "PRAGMA user_version = %d", versions[i]);
		run_sql(f, sql);
		open_it(f);
		assert_int_equal(store_health(f->store)->replaced, 1);
		assert_int_equal(count_orders(f), ORDERS);
		assert_int_equal(f->wrong, 0);
		close_it(f);
		open_it(f);
		assert_int_equal(store_health(f->store)->replaced, 0);
		assert_int_equal(count_orders(f), ORDERS);
		close_it(f);
	}
	log_set_level(LOG_LEVEL_NOTICE);
}

/* The bytes that say how the schema is written: nothing of such a file can be read, and it is set aside as any other. Found by fuzz_rescue. */
static void a_format_that_is_damaged(void **state)
{
	struct fixture *f = *state;

	log_set_level(LOG_LEVEL_ERROR);
	open_it(f);
	fill(f);
	close_it(f);
	FILE *file = fopen(f->db, "r+b");
	assert_non_null(file);
	assert_int_equal(fseek(file, 47, SEEK_SET), 0);
	assert_int_not_equal(fputc(0x85, file), EOF);
	assert_int_equal(fclose(file), 0);
	open_it(f);
	log_set_level(LOG_LEVEL_NOTICE);
	assert_int_equal(store_health(f->store)->replaced, 1);
	fill(f);
	assert_int_equal(count_orders(f), ORDERS);
}

/* A file that has lost its end: SQLite would read nothing of it. Found by fuzz_rescue. */
static void a_file_without_its_end(void **state)
{
	struct fixture *f = *state;

	log_set_level(LOG_LEVEL_ERROR);
	open_it(f);
	fill(f);
	close_it(f);
	assert_int_equal(truncate(f->db, pages_of(f) * 95 / 100 * PAGE), 0);
	open_it(f);
	log_set_level(LOG_LEVEL_NOTICE);
	assert_int_equal(store_health(f->store)->replaced, 1);
	int found = count_orders(f);
	print_message("of %d orders %d are left without the last twentieth of the file\n", ORDERS, found);
	assert_int_equal(f->wrong, 0);
	assert_true(found * 2 > ORDERS && found < ORDERS);
	assert_int_equal(outbox_waiting(f->store, "city"), found - journal_each_open(f->store, look, f));
	close_it(f);
	open_it(f);
	assert_int_equal(store_health(f->store)->replaced, 0);
	assert_int_equal(count_orders(f), found);
}

/* Pages of an index whose every branch leads to one and the same page below, LEVELS deep: SQLite finds nothing wrong with it, and comes to
 * more leaves than anybody waits for. Found by fuzz_rescue. */
static void an_index_that_does_not_end(void **state)
{
	enum { LEVELS = 6, BRANCHES = 80, HEAD = 12, CELL_AT = HEAD + 2 * BRANCHES, INTERIOR_INDEX = 2 };
	struct fixture *f = *state;
	uint8_t root[PAGE], page[PAGE] = {INTERIOR_INDEX};

	log_set_level(LOG_LEVEL_ERROR);
	open_it(f);
	fill(f);
	close_it(f);
	/* Of the key that its root begins with. */
	int number = root_of(f, "orders_seq");
	FILE *file = fopen(f->db, "r+b");
	assert_non_null(file);
	assert_int_equal(fseek(file, (number - 1L) * PAGE, SEEK_SET), 0);
	assert_int_equal(fread(root, 1, PAGE, file), PAGE);
	assert_int_equal(root[0], INTERIOR_INDEX);
	int cell = root[HEAD] << 8 | root[HEAD + 1], len = 4 + 1 + root[cell + 4];
	assert_true(cell + len <= PAGE && CELL_AT + len <= PAGE);
	page[4] = BRANCHES;
	page[6] = CELL_AT;
	for (int i = 0; i < BRANCHES; i++)
		page[HEAD + 2 * i + 1] = CELL_AT;
	for (int level = 1; level <= LEVELS; level++) {
		int below = level < LEVELS ? (int)pages_of(f) - level : root[cell + 2] << 8 | root[cell + 3];

		memcpy(page + CELL_AT, root + cell, (size_t)len);
		page[CELL_AT + 2] = page[10] = (uint8_t)(below >> 8);
		page[CELL_AT + 3] = page[11] = (uint8_t)below;
		assert_int_equal(fseek(file, (number - 1L) * PAGE, SEEK_SET), 0);
		assert_int_equal(fwrite(page, 1, PAGE, file), PAGE);
		number = below;
	}
	assert_int_equal(fclose(file), 0);
	run_sql(f, "PRAGMA user_version = 0");
	open_it(f);
	log_set_level(LOG_LEVEL_NOTICE);
	assert_int_equal(store_health(f->store)->replaced, 1);
	int found = count_orders(f);
	print_message("of %d orders %d are left\n", ORDERS, found);
	assert_int_equal(f->wrong, 0);
	assert_true(found > ORDERS * 9 / 10);
	close_it(f);
	open_it(f);
	assert_int_equal(store_health(f->store)->replaced, 0);
	assert_int_equal(count_orders(f), found);
}

#define T(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    T(one_bad_page),
	    T(damaged_in_use),
	    T(taken_away_in_use),
	    T(a_new_file_without_its_name),
	    T(files_of_older_versions),
	    T(a_version_that_is_damaged),
	    T(a_format_that_is_damaged),
	    T(a_file_without_its_end),
	    T(an_index_that_does_not_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
