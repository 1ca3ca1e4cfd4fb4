#include "store/versions.h"

#include <stdio.h>

#include "store/internal.h"

enum { DAY_S = 86400 };

#define VERSION_COLUMNS "id, item, hash, whole, at_wall, origin"

/* NULL when it can't be prepared or bound; texts are borrowed until it ran. */
static sqlite3_stmt *prepare(struct store *store, const char *sql, const char *const *texts, int text_count,
			     const int64_t *numbers, int number_count)
{
	sqlite3_stmt *s = store_prepare(store_db(store), sql);
	int bad = !s;

	for (int i = 0; i < text_count && !bad; i++)
		bad = sqlite3_bind_text(s, i + 1, texts[i], -1, SQLITE_STATIC);
	for (int i = 0; i < number_count && !bad; i++)
		bad = sqlite3_bind_int64(s, text_count + i + 1, numbers[i]);
	if (!bad)
		return s;
	sqlite3_finalize(s);
	return NULL;
}

/* Takes the statement; it gives no rows. */
static int run(struct store *store, sqlite3_stmt *s, struct error *err)
{
	int done = s && sqlite3_step(s) == SQLITE_DONE;

	if (!done)
		(void)store_failed(store, err, "versions");
	sqlite3_finalize(s);
	if (done)
		store_worked(store);
	return done ? FC_OK : FC_EIO;
}

int version_add_text(struct store *store, const char *hash, const char *text, size_t len, struct error *err)
{
	sqlite3_stmt *s =
	    prepare(store, "INSERT OR IGNORE INTO script_text(hash, text) VALUES(?1, ?2)", &hash, 1, NULL, 0);

	if (s && sqlite3_bind_blob64(s, 2, text, len, SQLITE_STATIC) != SQLITE_OK) {
		sqlite3_finalize(s);
		s = NULL;
	}
	return run(store, s, err);
}

int version_add(struct store *store, const struct version *v, const char *text, size_t len, struct error *err)
{
	int result = version_add_text(store, v->hash, text, len, err);

	if (result)
		return result;
	return run(store,
		   prepare(store,
			   "INSERT INTO script_version(item, hash, whole, origin, at_wall, used_wall)"
			   " VALUES(?1, ?2, ?3, ?4, ?5, 0)",
			   (const char *[]){v->item, v->hash, v->whole, v->origin}, 4, &v->at_wall, 1),
		   err);
}

int version_add_part(struct store *store, const char *whole, const char *item, const char *hash, struct error *err)
{
	return run(store,
		   prepare(store, "INSERT OR IGNORE INTO script_part(whole, item, hash) VALUES(?1, ?2, ?3)",
			   (const char *[]){whole, item, hash}, 3, NULL, 0),
		   err);
}

/* FC_OK, FC_ENOMEM. */
static int read_row(sqlite3_stmt *s, struct version *v)
{
	*v = (struct version){.id = sqlite3_column_int64(s, 0), .at_wall = sqlite3_column_int64(s, 4)};
	int bad = store_text(s, 1, v->item, sizeof(v->item)) || store_text(s, 2, v->hash, sizeof(v->hash)) ||
		  store_text(s, 3, v->whole, sizeof(v->whole)) || store_text(s, 5, v->origin, sizeof(v->origin));

	return bad ? FC_ENOMEM : FC_OK;
}

static void take(void *user, const struct version *version)
{
	*(struct version *)user = *version;
}

int version_last(struct store *store, const char *item, struct version *version)
{
	int n = version_each(store, item, 0, 1, take, version);

	return n > 0 ? FC_OK : n ? n : FC_ENOENT;
}

int version_each(struct store *store, const char *item, int64_t before, int most,
		 void (*fn)(void *user, const struct version *version), void *user)
{
	static const char of_one[] =
	    "SELECT " VERSION_COLUMNS " FROM script_version WHERE item = ?1 AND id < ?2 ORDER BY id DESC LIMIT ?3",
			  of_all[] = "SELECT " VERSION_COLUMNS
				     " FROM script_version WHERE ?1 IS NULL AND id < ?2 ORDER BY id DESC LIMIT ?3";
	sqlite3_stmt *s =
	    prepare(store, item ? of_one : of_all, &item, 1, (const int64_t[]){before ? before : INT64_MAX, most}, 2);
	int n = 0, code = SQLITE_ERROR;

	while (s && (code = sqlite3_step(s)) == SQLITE_ROW) {
		struct version v;

		if (read_row(s, &v))
			break;
		fn(user, &v);
		n++;
	}
	sqlite3_finalize(s);
	return code == SQLITE_DONE ? n : store_failed(store, NULL, "versions");
}

int version_each_part(struct store *store, const char *whole,
		      void (*fn)(void *user, const char *item, const char *hash), void *user)
{
	sqlite3_stmt *s =
	    prepare(store, "SELECT item, hash FROM script_part WHERE whole = ?1 ORDER BY item", &whole, 1, NULL, 0);
	int n = 0, code = SQLITE_ERROR;

	while (s && (code = sqlite3_step(s)) == SQLITE_ROW) {
		char item[VERSION_ITEM], hash[JOURNAL_VERSION];

		if (store_text(s, 0, item, sizeof(item)) || store_text(s, 1, hash, sizeof(hash)))
			break;
		fn(user, item, hash);
		n++;
	}
	sqlite3_finalize(s);
	return code == SQLITE_DONE ? n : store_failed(store, NULL, "versions");
}

int version_text(struct store *store, const char *hash, void (*fn)(void *user, const char *text, size_t len),
		 void *user)
{
	sqlite3_stmt *s = prepare(store, "SELECT text FROM script_text WHERE hash = ?1", &hash, 1, NULL, 0);
	int code = s ? sqlite3_step(s) : SQLITE_ERROR;

	if (code == SQLITE_ROW) {
		int type = sqlite3_column_type(s, 0);
		const char *text = sqlite3_column_blob(s, 0);
		int len = sqlite3_column_bytes(s, 0);

		/* An empty text has no memory of its own; nor has one that there was none for, which is NULL afterwards. */
		if (!text && sqlite3_column_type(s, 0) != type)
			code = SQLITE_NOMEM;
		else
			fn(user, text ? text : "", text ? (size_t)len : 0);
	}
	sqlite3_finalize(s);
	if (code == SQLITE_ROW || code == SQLITE_DONE)
		return code == SQLITE_ROW ? FC_OK : FC_ENOENT;
	return store_failed(store, NULL, "versions");
}

/* The one number of a statement's one row, or preset. */
static int64_t number(sqlite3_stmt *s, int64_t preset)
{
	int64_t n = s && sqlite3_step(s) == SQLITE_ROW ? sqlite3_column_int64(s, 0) : preset;

	sqlite3_finalize(s);
	return n;
}

int version_has_text(struct store *store, const char *hash)
{
	return number(prepare(store, "SELECT 1 FROM script_text WHERE hash = ?1", &hash, 1, NULL, 0), 0) == 1;
}

int version_is_known(struct store *store, const char *item, const char *whole)
{
	return number(prepare(store, "SELECT 1 FROM script_version WHERE whole = ?1 AND item = ?2 LIMIT 1",
			      (const char *[]){whole, item}, 2, NULL, 0),
		      0) == 1;
}

void version_used(struct store *store, const char *whole, int64_t wall)
{
	static const char sql[] = "UPDATE script_version SET used_wall = ?2 WHERE whole = ?1 AND used_wall < ?3";

	if (*whole)
		(void)run(store, prepare(store, sql, &whole, 1, (const int64_t[]){wall, wall - DAY_S}, 2), NULL);
}

/* Trimming ----------------------------------------------------------------------------------------------------------- */

/* What may go, the oldest first: of one item, or of all. A module goes after what it is a part of. */
#define MAY_GO                                                                                       \
	" FROM script_version AS v WHERE used_wall < ?2 AND (?1 IS NULL OR item = ?1)"               \
	" AND NOT EXISTS (SELECT 1 FROM script_part AS p WHERE p.item = v.item AND p.hash = v.hash)" \
	" AND (SELECT count(*) FROM script_version AS l WHERE l.item = v.item AND l.id > v.id) >= 2 ORDER BY id"

static int drop(struct store *store, int64_t id, struct error *err)
{
	static const char *const unused[] = {
	    "DELETE FROM script_part WHERE whole NOT IN (SELECT whole FROM script_version)",
	    "DELETE FROM script_text WHERE hash NOT IN (SELECT hash FROM script_version)"
	    " AND hash NOT IN (SELECT hash FROM script_part)"};
	int result = run(store, prepare(store, "DELETE FROM script_version WHERE id = ?1", NULL, 0, &id, 1), err);

	for (size_t i = 0; i < sizeof(unused) / sizeof(unused[0]) && !result; i++)
		result = run(store, prepare(store, unused[i], NULL, 0, NULL, 0), err);
	return result;
}

/* The id of the oldest that may go, 0 = none. */
static int64_t oldest(struct store *store, const char *item, int64_t now,
		      int (*is_kept)(void *user, const struct version *version), void *user)
{
	const int64_t cutoff = now - (int64_t)VERSION_KEPT_DAYS * DAY_S;
	sqlite3_stmt *s = prepare(store, "SELECT " VERSION_COLUMNS MAY_GO, &item, 1, &cutoff, 1);
	int64_t id = 0;

	while (s && !id && sqlite3_step(s) == SQLITE_ROW) {
		struct version v;

		/* One that can't be read is not known to be unused. */
		if (!read_row(s, &v) && !is_kept(user, &v))
			id = v.id;
	}
	sqlite3_finalize(s);
	return id;
}

static int is_too_much(struct store *store, const char *item)
{
	if (item)
		return number(prepare(store, "SELECT count(*) FROM script_version WHERE item = ?1", &item, 1, NULL, 0),
			      0) > VERSIONS_MAX;
	return number(prepare(store, "SELECT coalesce(sum(length(text)), 0) FROM script_text", NULL, 0, NULL, 0), 0) >
	       VERSION_TEXTS_MAX;
}

int version_trim(struct store *store, const char *item, int64_t now,
		 int (*is_kept)(void *user, const struct version *version), void *user, struct error *err)
{
	const char *const scopes[] = {item, NULL};

	for (size_t i = 0; i < sizeof(scopes) / sizeof(scopes[0]); i++)
		while (is_too_much(store, scopes[i])) {
			int64_t id = oldest(store, scopes[i], now, is_kept, user);
			int result = id ? drop(store, id, err) : FC_OK;

			if (result)
				return result;
			if (!id)
				break;
		}
	return FC_OK;
}
