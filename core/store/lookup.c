#include "store/lookup.h"

#include <stdio.h>
#include <string.h>

#include "store/internal.h"

/* Binds texts to ?1, ?2 ...; NULL ends the list. */
static int bind_texts(sqlite3_stmt *s, const char *const *texts)
{
	int bad = !s;

	for (int i = 0; texts[i] && !bad; i++)
		bad = sqlite3_bind_text(s, i + 1, texts[i], -1, SQLITE_STATIC) != SQLITE_OK;
	return bad;
}

/* Steps a bound statement to its one text. */
static int read_text(sqlite3_stmt *s, char *out, size_t size)
{
	int code = sqlite3_step(s), result;

	if (code == SQLITE_ROW) {
		const char *text = store_column(s, 0);
		int n = text ? snprintf(out, size, "%s", text) : -1;

		result = n < 0 ? FC_EIO : (size_t)n >= size ? FC_ELIMIT : FC_OK;
	} else {
		result = code == SQLITE_DONE ? FC_ENOENT : FC_EIO;
	}
	(void)sqlite3_reset(s);
	(void)sqlite3_clear_bindings(s);
	return result;
}

int lookup_get(struct store *store, const char *space, const char *name, const char *key, char *out, size_t size)
{
	sqlite3_stmt *s = store->statements[LOOKUP_GET];

	if (bind_texts(s, (const char *const[]){space, name, key, NULL}))
		return FC_EIO;
	return read_text(s, out, size);
}

int lookup_key(struct store *store, const char *space, const char *name, const char *value, int rank, char *out,
	       size_t size)
{
	sqlite3_stmt *s = store->statements[LOOKUP_KEY];

	if (bind_texts(s, (const char *const[]){space, name, value, NULL}) || sqlite3_bind_int(s, 4, rank))
		return FC_EIO;
	return read_text(s, out, size);
}

/* One number of a statement about a table (?1, ?2), or FC_EIO. */
static int64_t number(struct store *store, const char *sql, const char *space, const char *name)
{
	sqlite3_stmt *s = store_prepare(store_db(store), sql);
	int64_t n = FC_EIO;

	if (!bind_texts(s, (const char *const[]){space, name, NULL}) && sqlite3_step(s) == SQLITE_ROW)
		n = sqlite3_column_int64(s, 0);
	sqlite3_finalize(s);
	return n;
}

int lookup_count(struct store *store, const char *space, const char *name)
{
	return (int)number(store, "SELECT count(*) FROM lookup WHERE space = ?1 AND name = ?2", space, name);
}

static int check(const char *space, const struct lookup_entry *e, struct error *err)
{
	const struct {
		const char *what, *text;
		size_t most;
		int may_be_empty;
	} texts[] = {{"space", space, LOOKUP_NAME_MAX, 0},
		     {"table", e->name, LOOKUP_NAME_MAX, 0},
		     {"key", e->key, LOOKUP_TEXT_MAX, 0},
		     {"value", e->value ? e->value : "", LOOKUP_TEXT_MAX, 1}};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (strlen(texts[i].text) > texts[i].most || (!*texts[i].text && !texts[i].may_be_empty))
			return error_set(err, FC_ELIMIT, "store: lookup: a %s wants %d to %zu bytes", texts[i].what,
					 !texts[i].may_be_empty, texts[i].most);
	return FC_OK;
}

/* 1 when the entry would change nothing; 0, FC_EIO. */
static int is_there(struct store *store, const char *space, const struct lookup_entry *e)
{
	char now[LOOKUP_TEXT_MAX + 1];
	int result = lookup_get(store, space, e->name, e->key, now, sizeof(now));

	/* What SQLite has no memory for it takes the whole transaction back for: nothing more is written in it. */
	if (result == FC_EIO)
		return FC_EIO;
	return e->value ? !result && !strcmp(now, e->value) : result == FC_ENOENT;
}

static int run(struct store *store, sqlite3_stmt *s, int bad, struct error *err)
{
	int result = !bad && sqlite3_step(s) == SQLITE_DONE ? FC_OK : store_failed(store, err, "lookup");

	sqlite3_finalize(s);
	return result;
}

/* One more table must fit into the space; the names are skipped through along the key, whatever is in the tables. */
static int check_tables(struct store *store, const char *space, const char *name, struct error *err)
{
	static const char others[] =
	    "WITH RECURSIVE n(x) AS (SELECT min(name) FROM lookup WHERE space = ?1 UNION ALL"
	    " SELECT (SELECT min(name) FROM lookup WHERE space = ?1 AND name > n.x) FROM n WHERE n.x IS NOT NULL)"
	    " SELECT count(x) FROM n WHERE x <> ?2";
	int64_t n = number(store, others, space, name);

	if (n < 0)
		return store_failed(store, err, "lookup");
	return n < LOOKUP_TABLES_MAX
		   ? FC_OK
		   : error_set(err, FC_ELIMIT, "store: lookup: %s has %d tables already, %s would be one more", space,
			       LOOKUP_TABLES_MAX, name);
}

static int put(struct store *store, const char *space, const struct lookup_entry *e, struct error *err)
{
	/* The stamp only says what came after what: a clock may jump. */
	static const char write[] =
	    "INSERT INTO lookup(space, name, key, value, stamp) VALUES(?1, ?2, ?3, ?4,"
	    " 1 + coalesce((SELECT max(stamp) FROM lookup WHERE space = ?1 AND name = ?2), 0))"
	    " ON CONFLICT(space, name, key) DO UPDATE SET value = excluded.value, stamp = excluded.stamp";
	static const char away[] = "DELETE FROM lookup WHERE space = ?1 AND name = ?2 AND key = ?3";
	sqlite3_stmt *s;

	int there = is_there(store, space, e);
	if (there)
		return there > 0 ? FC_OK : store_failed(store, err, "lookup");
	int result = e->value ? check_tables(store, space, e->name, err) : FC_OK;
	if (result)
		return result;
	s = store_prepare(store_db(store), e->value ? write : away);
	return run(store, s, bind_texts(s, (const char *const[]){space, e->name, e->key, e->value, NULL}), err);
}

/* The youngest stay. */
static int trim(struct store *store, const char *space, const char *name, struct error *err)
{
	static const char sql[] = "DELETE FROM lookup WHERE space = ?1 AND name = ?2 AND stamp <="
				  " (SELECT stamp FROM lookup WHERE space = ?1 AND name = ?2"
				  " ORDER BY stamp DESC LIMIT 1 OFFSET ?3)";
	sqlite3_stmt *s = store_prepare(store_db(store), sql);

	return run(store, s,
		   bind_texts(s, (const char *const[]){space, name, NULL}) ||
		       sqlite3_bind_int(s, 3, LOOKUP_ENTRIES_MAX) != SQLITE_OK,
		   err);
}

static int put_all(struct store *store, const char *space, const struct lookup_entry *entries, int count,
		   struct error *err)
{
	int result = FC_OK;

	for (int i = 0; i < count && !result; i++) {
		result = put(store, space, &entries[i], err);
		/* Once for entries of one table that follow each other. */
		if (!result && (i + 1 == count || strcmp(entries[i].name, entries[i + 1].name) != 0))
			result = trim(store, space, entries[i].name, err);
	}
	return result;
}

int lookup_put(struct store *store, const char *space, const struct lookup_entry *entries, int count, struct error *err)
{
	int changes = 0, result = FC_OK;

	for (int i = 0; i < count && !result; i++) {
		result = check(space, &entries[i], err);
		changes += !result && is_there(store, space, &entries[i]) <= 0;
	}
	if (result || !changes)
		return result;
	if (!store_is_idle(store))
		return error_set(err, FC_EBUSY, "store: lookup: another transaction is under way");
	result = store_begin(store, err);
	if (result)
		return result;
	result = put_all(store, space, entries, count, err);
	if (!result)
		return store_commit(store, err);
	store_rollback(store);
	return result;
}
