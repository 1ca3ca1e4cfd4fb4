#include "store/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "store/events.h"
#include "store/internal.h"

/* A damaged file that could not be replaced is looked at again after so long. */
static const int64_t tend_again_us = 60000000;

static const char *const statement_text[STATEMENTS] = {
    [ENERGY_ADD] = "INSERT INTO energy(connector_id, day, wh) VALUES(?1, ?2, ?3) "
		   "ON CONFLICT(day, connector_id) DO UPDATE SET wh = wh + excluded.wh",
    [METER_SET] = "INSERT INTO meter(connector_id, wh) VALUES(?1, ?2) "
		  "ON CONFLICT(connector_id) DO UPDATE SET wh = excluded.wh",
    [METER_GET] = "SELECT wh FROM meter WHERE connector_id = ?1",
    [ENERGY_SUM] = "SELECT coalesce(sum(wh), 0) FROM energy WHERE connector_id = ?1 AND day BETWEEN ?2 AND ?3",
    [VALUE_SET] = "INSERT INTO value(key, value) VALUES(?1, ?2) "
		  "ON CONFLICT(key) DO UPDATE SET value = excluded.value",
    [VALUE_GET] = "SELECT value FROM value WHERE key = ?1",
    /* lookup.c */
    [LOOKUP_GET] = "SELECT value FROM lookup WHERE space = ?1 AND name = ?2 AND key = ?3",
    [LOOKUP_KEY] = "SELECT key FROM lookup WHERE space = ?1 AND name = ?2 AND value = ?3"
		   " ORDER BY stamp DESC LIMIT 1 OFFSET ?4",
    [ROLL_BACK] = "ROLLBACK",
};

sqlite3_stmt *store_prepare(sqlite3 *db, const char *sql)
{
	sqlite3_stmt *s = NULL;

	return sqlite3_prepare_v2(db, sql, -1, &s, NULL) == SQLITE_OK ? s : NULL;
}

const char *store_column(sqlite3_stmt *s, int column)
{
	/* Asked first: what could not be made a text is NULL afterwards. */
	int is_null = sqlite3_column_type(s, column) == SQLITE_NULL;
	const char *text = (const char *)sqlite3_column_text(s, column);

	return is_null ? "" : text;
}

int store_text(sqlite3_stmt *s, int column, char *out, size_t size)
{
	const char *text = store_column(s, column);

	(void)snprintf(out, size, "%s", text ? text : "");
	return text ? FC_OK : FC_ENOMEM;
}

sqlite3 *store_db(struct store *store)
{
	return store->db;
}

int store_is_damage(int code)
{
	return (code & 0xFF) == SQLITE_CORRUPT || (code & 0xFF) == SQLITE_NOTADB || code == SQLITE_IOERR_READ ||
	       code == SQLITE_IOERR_DATA || code == SQLITE_IOERR_CORRUPTFS;
}

int store_is_for_memory(int code)
{
	return (code & 0xFF) == SQLITE_NOMEM || code == SQLITE_IOERR_NOMEM;
}

int store_is_idle(const struct store *store)
{
	return !store->db || sqlite3_get_autocommit(store->db);
}

static int changes(const struct store *store)
{
	return store->db ? sqlite3_total_changes(store->db) : 0;
}

int store_failed(struct store *store, struct error *err, const char *what)
{
	struct store_health *h = &store->health;
	const char *why = sqlite3_errmsg(store->db);

	h->failures++;
	store->changes = changes(store);
	(void)snprintf(h->cause, sizeof(h->cause), "%s", why);
	if (store_is_damage(sqlite3_extended_errcode(store->db)))
		store->damaged = 1;
	if (!h->failing) {
		h->failing = 1;
		h->since_us = clock_mono_us();
		log_error("store: %s: nothing can be kept, charges that run go on: %s", store->path, why);
	}
	return error_set(err, FC_EIO, "store: %s: %s", what, why);
}

void store_worked(struct store *store)
{
	struct store_health *h = &store->health;

	/* A statement that found nothing to change, or a transaction without one, goes through on any disk. */
	if (!h->failing || !store_is_idle(store) || changes(store) == store->changes)
		return;
	h->failing = 0;
	log_notice("store: %s: can be written again, after %lld s", store->path,
		   (long long)(clock_mono_us() - h->since_us) / 1000000);
}

const struct store_health *store_health(const struct store *store)
{
	return &store->health;
}

static int execute(struct store *store, const char *sql, struct error *err)
{
	if (sqlite3_exec(store->db, sql, NULL, NULL, NULL) != SQLITE_OK)
		return store_failed(store, err, sql);
	store_worked(store);
	return FC_OK;
}

static void finish_statements(struct store *store)
{
	for (int i = 0; i < STATEMENTS; i++) {
		sqlite3_finalize(store->statements[i]);
		store->statements[i] = NULL;
	}
}

static int prepare(struct store *store, struct error *err)
{
	if (settle_begin(store))
		return store_failed(store, err, "prepare");
	for (int i = 0; i < STATEMENTS; i++)
		if (sqlite3_prepare_v3(store->db, statement_text[i], -1, SQLITE_PREPARE_PERSISTENT,
				       &store->statements[i], NULL) != SQLITE_OK)
			return store_failed(store, err, "prepare");
	return FC_OK;
}

struct store *store_open(const char *data_dir, struct error *err)
{
	struct store *store = calloc(1, sizeof(*store));

	if (!store) {
		(void)error_set(err, FC_ENOMEM, "store: no memory");
		return NULL;
	}
	int result = file_open(store, data_dir, err);
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
	if (store->db) {
		(void)outbox_flush(store, NULL);
		(void)events_flush(store, NULL);
	}
	events_end(store);
	finish_statements(store);
	file_close(store);
	free(store);
}

void store_tend(struct store *store)
{
	int64_t now = clock_mono_us();
	struct error err = {0};

	if (!store->damaged && !store->detached && !file_is_gone(store)) {
		/* Without memory after the file was replaced. */
		if (!store->statements[STATEMENTS - 1]) {
			finish_statements(store);
			(void)prepare(store, NULL);
		}
		/* Whoever could not write may not try again: that there is room again is found out here. */
		if (store->health.failing && store_is_idle(store)) {
			char text[24];

			(void)snprintf(text, sizeof(text), "%llu", (unsigned long long)store->health.failures);
			(void)store_value_set(store, "failures", text, NULL);
		}
		return;
	}
	if (store->tended_us && now - store->tended_us < tend_again_us)
		return;
	finish_statements(store);
	int result = file_replace(store, &err);
	store->tended_us = result ? now : 0;
	store->changes = -1; /* of another file */
	if (result)
		log_error("%s; tried again in %lld s", err.text, (long long)(tend_again_us / 1000000));
	if (!prepare(store, NULL) && !result)
		store_worked(store);
}

int store_clear(struct store *store, struct error *err)
{
	if (!store->undone)
		return FC_OK;
	store_rollback(store);
	return store->undone ? store_failed(store, err, "ROLLBACK") : FC_OK;
}

int store_begin(struct store *store, struct error *err)
{
	if (store_clear(store, err))
		return FC_EIO;
	return execute(store, "BEGIN IMMEDIATE", err);
}

int store_commit(struct store *store, struct error *err)
{
	/* Events of a confirmation wait as long as it does, and go with it. */
	int settled = settle_ride(store);
	if (settled)
		(void)events_wanted(store);
	int64_t events = events_ride(store);
	int result = store->undone ? store_failed(store, err, "COMMIT") : execute(store, "COMMIT", err);

	settle_rode(store, settled, !result);
	events_rode(store, events, !result);
	if (result)
		store_rollback(store);
	return result;
}

void store_rollback(struct store *store)
{
	sqlite3_stmt *s = store->statements[ROLL_BACK];

	/* Not by execute: that it goes through does not mean that the disk takes anything. Prepared, since it must go through without memory: in
	 * what stays open the next order would be written, told, and lost with the power. */
	if (s) {
		(void)sqlite3_step(s);
		(void)sqlite3_reset(s);
	}
	if (!store_is_idle(store))
		(void)sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL);
	store->undone = !store_is_idle(store);
	store->changes = changes(store);
}

void store_back_to(struct store *store, const char *savepoint)
{
	char sql[64];

	(void)snprintf(sql, sizeof(sql), "ROLLBACK TO %s; RELEASE %s", savepoint, savepoint);
	/* What of it stays must not be kept with the rest: the whole transaction fails. */
	if (sqlite3_exec(store->db, sql, NULL, NULL, NULL) != SQLITE_OK)
		store->undone = 1;
}

/* Runs a statement that gives no rows. */
static int run(struct store *store, sqlite3_stmt *s, const char *what, struct error *err)
{
	if (store_clear(store, err))
		return FC_EIO;
	int done = sqlite3_step(s) == SQLITE_DONE;
	int result = done ? FC_OK : store_failed(store, err, what);

	(void)sqlite3_reset(s);
	if (done)
		store_worked(store);
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
	/* Of a caller's transaction that is to be taken back nothing may be kept: this fails too, and with it that. */
	if (store->undone) {
		(void)store_clear(store, NULL);
		return error_set(err, FC_EIO, "store: energy: the transaction before was not taken back");
	}
	/* A savepoint makes the pair one even inside a caller's transaction. */
	if (execute(store, "SAVEPOINT energy", err))
		return FC_EIO;
	if (!run(store, add, "energy", err) && !run(store, set, "meter", err) && !execute(store, "RELEASE energy", err))
		return FC_OK;
	store_back_to(store, "energy");
	return FC_EIO;
}

/* What a statement for one row came to: what could not be read is not known to be missing. */
static int found(int code)
{
	return code == SQLITE_ROW ? FC_OK : code == SQLITE_DONE ? FC_ENOENT : FC_EIO;
}

int store_energy_meter(struct store *store, const char *connector_id, int64_t *meter_wh)
{
	sqlite3_stmt *s = store->statements[METER_GET];
	int code = SQLITE_NOMEM;

	if (sqlite3_bind_text(s, 1, connector_id, -1, SQLITE_STATIC) == SQLITE_OK)
		code = sqlite3_step(s);
	if (code == SQLITE_ROW)
		*meter_wh = sqlite3_column_int64(s, 0);
	(void)sqlite3_reset(s);
	return found(code);
}

int64_t store_energy_sum(struct store *store, const char *connector_id, int32_t first, int32_t last)
{
	sqlite3_stmt *s = store->statements[ENERGY_SUM];
	int64_t sum = FC_EIO;

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
	int code = SQLITE_NOMEM;

	if (sqlite3_bind_text(s, 1, key, -1, SQLITE_STATIC) == SQLITE_OK)
		code = sqlite3_step(s);
	int result = found(code);
	if (!result) {
		const char *text = store_column(s, 0);
		int n = snprintf(out, size, "%s", text ? text : "");

		result = !text ? FC_EIO : n < 0 || (size_t)n >= size ? FC_ELIMIT : FC_OK;
	}
	(void)sqlite3_reset(s);
	return result;
}
