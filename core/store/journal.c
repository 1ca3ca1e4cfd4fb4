#include "store/journal.h"

#include <stdio.h>
#include <string.h>

#include "store/internal.h"

static int bind_text(sqlite3_stmt *s, const char *name, const char *text)
{
	int i = sqlite3_bind_parameter_index(s, name);

	return i ? sqlite3_bind_text(s, i, text, -1, SQLITE_STATIC) : SQLITE_OK;
}

static int bind_int(sqlite3_stmt *s, const char *name, int64_t value)
{
	int i = sqlite3_bind_parameter_index(s, name);

	return i ? sqlite3_bind_int64(s, i, value) : SQLITE_OK;
}

/* Spaces behind the record of an order that runs give its row a length of which SQLite keeps almost all that a page can hold of a row in
 * the table itself, and the rest in pages of its own: 477 and so many times 508 bytes, of which the other columns take 65 to 85.
 * Notes have the same length then, and are written in place, and of those pages only what differs: what changes while it runs
 * is at the begin of the record (charge/order.c), so that is one. */
static int64_t room_of(const char *record)
{
	enum { FIRST = 477 - 92, MORE = 508 };
	size_t len = strlen(record), whole = FIRST;

	while (whole < len)
		whole += MORE;
	return (int64_t)(whole - len);
}

/* What the statement does not name is not bound. */
static int bind_order(sqlite3_stmt *s, const struct journal_order *o)
{
	return bind_text(s, ":seq", o->seq) || bind_text(s, ":connector", o->connector_id) ||
	       bind_text(s, ":platform", o->platform) || bind_int(s, ":mode", o->mode) ||
	       bind_int(s, ":start", o->start_wall) || bind_int(s, ":end", o->end_wall) || bind_int(s, ":wh", o->wh) ||
	       bind_int(s, ":money", o->money_e4) || bind_int(s, ":reason", o->reason) ||
	       bind_text(s, ":record", o->record) || bind_int(s, ":room", room_of(o->record));
}

/* Runs and ends a statement without rows; changed, if not NULL, is how many rows it touched. */
static int finish(struct store *store, sqlite3_stmt *s, int bound, int *changed, struct error *err, const char *what)
{
	if (!s || bound != SQLITE_OK || store_clear(store, NULL)) {
		sqlite3_finalize(s);
		return store_failed(store, err, what);
	}
	int code = sqlite3_step(s);
	if (changed)
		*changed = sqlite3_changes(store_db(store));
	if (sqlite3_finalize(s) == SQLITE_OK && code == SQLITE_DONE) {
		store_worked(store);
		return FC_OK;
	}
	/* The code may be an extended one. */
	if ((sqlite3_errcode(store_db(store)) & 0xFF) == SQLITE_CONSTRAINT)
		return error_set(err, FC_EEXIST, "store: %s: is there already", what);
	return store_failed(store, err, what);
}

static int insert(struct store *store, const struct journal_order *order, const char *sql, struct error *err)
{
	sqlite3_stmt *s = store_prepare(store_db(store), sql);

	/* Events of the order that wait are written with it, or neither; and confirmations of others. */
	int rides = events_wanted(store) || store->settles.count;
	int own = rides && store_is_idle(store) && !store_begin(store, NULL);
	int result = finish(store, s, s ? bind_order(s, order) : SQLITE_ERROR, NULL, err, "order");

	if (own && !result)
		return store_commit(store, err);
	if (own)
		store_rollback(store);
	return result;
}

int journal_open(struct store *store, const struct journal_order *order, struct error *err)
{
	return insert(store, order,
		      "INSERT INTO orders(seq, connector_id, platform, mode, closed, start_wall, end_wall, wh,"
		      " money_e4, reason, record) VALUES(:seq, :connector, :platform, :mode, 0, :start, 0, :wh,"
		      " :money, 0, :record || printf('%*s', :room, ''))",
		      err);
}

int journal_keep(struct store *store, const struct journal_order *order, struct error *err)
{
	return insert(store, order,
		      "INSERT INTO orders(seq, connector_id, platform, mode, closed, start_wall, end_wall, wh,"
		      " money_e4, reason, record) VALUES(:seq, :connector, :platform, :mode, 1, :start, :end, :wh,"
		      " :money, :reason, :record)",
		      err);
}

static int update(struct store *store, const struct journal_order *order, const char *sql, struct error *err)
{
	int changed = 0;
	sqlite3_stmt *s = store_prepare(store_db(store), sql);
	int result = finish(store, s, s ? bind_order(s, order) : SQLITE_ERROR, &changed, err, "order");

	if (!result && !changed)
		return error_set(err, FC_ENOENT, "store: order %s: there is no open one", order->seq);
	return result;
}

int journal_note(struct store *store, const struct journal_order *order, struct error *err)
{
	return update(store, order,
		      "UPDATE orders SET platform = :platform, start_wall = :start, end_wall = :end, wh = :wh,"
		      " money_e4 = :money, reason = :reason, record = :record ||"
		      " printf('%*s', :room, '')"
		      " WHERE seq = :seq AND closed = 0",
		      err);
}

static int put_out(struct store *store, const char *platform, const char *method, const char *seq, struct error *err)
{
	sqlite3_stmt *s =
	    store_prepare(store_db(store), "INSERT INTO outbox(platform, method, seq) VALUES(:platform, :method, :seq)"
					   " ON CONFLICT DO NOTHING");
	int bound =
	    s ? bind_text(s, ":platform", platform) || bind_text(s, ":method", method) || bind_text(s, ":seq", seq)
	      : SQLITE_ERROR;

	return finish(store, s, bound, NULL, err, "outbox");
}

int journal_close(struct store *store, const struct journal_order *order, const struct journal_recipient *recipients,
		  int count, struct error *err)
{
	int result = store_begin(store, err);

	if (result)
		return result;
	(void)events_wanted(store);
	result = update(store, order,
			"UPDATE orders SET closed = 1, platform = :platform, start_wall = :start, end_wall = :end, wh "
			"= :wh, money_e4 = :money,"
			" reason = :reason, record = :record WHERE seq = :seq AND closed = 0",
			err);
	for (int i = 0; i < count && !result; i++)
		result = put_out(store, recipients[i].platform, recipients[i].method, order->seq, err);
	if (result) {
		store_rollback(store);
		return result;
	}
	return store_commit(store, err);
}

int journal_row(sqlite3_stmt *s, struct journal_order *o)
{
	*o = (struct journal_order){
	    .mode = sqlite3_column_int(s, 3),
	    .closed = sqlite3_column_int(s, 4),
	    .start_wall = sqlite3_column_int64(s, 5),
	    .end_wall = sqlite3_column_int64(s, 6),
	    .wh = sqlite3_column_int64(s, 7),
	    .money_e4 = sqlite3_column_int64(s, 8),
	    .reason = sqlite3_column_int(s, 9),
	    .record = store_column(s, 10),
	};
	int bad = store_text(s, 0, o->seq, sizeof(o->seq)) ||
		  store_text(s, 1, o->connector_id, sizeof(o->connector_id)) ||
		  store_text(s, 2, o->platform, sizeof(o->platform));

	return bad || !o->record ? FC_ENOMEM : FC_OK;
}

int outbox_row(sqlite3_stmt *s, struct outbox_entry *entry)
{
	*entry = (struct outbox_entry){
	    .id = sqlite3_column_int64(s, 0),
	    .attempts = sqlite3_column_int(s, 4),
	    .next_wall = sqlite3_column_int64(s, 5),
	    .state = (enum outbox_state)sqlite3_column_int(s, 6),
	    .answer = sqlite3_column_int(s, 7),
	};
	/* An entry without its number or its message would be given up, and the order with it. */
	int bad = store_text(s, 1, entry->platform, sizeof(entry->platform)) ||
		  store_text(s, 2, entry->method, sizeof(entry->method)) ||
		  store_text(s, 3, entry->seq, sizeof(entry->seq)) ||
		  store_text(s, 8, entry->mapping, sizeof(entry->mapping));

	return bad ? FC_ENOMEM : FC_OK;
}

static const char select_order[] = "SELECT " JOURNAL_COLUMNS " FROM orders ";

/* Takes the statement; how many rows, or FC_EIO. */
static int each(struct store *store, sqlite3_stmt *s, void (*fn)(void *user, const struct journal_order *order),
		void *user)
{
	int n = 0, code;

	while ((code = sqlite3_step(s)) == SQLITE_ROW) {
		struct journal_order o;

		if (journal_row(s, &o))
			break;
		fn(user, &o);
		n++;
	}
	sqlite3_finalize(s);
	return code == SQLITE_DONE ? n : store_failed(store, NULL, "orders");
}

static sqlite3_stmt *prepare_orders(struct store *store, const char *where)
{
	char sql[400];

	(void)snprintf(sql, sizeof(sql), "%s%s", select_order, where);
	return store_prepare(store_db(store), sql);
}

void journal_read_anew(struct store *store)
{
	if (store_db(store))
		(void)sqlite3_db_release_memory(store_db(store));
}

int journal_find(struct store *store, const char *seq, void (*fn)(void *user, const struct journal_order *order),
		 void *user)
{
	sqlite3_stmt *s = prepare_orders(store, "WHERE seq = :seq");

	if (!s || bind_text(s, ":seq", seq)) {
		sqlite3_finalize(s);
		return store_failed(store, NULL, "orders");
	}
	int n = each(store, s, fn, user);
	return n > 0 ? FC_OK : n ? n : FC_ENOENT;
}

int journal_last(struct store *store, const char *connector_id, int most,
		 void (*fn)(void *user, const struct journal_order *order), void *user)
{
	sqlite3_stmt *s = prepare_orders(store, "WHERE connector_id = :connector AND closed = 1 AND wh > 0"
						" ORDER BY id DESC LIMIT :most");

	if (!s || bind_text(s, ":connector", connector_id) || bind_int(s, ":most", most)) {
		sqlite3_finalize(s);
		return store_failed(store, NULL, "orders");
	}
	int n = each(store, s, fn, user);
	return n > 0 ? FC_OK : n ? n : FC_ENOENT;
}

int journal_each_open(struct store *store, void (*fn)(void *user, const struct journal_order *order), void *user)
{
	sqlite3_stmt *s = prepare_orders(store, "WHERE closed = 0 ORDER BY start_wall, seq");

	return s ? each(store, s, fn, user) : store_failed(store, NULL, "orders");
}

int journal_each_closed(struct store *store, const char *platform, int64_t first, int64_t last,
			void (*fn)(void *user, const struct journal_order *order), void *user)
{
	sqlite3_stmt *s = prepare_orders(store, "WHERE closed = 1 AND end_wall BETWEEN :first AND :last AND"
						" (:platform IS NULL OR platform = :platform) ORDER BY end_wall, seq");

	if (!s || bind_int(s, ":first", first) || bind_int(s, ":last", last) ||
	    (platform && bind_text(s, ":platform", platform))) {
		sqlite3_finalize(s);
		return store_failed(store, NULL, "orders");
	}
	return each(store, s, fn, user);
}

int outbox_first(struct store *store, const char *platform, int (*skip)(void *user, const struct outbox_entry *entry),
		 void *user, struct outbox_entry *entry)
{
	sqlite3_stmt *s =
	    store_prepare(store_db(store), "SELECT " OUTBOX_COLUMNS
					   " FROM outbox WHERE platform = :platform AND state = 0 AND state <> 1"
					   " AND NOT answered(id) ORDER BY id");
	int result = FC_EIO;

	if (s && bind_text(s, ":platform", platform) == SQLITE_OK) {
		int code, read = FC_OK;

		while ((code = sqlite3_step(s)) == SQLITE_ROW)
			if ((read = outbox_row(s, entry)) || !skip || !skip(user, entry))
				break;
		if (!read)
			result = code == SQLITE_ROW ? FC_OK : code == SQLITE_DONE ? FC_ENOENT : FC_EIO;
	}
	sqlite3_finalize(s);
	if (result == FC_EIO)
		(void)store_failed(store, NULL, "outbox");
	return result;
}

int outbox_later(struct store *store, int64_t id, int64_t next_wall, struct error *err)
{
	sqlite3_stmt *s = store_prepare(store_db(store),
					"UPDATE outbox SET attempts = attempts + 1, next_wall = :next WHERE id = :id");
	int bound = s ? bind_int(s, ":next", next_wall) || bind_int(s, ":id", id) : SQLITE_ERROR;

	return finish(store, s, bound, NULL, err, "outbox");
}

int outbox_done(struct store *store, int64_t id, enum outbox_state state, int answer, const char *mapping,
		struct error *err)
{
	struct settled settled = {.id = id, .answer = answer, .has_mapping = mapping != NULL};

	(void)snprintf(settled.mapping, sizeof(settled.mapping), "%s", mapping ? mapping : "");
	if (state == OUTBOX_CONFIRMED && !settle_later(store, &settled))
		return FC_OK;
	/* What is written now comes after what waits. */
	if (settle_find(store, id) && outbox_flush(store, err))
		return FC_EIO;
	sqlite3_stmt *s = store_prepare(store_db(store),
					"UPDATE outbox SET attempts = attempts + 1, state = :state, answer = :answer,"
					" mapping = coalesce(:mapping, mapping) WHERE id = :id");
	int bound = s ? bind_int(s, ":state", state) || bind_int(s, ":answer", answer) ||
			    bind_text(s, ":mapping", mapping) || bind_int(s, ":id", id)
		      : SQLITE_ERROR;
	/* What waits is the end of the order's life: it goes along, and needs no transaction of its own some minutes later. */
	int own = events_wanted(store) && store_is_idle(store) && !store_begin(store, NULL);
	int result = finish(store, s, bound, NULL, err, "outbox");

	if (own && !result)
		return store_commit(store, err);
	if (own)
		store_rollback(store);
	return result;
}

int outbox_again(struct store *store, const char *platform, const char *seq, struct error *err)
{
	int changed = 0;
	sqlite3_stmt *s =
	    store_prepare(store_db(store), "UPDATE outbox SET state = 0, attempts = 0, next_wall = 0, mapping = ''"
					   " WHERE platform = :platform AND seq = :seq");
	int bound = s ? bind_text(s, ":platform", platform) || bind_text(s, ":seq", seq) : SQLITE_ERROR;
	int result = finish(store, s, bound, &changed, err, "outbox");

	if (!result && changed)
		settle_forget(store, platform, seq);
	if (!result && !changed)
		return error_set(err, FC_ENOENT, "store: order %s was never to be sent to %s", seq, platform);
	return result;
}

int64_t outbox_waiting(struct store *store, const char *platform)
{
	sqlite3_stmt *s = store_prepare(
	    store_db(store), "SELECT count(*) FROM outbox WHERE state = 0 AND state <> 1 AND NOT answered(id) AND"
			     " (:platform IS NULL OR platform = :platform)");
	int64_t n = 0;

	if (s && (!platform || bind_text(s, ":platform", platform) == SQLITE_OK) && sqlite3_step(s) == SQLITE_ROW)
		n = sqlite3_column_int64(s, 0);
	else
		(void)store_failed(store, NULL, "outbox");
	sqlite3_finalize(s);
	return n;
}
