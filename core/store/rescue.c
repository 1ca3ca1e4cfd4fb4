#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/usage.h"
#include "store/internal.h"

/* How a table is read: along its key from both ends, so that one bad page costs only the rows on it ... */
static const char *const directions[] = {"ASC", "DESC"};
/* ... and, where an index holds the keys of all rows, row by row along the index: past any number of bad pages. */
static const struct {
	const char *table, *key, *index;
} indexed[] = {{"orders", "seq", "orders_seq"}, {"outbox", "id", "sqlite_autoindex_outbox_1"}};

enum { NAMED_MAX = 1000 }; /* lines of log */
/* What a walk may cost: of each row or key that the file has room for - a cell in a page and the pointer to it (SQLite's file format, 1.6) -
 * some steps of SQLite's machine, looked at every thousand. */
enum { LEAST_CELL = 6, STEPS_A_CELL = 16, STEPS_A_LOOK = 1000 };
/* More than reading a row of ours takes; and how often one is tried for which there was no memory. */
enum { ROOM = 256 << 10, TRIES = 3 };

struct copy {
	sqlite3 *from, *to;
	const char *table;
	char columns[512], places[128], key[256], key_down[256];
	sqlite3_stmt *insert, *lose;
	struct rescue *found;
	int64_t looks, looks_max; /* of this walk, and of any */
	int has_json, named;
};

/* What a row must be to be taken over: a bad page may hold anything. SQLite may have been built without JSON. */
static const char *believable(const struct copy *c)
{
	if (strcmp(c->table, "orders") != 0)
		return "1";
	return c->has_json
		   ? "typeof(seq) = 'text' AND length(seq) = 27 AND closed IN (0, 1) AND json_valid(record)"
		   : "typeof(seq) = 'text' AND length(seq) = 27 AND closed IN (0, 1) AND typeof(record) = 'text'";
}

static int can_not_write(struct copy *c, struct error *err)
{
	return error_set(err, FC_EIO, "store: rescue: %s: %s", c->table, sqlite3_errmsg(c->to));
}

/* A result that says nothing of the damaged file: what could not be read for want of memory is not lost, and the rescue begins anew. But
 * where a damaged row says that it is longer than all memory there is room for any of ours, and the same comes of the next try. */
static int is_without_memory(int code)
{
	return store_is_for_memory(code) && !usage_has_room(ROOM);
}

static int no_memory(const struct copy *c, struct error *err)
{
	return error_set(err, FC_EIO, "store: rescue: %s: no memory", c->table);
}

/* Writes the row that s stands on; one that is there already, or can't be one of this table, is left out. */
static int put_row(struct copy *c, sqlite3_stmt *s, struct error *err)
{
	int bound = SQLITE_OK;

	for (int i = 0; i < sqlite3_column_count(s) && bound == SQLITE_OK; i++)
		bound = sqlite3_bind_value(c->insert, i + 1, sqlite3_column_value(s, i));
	int code = bound == SQLITE_OK ? sqlite3_step(c->insert) : bound;
	(void)sqlite3_reset(c->insert);
	if (code != SQLITE_DONE)
		return can_not_write(c, err);
	c->found->rows += sqlite3_changes(c->to);
	return FC_OK;
}

static int put_rows(struct copy *c, const char *sql, struct error *err)
{
	int code = SQLITE_NOMEM, result = FC_OK;

	for (int tries = 0; tries < TRIES && !result && store_is_for_memory(code); tries++) {
		sqlite3_stmt *s = store_prepare(c->from, sql);

		code = s ? SQLITE_ERROR : sqlite3_errcode(c->from);
		c->looks = 0;
		while (s && !result && (code = sqlite3_step(s)) == SQLITE_ROW)
			result = put_row(c, s, err);
		sqlite3_finalize(s);
	}
	if (!result && is_without_memory(code))
		return no_memory(c, err);
	if (code != SQLITE_DONE)
		c->found->torn = 1;
	return result;
}

static int along_the_key(struct copy *c, const char *direction, struct error *err)
{
	char sql[1600];

	(void)snprintf(sql, sizeof(sql), "SELECT %s FROM %s NOT INDEXED WHERE %s ORDER BY %s", c->columns, c->table,
		       believable(c), !strcmp(direction, "ASC") ? c->key : c->key_down);
	return put_rows(c, sql, err);
}

/* One that an index knows, and nobody can read. A damaged index may come by it again. */
static void lose(struct copy *c, sqlite3_value *key)
{
	const char *name = (const char *)sqlite3_value_text(key);

	c->found->torn = 1;
	if (c->lose && sqlite3_bind_text(c->lose, 1, c->table, -1, SQLITE_STATIC) == SQLITE_OK &&
	    sqlite3_bind_value(c->lose, 2, key) == SQLITE_OK) {
		int code = sqlite3_step(c->lose);

		(void)sqlite3_reset(c->lose);
		if (code == SQLITE_DONE && !sqlite3_changes(c->to))
			return;
	}
	c->found->lost += !strcmp(c->table, "orders");
	if (c->named++ < NAMED_MAX)
		log_error("store: rescue: %s %s: was there, can't be read, is lost", c->table, name ? name : "?");
}

/* Nonzero when the new file has it already: most, and then the old one need not be asked. */
static int is_there(sqlite3_stmt *there, sqlite3_value *key)
{
	int code = there && sqlite3_bind_value(there, 1, key) == SQLITE_OK ? sqlite3_step(there) : SQLITE_ERROR;

	if (there)
		(void)sqlite3_reset(there);
	return code == SQLITE_ROW;
}

/* The row of a key, if it can be read. */
static int find(sqlite3_stmt *row, sqlite3_value *key)
{
	int code = SQLITE_NOMEM;

	for (int tries = 0; tries < TRIES && store_is_for_memory(code); tries++) {
		(void)sqlite3_reset(row);
		code = sqlite3_bind_value(row, 1, key);
		if (code == SQLITE_OK)
			code = sqlite3_step(row);
	}
	return code;
}

/* What the walk ended with, by SQLite, is in *code. What an earlier one took over or lost is passed by. */
static int walk_an_index(struct copy *c, const char *key, const char *index, int *code, struct error *err)
{
	char sql[1600];
	int result = FC_OK;

	(void)snprintf(sql, sizeof(sql), "SELECT %s FROM %s INDEXED BY %s", key, c->table, index);
	sqlite3_stmt *keys = store_prepare(c->from, sql);
	(void)snprintf(sql, sizeof(sql), "SELECT %s FROM %s NOT INDEXED WHERE %s = ?1 AND %s", c->columns, c->table,
		       key, believable(c));
	sqlite3_stmt *row = store_prepare(c->from, sql);
	*code = keys && row ? SQLITE_ERROR : sqlite3_errcode(c->from);
	(void)snprintf(sql, sizeof(sql), "SELECT 1 FROM %s WHERE %s = ?1", c->table, key);
	sqlite3_stmt *there = store_prepare(c->to, sql);
	c->looks = 0;
	while (keys && row && !result && (*code = sqlite3_step(keys)) == SQLITE_ROW) {
		if (is_there(there, sqlite3_column_value(keys, 0)))
			continue;
		int found = find(row, sqlite3_column_value(keys, 0));
		if (found == SQLITE_ROW)
			result = put_row(c, row, err);
		else if (is_without_memory(found))
			result = no_memory(c, err);
		else
			lose(c, sqlite3_column_value(keys, 0));
		(void)sqlite3_reset(row);
	}
	sqlite3_finalize(keys);
	sqlite3_finalize(there);
	sqlite3_finalize(row);
	return result;
}

static int along_an_index(struct copy *c, const char *key, const char *index, struct error *err)
{
	int code = SQLITE_NOMEM, result = FC_OK;

	for (int tries = 0; tries < TRIES && !result && store_is_for_memory(code); tries++)
		result = walk_an_index(c, key, index, &code, err);
	if (!result && is_without_memory(code))
		return no_memory(c, err);
	if (code != SQLITE_DONE)
		c->found->torn = 1;
	return result;
}

/* The columns and the key, as the new file has them. Not all of them is none: what is left out would be lost. */
static int describe(struct copy *c)
{
	sqlite3_stmt *s = store_prepare(c->to, "SELECT name, pk FROM pragma_table_info(?1) ORDER BY pk = 0, pk, cid");
	size_t n = 0, p = 0, k = 0, d = 0;
	int code;

	c->columns[0] = c->places[0] = c->key[0] = c->key_down[0] = '\0';
	if (!s || sqlite3_bind_text(s, 1, c->table, -1, SQLITE_STATIC) != SQLITE_OK) {
		sqlite3_finalize(s);
		return -1;
	}
	while ((code = sqlite3_step(s)) == SQLITE_ROW && n < sizeof(c->columns) && p < sizeof(c->places)) {
		const char *name = store_column(s, 0), *comma = n ? ", " : "";

		if (!name)
			break;
		n += (size_t)snprintf(c->columns + n, sizeof(c->columns) - n, "%s%s", comma, name);
		p += (size_t)snprintf(c->places + p, sizeof(c->places) - p, "%s?", comma);
		if (!sqlite3_column_int(s, 1) || k >= sizeof(c->key) || d >= sizeof(c->key_down))
			continue;
		k += (size_t)snprintf(c->key + k, sizeof(c->key) - k, "%s%s", comma, name);
		d += (size_t)snprintf(c->key_down + d, sizeof(c->key_down) - d, "%s%s DESC", comma, name);
	}
	sqlite3_finalize(s);
	return code != SQLITE_DONE || !k || n >= sizeof(c->columns) || p >= sizeof(c->places) ||
		       d >= sizeof(c->key_down)
		   ? -1
		   : 0;
}

static int copy_table(struct copy *c, struct error *err)
{
	char sql[1600];
	int result = FC_OK;

	if (describe(c))
		return error_set(err, FC_EIO, "store: rescue: %s: its columns and its key can't be made out", c->table);
	(void)snprintf(sql, sizeof(sql), "INSERT OR IGNORE INTO %s(%s) VALUES(%s)", c->table, c->columns, c->places);
	c->insert = store_prepare(c->to, sql);
	if (!c->insert)
		return can_not_write(c, err);
	for (size_t i = 0; i < sizeof(directions) / sizeof(directions[0]) && !result; i++)
		result = along_the_key(c, directions[i], err);
	for (size_t i = 0; i < sizeof(indexed) / sizeof(indexed[0]) && !result; i++)
		if (!strcmp(indexed[i].table, c->table))
			result = along_an_index(c, indexed[i].key, indexed[i].index, err);
	sqlite3_finalize(c->insert);
	return result;
}

/* A damaged tree may lead back to itself: SQLite goes twenty levels down before it finds that out, and at each of them to every branch,
 * which takes for ever. Such a walk ends here, as one does at a bad page. */
static int look(void *user)
{
	struct copy *c = user;

	return ++c->looks > c->looks_max;
}

static int64_t looks_at_most(sqlite3 *db)
{
	static const int files[] = {SQLITE_FCNTL_FILE_POINTER, SQLITE_FCNTL_JOURNAL_POINTER};
	int64_t bytes = 0;

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		sqlite3_file *file = NULL;
		sqlite3_int64 size = 0;

		if (sqlite3_file_control(db, "main", files[i], &file) == SQLITE_OK && file && file->pMethods &&
		    file->pMethods->xFileSize(file, &size) == SQLITE_OK)
			bytes += size;
	}
	return 1 + bytes / LEAST_CELL * STEPS_A_CELL / STEPS_A_LOOK;
}

static int64_t count(sqlite3 *db, const char *sql)
{
	sqlite3_stmt *s = store_prepare(db, sql);
	int64_t n = s && sqlite3_step(s) == SQLITE_ROW ? sqlite3_column_int64(s, 0) : 0;

	sqlite3_finalize(s);
	return n;
}

/* What the journal promises of its two tables. What waits for an order that is lost would wait for ever, before all others. An
 * order whose entry is lost is sent again: a repeat makes no second order. */
static int mend_outbox(sqlite3 *to, const struct rescue *found, struct error *err)
{
	static const char orphans[] = "DELETE FROM outbox WHERE seq NOT IN (SELECT seq FROM orders)";
	static const char resend[] =
	    "INSERT OR IGNORE INTO outbox(platform, method, seq)"
	    " SELECT platform, 'notification_charge_order_info', seq FROM orders o"
	    " WHERE closed = 1 AND wh > 0 AND platform <> '' AND NOT EXISTS (SELECT 1 FROM outbox"
	    " WHERE outbox.seq = o.seq AND outbox.platform = o.platform) AND"
	    " end_wall > (SELECT max(end_wall) FROM orders) - 30 * 86400 ORDER BY end_wall, seq";

	if (sqlite3_exec(to, orphans, NULL, NULL, NULL) != SQLITE_OK ||
	    (found->torn && sqlite3_exec(to, resend, NULL, NULL, NULL) != SQLITE_OK))
		return error_set(err, FC_EIO, "store: rescue: outbox: %s", sqlite3_errmsg(to));
	return FC_OK;
}

int store_rescue(sqlite3 *from, sqlite3 *to, struct rescue *found, struct error *err)
{
	struct copy c = {.from = from, .to = to, .found = found, .looks_max = looks_at_most(from)};
	int result = FC_OK;

	*found = (struct rescue){0};
	sqlite3_stmt *json = store_prepare(to, "SELECT json_valid('{}')");
	c.has_json = json != NULL;
	sqlite3_finalize(json);
	sqlite3_stmt *tables = store_prepare(to, "SELECT name FROM sqlite_master WHERE type = 'table' AND"
						 " name NOT LIKE 'sqlite@_%' ESCAPE '@' ORDER BY name");
	if (!tables || sqlite3_exec(to, "BEGIN IMMEDIATE", NULL, NULL, NULL) != SQLITE_OK) {
		sqlite3_finalize(tables);
		return error_set(err, FC_EIO, "store: rescue: %s", sqlite3_errmsg(to));
	}
	if (sqlite3_exec(to, "CREATE TEMP TABLE lost(name TEXT, key, PRIMARY KEY(name, key))", NULL, NULL, NULL) ==
	    SQLITE_OK)
		c.lose = store_prepare(to, "INSERT OR IGNORE INTO temp.lost VALUES(?1, ?2)");
	sqlite3_progress_handler(from, STEPS_A_LOOK, look, &c);
	int code = SQLITE_DONE;
	while (!result && (code = sqlite3_step(tables)) == SQLITE_ROW) {
		c.table = store_column(tables, 0);
		result = c.table ? copy_table(&c, err) : error_set(err, FC_EIO, "store: rescue: no memory");
	}
	sqlite3_progress_handler(from, 0, NULL, NULL);
	sqlite3_finalize(tables);
	sqlite3_finalize(c.lose);
	(void)sqlite3_exec(to, "DROP TABLE IF EXISTS temp.lost", NULL, NULL, NULL);
	/* A table that was not come to would be left behind, and all of its rows. */
	if (!result && code != SQLITE_DONE)
		result = error_set(err, FC_EIO, "store: rescue: %s", sqlite3_errmsg(to));
	if (!result)
		result = mend_outbox(to, found, err);
	if (!result && sqlite3_exec(to, "COMMIT", NULL, NULL, NULL) != SQLITE_OK)
		result = error_set(err, FC_EIO, "store: rescue: %s", sqlite3_errmsg(to));
	found->orders = count(to, "SELECT count(*) FROM orders");
	found->open = count(to, "SELECT count(*) FROM orders WHERE closed = 0");
	found->outbox = count(to, "SELECT count(*) FROM outbox WHERE state = 0");
	return result;
}
