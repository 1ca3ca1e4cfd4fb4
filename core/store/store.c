#include "store/store.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "store/internal.h"

enum statement { ENERGY_ADD, METER_SET, METER_GET, ENERGY_SUM, VALUE_SET, VALUE_GET, STATEMENTS };

static const char *const statement_text[STATEMENTS] = {
    [ENERGY_ADD] = "INSERT INTO energy(connector_id, day, wh) VALUES(?1, ?2, ?3) "
		   "ON CONFLICT(connector_id, day) DO UPDATE SET wh = wh + excluded.wh",
    [METER_SET] = "INSERT INTO meter(connector_id, wh) VALUES(?1, ?2) "
		  "ON CONFLICT(connector_id) DO UPDATE SET wh = excluded.wh",
    [METER_GET] = "SELECT wh FROM meter WHERE connector_id = ?1",
    [ENERGY_SUM] = "SELECT coalesce(sum(wh), 0) FROM energy WHERE connector_id = ?1 AND day BETWEEN ?2 AND ?3",
    [VALUE_SET] = "INSERT INTO value(key, value) VALUES(?1, ?2) "
		  "ON CONFLICT(key) DO UPDATE SET value = excluded.value",
    [VALUE_GET] = "SELECT value FROM value WHERE key = ?1",
};

/* Each step brings the file from the version of its place to the next; never edit one that was released. */
static const char *const migrations[] = {
    "CREATE TABLE energy(connector_id TEXT NOT NULL, day INTEGER NOT NULL, wh INTEGER NOT NULL,"
    " PRIMARY KEY(connector_id, day)) WITHOUT ROWID;"
    "CREATE TABLE meter(connector_id TEXT PRIMARY KEY, wh INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE value(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;",
    /* journal.c */
    "CREATE TABLE orders(seq TEXT PRIMARY KEY, connector_id TEXT NOT NULL, platform TEXT NOT NULL, mode INTEGER NOT "
    "NULL,"
    " closed INTEGER NOT NULL, start_wall INTEGER NOT NULL, end_wall INTEGER NOT NULL, wh INTEGER NOT NULL,"
    " money_e4 INTEGER NOT NULL, reason INTEGER NOT NULL, record TEXT NOT NULL) WITHOUT ROWID;"
    "CREATE INDEX orders_open ON orders(closed, end_wall);"
    "CREATE INDEX orders_connector ON orders(connector_id, end_wall);"
    "CREATE TABLE outbox(id INTEGER PRIMARY KEY AUTOINCREMENT, platform TEXT NOT NULL, method TEXT NOT NULL,"
    " seq TEXT NOT NULL REFERENCES orders(seq), attempts INTEGER NOT NULL DEFAULT 0, next_wall INTEGER NOT NULL "
    "DEFAULT 0,"
    " state INTEGER NOT NULL DEFAULT 0, answer INTEGER NOT NULL DEFAULT -1, UNIQUE(platform, method, seq));"
    "CREATE INDEX outbox_waiting ON outbox(platform, state, id);",
    /* checks.c */
    "CREATE TABLE checked(platform TEXT NOT NULL, day INTEGER NOT NULL, at_wall INTEGER NOT NULL, orders INTEGER NOT "
    "NULL,"
    " energy_e2 INTEGER NOT NULL, money_e4 INTEGER NOT NULL, differences INTEGER NOT NULL, PRIMARY KEY(platform, day))"
    " WITHOUT ROWID;"
    "CREATE TABLE difference(platform TEXT NOT NULL, day INTEGER NOT NULL, seq TEXT NOT NULL, reason INTEGER NOT NULL,"
    " our_energy_e2 INTEGER NOT NULL, our_money_e4 INTEGER NOT NULL, their_energy_e2 INTEGER NOT NULL,"
    " their_money_e4 INTEGER NOT NULL, PRIMARY KEY(platform, day, seq, reason)) WITHOUT ROWID;"
    "CREATE INDEX outbox_order ON outbox(seq);",
};
enum { SCHEMA_VERSION = sizeof(migrations) / sizeof(migrations[0]) };

struct store {
	sqlite3 *db;
	sqlite3_stmt *statements[STATEMENTS];
};

sqlite3 *store_db(struct store *store)
{
	return store->db;
}

int store_failed(struct store *store, struct error *err, const char *what)
{
	return error_set(err, FC_EIO, "store: %s: %s", what, sqlite3_errmsg(store->db));
}

static int execute(struct store *store, const char *sql, struct error *err)
{
	if (sqlite3_exec(store->db, sql, NULL, NULL, NULL) != SQLITE_OK)
		return store_failed(store, err, sql);
	return FC_OK;
}

/* One row, one column of text or number. */
static int query_text(struct store *store, const char *sql, char *out, size_t size)
{
	sqlite3_stmt *s = NULL;
	int result = FC_EIO;

	if (sqlite3_prepare_v2(store->db, sql, -1, &s, NULL) == SQLITE_OK && sqlite3_step(s) == SQLITE_ROW) {
		const unsigned char *text = sqlite3_column_text(s, 0);

		(void)snprintf(out, size, "%s", text ? (const char *)text : "");
		result = FC_OK;
	}
	sqlite3_finalize(s);
	return result;
}

static int migrate(struct store *store, const char *path, struct error *err)
{
	char text[64];

	if (query_text(store, "PRAGMA user_version", text, sizeof(text)))
		return store_failed(store, err, path);
	int version = atoi(text);
	if (version > SCHEMA_VERSION)
		return error_set(err, FC_EINVAL, "store: %s: written by a newer version (schema %d, this one knows %d)",
				 path, version, SCHEMA_VERSION);
	for (; version < SCHEMA_VERSION; version++) {
		(void)snprintf(text, sizeof(text), "PRAGMA user_version = %d", version + 1);
		if (execute(store, "BEGIN IMMEDIATE", err))
			return err ? err->code : FC_EIO;
		if (execute(store, migrations[version], err) || execute(store, text, err) ||
		    execute(store, "COMMIT", err)) {
			(void)execute(store, "ROLLBACK", NULL);
			return FC_EIO;
		}
	}
	return FC_OK;
}

static int is_sound(struct store *store)
{
	char text[64];

	return !query_text(store, "PRAGMA quick_check(1)", text, sizeof(text)) && !strcmp(text, "ok");
}

static void close_database(struct store *store)
{
	for (int i = 0; i < STATEMENTS; i++) {
		sqlite3_finalize(store->statements[i]);
		store->statements[i] = NULL;
	}
	sqlite3_close(store->db);
	store->db = NULL;
}

static int open_database(struct store *store, const char *path, struct error *err)
{
	if (sqlite3_open_v2(path, &store->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL) !=
	    SQLITE_OK)
		return error_set(err, FC_EIO, "store: open: %s: %s", path,
				 store->db ? sqlite3_errmsg(store->db) : "no memory");
	(void)sqlite3_busy_timeout(store->db, 2000);
	/* A small cache: the box has 128 MB in all. FULL: what is committed is on the disk. */
	return execute(store, "PRAGMA cache_size = -256; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;", err);
}

/* Never deletes: someone may want what can still be read. */
static int set_aside(const char *path, struct error *err)
{
	static const char *const tails[] = {"", "-wal", "-shm"};
	char from[512], to[512];
	int n;

	for (n = 1; n < 1000; n++) {
		(void)snprintf(to, sizeof(to), "%s.damaged-%d", path, n);
		if (access(to, F_OK) != 0)
			break;
	}
	for (size_t i = 0; i < sizeof(tails) / sizeof(tails[0]); i++) {
		(void)snprintf(from, sizeof(from), "%s%s", path, tails[i]);
		(void)snprintf(to, sizeof(to), "%s.damaged-%d%s", path, n, tails[i]);
		if (rename(from, to) != 0 && errno != ENOENT)
			return error_set(err, FC_EIO, "store: set aside: %s: %s", from, strerror(errno));
	}
	log_error("store: %s: damaged: set aside as %s.damaged-%d, a new one is begun", path, path, n);
	return FC_OK;
}

static int make_folder(const char *path, struct error *err)
{
	char part[400];
	size_t len = strlen(path);

	if (!len || len >= sizeof(part))
		return error_set(err, FC_EINVAL, "store: data_dir: \"%s\" is no usable path", path);
	for (size_t i = 1; i <= len; i++) {
		if (path[i] != '/' && path[i] != '\0')
			continue;
		memcpy(part, path, i);
		part[i] = '\0';
		if (mkdir(part, 0700) != 0 && errno != EEXIST)
			return error_set(err, FC_EIO, "store: make folder: %s: %s", part, strerror(errno));
	}
	return FC_OK;
}

static int prepare(struct store *store, struct error *err)
{
	for (int i = 0; i < STATEMENTS; i++)
		if (sqlite3_prepare_v3(store->db, statement_text[i], -1, SQLITE_PREPARE_PERSISTENT,
				       &store->statements[i], NULL) != SQLITE_OK)
			return store_failed(store, err, "prepare");
	return FC_OK;
}

struct store *store_open(const char *data_dir, struct error *err)
{
	char path[480];

	if (make_folder(data_dir, err))
		return NULL;
	(void)snprintf(path, sizeof(path), "%s/forecourt.db", data_dir);
	struct store *store = calloc(1, sizeof(*store));
	if (!store) {
		(void)error_set(err, FC_ENOMEM, "store: no memory");
		return NULL;
	}
	int result = open_database(store, path, err);
	if (store->db && sqlite3_errcode(store->db) != SQLITE_CANTOPEN && !is_sound(store)) {
		close_database(store);
		result = set_aside(path, err);
		if (!result)
			result = open_database(store, path, err);
	}
	if (!result)
		result = migrate(store, path, err);
	if (!result)
		result = prepare(store, err);
	if (result) {
		store_close(store);
		return NULL;
	}
	return store;
}

void store_close(struct store *store)
{
	if (!store)
		return;
	close_database(store);
	free(store);
}

int store_begin(struct store *store, struct error *err)
{
	return execute(store, "BEGIN IMMEDIATE", err);
}

int store_commit(struct store *store, struct error *err)
{
	int result = execute(store, "COMMIT", err);

	if (result)
		store_rollback(store);
	return result;
}

void store_rollback(struct store *store)
{
	(void)execute(store, "ROLLBACK", NULL);
}

/* Runs a statement that gives no rows. */
static int run(struct store *store, sqlite3_stmt *s, const char *what, struct error *err)
{
	int done = sqlite3_step(s) == SQLITE_DONE;
	int result = done ? FC_OK : store_failed(store, err, what);

	(void)sqlite3_reset(s);
	return result;
}

int store_energy_add(struct store *store, const char *connector_id, int32_t day, int64_t delta_wh, int64_t meter_wh,
		     struct error *err)
{
	sqlite3_stmt *add = store->statements[ENERGY_ADD];
	sqlite3_stmt *set = store->statements[METER_SET];

	if (sqlite3_bind_text(add, 1, connector_id, -1, SQLITE_STATIC) || sqlite3_bind_int(add, 2, day) ||
	    sqlite3_bind_int64(add, 3, delta_wh) || sqlite3_bind_text(set, 1, connector_id, -1, SQLITE_STATIC) ||
	    sqlite3_bind_int64(set, 2, meter_wh))
		return store_failed(store, err, "energy");
	/* A savepoint makes the pair one even inside a caller's transaction. */
	if (execute(store, "SAVEPOINT energy", err))
		return FC_EIO;
	if (run(store, add, "energy", err) || run(store, set, "meter", err)) {
		(void)execute(store, "ROLLBACK TO energy; RELEASE energy", NULL);
		return FC_EIO;
	}
	return execute(store, "RELEASE energy", err);
}

int store_energy_meter(struct store *store, const char *connector_id, int64_t *meter_wh)
{
	sqlite3_stmt *s = store->statements[METER_GET];
	int result = FC_ENOENT;

	if (sqlite3_bind_text(s, 1, connector_id, -1, SQLITE_STATIC) == SQLITE_OK && sqlite3_step(s) == SQLITE_ROW) {
		*meter_wh = sqlite3_column_int64(s, 0);
		result = FC_OK;
	}
	(void)sqlite3_reset(s);
	return result;
}

int64_t store_energy_sum(struct store *store, const char *connector_id, int32_t first, int32_t last)
{
	sqlite3_stmt *s = store->statements[ENERGY_SUM];
	int64_t sum = 0;

	if (sqlite3_bind_text(s, 1, connector_id, -1, SQLITE_STATIC) == SQLITE_OK &&
	    sqlite3_bind_int(s, 2, first) == SQLITE_OK && sqlite3_bind_int(s, 3, last) == SQLITE_OK &&
	    sqlite3_step(s) == SQLITE_ROW)
		sum = sqlite3_column_int64(s, 0);
	(void)sqlite3_reset(s);
	return sum;
}

int store_value_set(struct store *store, const char *key, const char *value, struct error *err)
{
	sqlite3_stmt *s = store->statements[VALUE_SET];

	if (sqlite3_bind_text(s, 1, key, -1, SQLITE_STATIC) || sqlite3_bind_text(s, 2, value, -1, SQLITE_STATIC))
		return store_failed(store, err, "value");
	return run(store, s, "value", err);
}

int store_value_get(struct store *store, const char *key, char *out, size_t size)
{
	sqlite3_stmt *s = store->statements[VALUE_GET];
	int result = FC_ENOENT;

	if (sqlite3_bind_text(s, 1, key, -1, SQLITE_STATIC) == SQLITE_OK && sqlite3_step(s) == SQLITE_ROW) {
		const char *text = (const char *)sqlite3_column_text(s, 0);
		int n = snprintf(out, size, "%s", text ? text : "");

		result = n < 0 || (size_t)n >= size ? FC_ELIMIT : FC_OK;
	}
	(void)sqlite3_reset(s);
	return result;
}
