#include "store/audit.h"

#include <string.h>

#include "store/internal.h"

static int run(struct store *store, sqlite3_stmt *s, int bad, struct error *err)
{
	int result = s && !bad && sqlite3_step(s) == SQLITE_DONE ? FC_OK : store_failed(store, err, "audit");

	sqlite3_finalize(s);
	if (!result)
		store_worked(store);
	return result;
}

/* Bytes of a character by its first one; what is none is taken byte by byte. */
static size_t length_of(unsigned char first)
{
	return first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : first >= 0xC0 ? 2 : 1;
}

/* As many whole characters of a text as its field holds: its end may have been cut before. */
static int bind_cut(sqlite3_stmt *s, int place, const char *text, size_t size)
{
	size_t len = 0, all = strnlen(text, size - 1);

	while (len < all && len + length_of((unsigned char)text[len]) <= all)
		len += length_of((unsigned char)text[len]);
	return s ? sqlite3_bind_text(s, place, text, (int)len, SQLITE_STATIC) : SQLITE_ERROR;
}

/* The key grows by one a row: what lies far enough behind the new one goes. */
static int forget(struct store *store, int64_t id, struct error *err)
{
	sqlite3_stmt *s = store_prepare(store_db(store), "DELETE FROM audit WHERE id <= ?1");

	return run(store, s, !s || sqlite3_bind_int64(s, 1, id - AUDIT_ROWS_MAX), err);
}

static int insert(struct store *store, const struct audit_entry *e, int64_t *id, struct error *err)
{
	sqlite3_stmt *s = store_prepare(
	    store_db(store), "INSERT INTO audit(at_wall, who, command, arguments, before, after, result, place)"
			     " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)");
	int bad = !s || sqlite3_bind_int64(s, 1, e->at_wall) || bind_cut(s, 2, e->who, sizeof(e->who)) ||
		  bind_cut(s, 3, e->command, sizeof(e->command)) ||
		  bind_cut(s, 4, e->arguments, sizeof(e->arguments)) || bind_cut(s, 5, e->before, sizeof(e->before)) ||
		  bind_cut(s, 6, e->after, sizeof(e->after)) || bind_cut(s, 7, e->result, sizeof(e->result)) ||
		  bind_cut(s, 8, e->place, sizeof(e->place));
	int result = run(store, s, bad, err);

	*id = result ? 0 : sqlite3_last_insert_rowid(store_db(store));
	return result;
}

int audit_add(struct store *store, const struct audit_entry *entry, int64_t *id, struct error *err)
{
	/* An action may end within a transaction of others: its row is theirs then. */
	int own = store_is_idle(store);
	int result = own ? store_begin(store, err) : FC_OK;
	int64_t row = 0;

	if (result)
		return result;
	result = insert(store, entry, &row, err);
	if (!result)
		result = forget(store, row, err);
	if (own && !result)
		result = store_commit(store, err);
	else if (own)
		store_rollback(store);
	if (id)
		*id = result ? 0 : row;
	return result;
}

int audit_finish(struct store *store, int64_t id, const char *before, const char *after, const char *result,
		 struct error *err)
{
	sqlite3_stmt *s =
	    store_prepare(store_db(store), "UPDATE audit SET before = ?2, after = ?3, result = ?4 WHERE id = ?1");

	return run(store, s,
		   !s || sqlite3_bind_int64(s, 1, id) || bind_cut(s, 2, before, AUDIT_TEXT) ||
		       bind_cut(s, 3, after, AUDIT_TEXT) || bind_cut(s, 4, result, AUDIT_TEXT),
		   err);
}

int audit_each(struct store *store, int64_t below, int most, void (*fn)(void *user, const struct audit_entry *entry),
	       void *user)
{
	sqlite3_stmt *s = store_prepare(
	    store_db(store), "SELECT id, at_wall, who, command, arguments, before, after, result, place FROM audit"
			     " WHERE id < ?1 ORDER BY id DESC LIMIT ?2");
	int n = 0, code = SQLITE_ERROR;

	if (!s || sqlite3_bind_int64(s, 1, below ? below : INT64_MAX) || sqlite3_bind_int(s, 2, most)) {
		sqlite3_finalize(s);
		return FC_EIO;
	}
	while ((code = sqlite3_step(s)) == SQLITE_ROW) {
		struct audit_entry e = {.id = sqlite3_column_int64(s, 0), .at_wall = sqlite3_column_int64(s, 1)};

		if (store_text(s, 2, e.who, sizeof(e.who)) || store_text(s, 3, e.command, sizeof(e.command)) ||
		    store_text(s, 4, e.arguments, sizeof(e.arguments)) ||
		    store_text(s, 5, e.before, sizeof(e.before)) || store_text(s, 6, e.after, sizeof(e.after)) ||
		    store_text(s, 7, e.result, sizeof(e.result)) || store_text(s, 8, e.place, sizeof(e.place)))
			break;
		fn(user, &e);
		n++;
	}
	sqlite3_finalize(s);
	return code == SQLITE_DONE ? n : FC_EIO;
}
