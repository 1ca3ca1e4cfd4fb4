#include "store/accounts.h"

#include "store/internal.h"

static int bind(sqlite3_stmt *s, int place, const char *text)
{
	return sqlite3_bind_text(s, place, text, -1, SQLITE_STATIC);
}

/* Takes the statement. changed: rows that it must have touched, -1 = any number. */
static int run(struct store *store, sqlite3_stmt *s, int bad, int changed, struct error *err)
{
	int result = s && !bad && sqlite3_step(s) == SQLITE_DONE ? FC_OK : store_failed(store, err, "accounts");

	sqlite3_finalize(s);
	if (result)
		return result;
	store_worked(store);
	if (changed >= 0 && sqlite3_changes(store_db(store)) != changed)
		return error_set(err, FC_ENOENT, "it is not there");
	return FC_OK;
}

int account_put(struct store *store, const struct account_row *a, struct error *err)
{
	sqlite3_stmt *s =
	    store_prepare(store_db(store), "INSERT OR REPLACE INTO account(name, role, hash, must_change, disabled,"
					   " created_wall, login_wall, login_place)"
					   " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)");
	int bad = !s || bind(s, 1, a->name) || bind(s, 2, a->role) || bind(s, 3, a->hash) ||
		  sqlite3_bind_int(s, 4, a->must_change) || sqlite3_bind_int(s, 5, a->disabled) ||
		  sqlite3_bind_int64(s, 6, a->created_wall) || sqlite3_bind_int64(s, 7, a->login_wall) ||
		  bind(s, 8, a->login_place);

	return run(store, s, bad, -1, err);
}

int account_noted_login(struct store *store, const char *name, int64_t wall, const char *place, struct error *err)
{
	sqlite3_stmt *s =
	    store_prepare(store_db(store), "UPDATE account SET login_wall = ?2, login_place = ?3 WHERE name = ?1");

	return run(store, s, !s || bind(s, 1, name) || sqlite3_bind_int64(s, 2, wall) || bind(s, 3, place), 1, err);
}

int account_drop(struct store *store, const char *name, struct error *err)
{
	sqlite3_stmt *s = store_prepare(store_db(store), "DELETE FROM account WHERE name = ?1");

	return run(store, s, !s || bind(s, 1, name), 1, err);
}

int account_each(struct store *store, void (*fn)(void *user, const struct account_row *row), void *user)
{
	sqlite3_stmt *s = store_prepare(store_db(store), "SELECT name, role, hash, must_change, disabled, created_wall,"
							 " login_wall, login_place FROM account ORDER BY name");
	int n = 0, code = SQLITE_ERROR;

	while (s && (code = sqlite3_step(s)) == SQLITE_ROW) {
		struct account_row a = {.must_change = sqlite3_column_int(s, 3),
					.disabled = sqlite3_column_int(s, 4),
					.created_wall = sqlite3_column_int64(s, 5),
					.login_wall = sqlite3_column_int64(s, 6)};

		if (store_text(s, 0, a.name, sizeof(a.name)) || store_text(s, 1, a.role, sizeof(a.role)) ||
		    store_text(s, 2, a.hash, sizeof(a.hash)) || store_text(s, 7, a.login_place, sizeof(a.login_place)))
			break;
		fn(user, &a);
		n++;
	}
	sqlite3_finalize(s);
	return code == SQLITE_DONE ? n : FC_EIO;
}

int token_put(struct store *store, struct token_row *t, struct error *err)
{
	sqlite3_stmt *s =
	    store_prepare(store_db(store), "INSERT INTO token(name, role, digest, made_by, created_wall,"
					   " expires_wall, used_wall) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)");
	int bad = !s || bind(s, 1, t->name) || bind(s, 2, t->role) || bind(s, 3, t->digest) || bind(s, 4, t->by) ||
		  sqlite3_bind_int64(s, 5, t->created_wall) || sqlite3_bind_int64(s, 6, t->expires_wall) ||
		  sqlite3_bind_int64(s, 7, t->used_wall);
	int result = run(store, s, bad, -1, err);

	if (!result)
		t->id = sqlite3_last_insert_rowid(store_db(store));
	return result;
}

int token_noted_use(struct store *store, int64_t id, int64_t wall, struct error *err)
{
	sqlite3_stmt *s = store_prepare(store_db(store), "UPDATE token SET used_wall = ?2 WHERE id = ?1");

	return run(store, s, !s || sqlite3_bind_int64(s, 1, id) || sqlite3_bind_int64(s, 2, wall), 1, err);
}

int token_drop(struct store *store, int64_t id, struct error *err)
{
	sqlite3_stmt *s = store_prepare(store_db(store), "DELETE FROM token WHERE id = ?1");

	return run(store, s, !s || sqlite3_bind_int64(s, 1, id), 1, err);
}

int token_each(struct store *store, void (*fn)(void *user, const struct token_row *row), void *user)
{
	sqlite3_stmt *s =
	    store_prepare(store_db(store), "SELECT id, name, role, digest, made_by, created_wall, expires_wall,"
					   " used_wall FROM token ORDER BY id");
	int n = 0, code = SQLITE_ERROR;

	while (s && (code = sqlite3_step(s)) == SQLITE_ROW) {
		struct token_row t = {.id = sqlite3_column_int64(s, 0),
				      .created_wall = sqlite3_column_int64(s, 5),
				      .expires_wall = sqlite3_column_int64(s, 6),
				      .used_wall = sqlite3_column_int64(s, 7)};

		if (store_text(s, 1, t.name, sizeof(t.name)) || store_text(s, 2, t.role, sizeof(t.role)) ||
		    store_text(s, 3, t.digest, sizeof(t.digest)) || store_text(s, 4, t.by, sizeof(t.by)))
			break;
		fn(user, &t);
		n++;
	}
	sqlite3_finalize(s);
	return code == SQLITE_DONE ? n : FC_EIO;
}
