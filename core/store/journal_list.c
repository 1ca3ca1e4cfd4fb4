#include "store/journal_list.h"

#include <stdio.h>
#include <string.h>

#include "store/internal.h"

/* All pages walk the index (end_wall, seq) of what is closed, or the few that are open, so that none costs more than the entries it looks at. */
static const char *const page_text[2][2] = {
    {"SELECT " JOURNAL_COLUMNS
     " FROM orders WHERE closed = 1 AND end_wall BETWEEN ?1 AND ?2 AND (end_wall, seq) < (?3, ?4)"
     " ORDER BY end_wall DESC, seq DESC LIMIT ?5",
     "SELECT " JOURNAL_COLUMNS
     " FROM orders WHERE closed = 1 AND end_wall BETWEEN ?1 AND ?2 AND (end_wall, seq) > (?3, ?4)"
     " ORDER BY end_wall, seq LIMIT ?5"},
    {"SELECT " JOURNAL_COLUMNS
     " FROM orders WHERE closed = 0 AND start_wall BETWEEN ?1 AND ?2 AND (end_wall, seq) < (?3, ?4)"
     " ORDER BY end_wall DESC, seq DESC LIMIT ?5",
     "SELECT " JOURNAL_COLUMNS
     " FROM orders WHERE closed = 0 AND start_wall BETWEEN ?1 AND ?2 AND (end_wall, seq) > (?3, ?4)"
     " ORDER BY end_wall, seq LIMIT ?5"},
};

static sqlite3_stmt *prepare_page(struct store *store, const struct journal_query *q, const struct journal_place *place)
{
	sqlite3_stmt *s = store_prepare(store_db(store), page_text[q->open != 0][q->oldest_first != 0]);
	int64_t first = q->first, last = q->last, from = q->oldest_first ? INT64_MIN : INT64_MAX;

	/* Said twice, so that the walk begins at the place whatever the planner makes of the pair. */
	if (*place->seq) {
		from = place->end_wall;
		if (!q->open && q->oldest_first && from > first)
			first = from;
		if (!q->open && !q->oldest_first && from < last)
			last = from;
	}
	if (s && !sqlite3_bind_int64(s, 1, first) && !sqlite3_bind_int64(s, 2, last) &&
	    !sqlite3_bind_int64(s, 3, from) && !sqlite3_bind_text(s, 4, place->seq, -1, SQLITE_TRANSIENT) &&
	    !sqlite3_bind_int(s, 5, JOURNAL_LOOKS))
		return s;
	sqlite3_finalize(s);
	return NULL;
}

static int is_of(sqlite3_stmt *s, const char *platform)
{
	const char *text = (const char *)sqlite3_column_text(s, 2);

	return !platform || (text && !strcmp(text, platform));
}

int journal_page(struct store *store, const struct journal_query *query, struct journal_place *place,
		 void (*fn)(void *user, const struct journal_order *order), void *user)
{
	sqlite3_stmt *s = prepare_page(store, query, place);
	int code = SQLITE_ERROR, looked = 0, told = 0;

	while (s && told < query->most && (code = sqlite3_step(s)) == SQLITE_ROW) {
		struct journal_order o;
		const char *seq = (const char *)sqlite3_column_text(s, 0);

		looked++;
		place->end_wall = sqlite3_column_int64(s, 6);
		(void)snprintf(place->seq, sizeof(place->seq), "%s", seq ? seq : "");
		/* The record is read of those only that are told. */
		if (!is_of(s, query->platform))
			continue;
		journal_row(s, &o);
		if (!o.record) {
			code = SQLITE_NOMEM;
			break;
		}
		fn(user, &o);
		told++;
	}
	sqlite3_finalize(s);
	if (code != SQLITE_ROW && code != SQLITE_DONE)
		return FC_EIO;
	return told == query->most || looked == JOURNAL_LOOKS;
}

int64_t journal_count_open(struct store *store)
{
	sqlite3_stmt *s = store_prepare(store_db(store), "SELECT count(*) FROM orders WHERE closed = 0");
	int64_t n = s && sqlite3_step(s) == SQLITE_ROW ? sqlite3_column_int64(s, 0) : FC_EIO;

	sqlite3_finalize(s);
	return n;
}

int outbox_of(struct store *store, const char *seq, void (*fn)(void *user, const struct outbox_entry *entry),
	      void *user)
{
	sqlite3_stmt *s =
	    store_prepare(store_db(store), "SELECT " OUTBOX_COLUMNS " FROM outbox WHERE seq = ?1 ORDER BY id");
	int n = 0, code = SQLITE_ERROR;

	if (s && !sqlite3_bind_text(s, 1, seq, -1, SQLITE_STATIC))
		while ((code = sqlite3_step(s)) == SQLITE_ROW) {
			struct outbox_entry entry;

			outbox_row(s, &entry);
			fn(user, &entry);
			n++;
		}
	sqlite3_finalize(s);
	return code == SQLITE_DONE ? n : FC_EIO;
}

int outbox_unsettled(struct store *store,
		     void (*fn)(void *user, const char *platform, enum outbox_state state, int64_t count), void *user)
{
	sqlite3_stmt *s = store_prepare(store_db(store), "SELECT platform, state, count(*) FROM outbox WHERE state <> 1"
							 " GROUP BY platform, state");
	int code = SQLITE_ERROR;

	while (s && (code = sqlite3_step(s)) == SQLITE_ROW) {
		const char *platform = (const char *)sqlite3_column_text(s, 0);

		fn(user, platform ? platform : "", (enum outbox_state)sqlite3_column_int(s, 1),
		   sqlite3_column_int64(s, 2));
	}
	sqlite3_finalize(s);
	return code == SQLITE_DONE ? FC_OK : FC_EIO;
}
