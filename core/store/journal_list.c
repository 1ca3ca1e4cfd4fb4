#include "store/journal_list.h"

#include <stdio.h>
#include <string.h>

#include "store/internal.h"

/* What is not settled is little, and found by an index of its own; INDEXED BY and CROSS keep SQLite from walking years of entries and
 * orders for it: left alone, it takes the index that has the numbers sorted already. */
#define UNSETTLED(order)                                                                                          \
	"SELECT " JOURNAL_COLUMNS " FROM (SELECT DISTINCT seq AS wanted FROM outbox INDEXED BY outbox_unsettled " \
	"WHERE state = ?6 AND state <> 1 AND NOT answered(id))"                                                   \
	" CROSS JOIN orders ON seq = wanted WHERE closed = 1 AND end_wall BETWEEN ?1 AND ?2 AND (end_wall, "      \
	"seq) " order " LIMIT ?5"
static const char *const unsettled_text[2] = {UNSETTLED("< (?3, ?4) ORDER BY end_wall DESC, seq DESC"),
					      UNSETTLED("> (?3, ?4) ORDER BY end_wall, seq")};

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
	int unsettled = !q->open && (q->told == JOURNAL_WAITING || q->told == JOURNAL_DISPUTED);
	sqlite3_stmt *s = store_prepare(store_db(store), unsettled ? unsettled_text[q->oldest_first != 0]
								   : page_text[q->open != 0][q->oldest_first != 0]);
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
	    !sqlite3_bind_int(s, 5, JOURNAL_LOOKS) &&
	    !(unsettled && sqlite3_bind_int(s, 6, q->told == JOURNAL_WAITING ? OUTBOX_WAITING : OUTBOX_DISPUTED)))
		return s;
	sqlite3_finalize(s);
	return NULL;
}

/* 1 when it was told to somebody, and all have confirmed it; 0, FC_EIO. */
static int is_confirmed(sqlite3_stmt *told, const char *seq)
{
	int result = FC_EIO;

	if (!told)
		return FC_EIO;
	if (!sqlite3_bind_text(told, 1, seq, -1, SQLITE_TRANSIENT) && sqlite3_step(told) == SQLITE_ROW)
		result = sqlite3_column_int(told, 0) > 0 && !sqlite3_column_int(told, 1);
	(void)sqlite3_reset(told);
	return result;
}

/* 1, 0, FC_EIO; the place moves on to this row. */
static int fits(sqlite3_stmt *s, sqlite3_stmt *told, const struct journal_query *q, struct journal_place *place)
{
	const char *seq = store_column(s, 0), *connector = store_column(s, 1), *platform = store_column(s, 2);

	if (!seq || !connector || !platform)
		return FC_EIO;
	place->end_wall = sqlite3_column_int64(s, 6);
	(void)snprintf(place->seq, sizeof(place->seq), "%s", seq);
	if (!((!q->platform || !strcmp(platform, q->platform)) && (!q->connector || !strcmp(connector, q->connector)) &&
	      (!q->search || strcasestr(seq, q->search) || strcasestr(connector, q->search) ||
	       strcasestr(platform, q->search))))
		return 0;
	return q->told == JOURNAL_CONFIRMED ? is_confirmed(told, seq) : 1;
}

int journal_page(struct store *store, const struct journal_query *query, struct journal_place *place,
		 void (*fn)(void *user, const struct journal_order *order), void *user)
{
	sqlite3_stmt *s = prepare_page(store, query, place);
	sqlite3_stmt *all =
	    query->told == JOURNAL_CONFIRMED
		? store_prepare(store_db(store), "SELECT count(*), sum(state <> 1 AND NOT answered(id)) FROM outbox"
						 " WHERE seq = ?1")
		: NULL;
	int code = SQLITE_ERROR, looked = 0, told = 0;

	while (s && told < query->most && (code = sqlite3_step(s)) == SQLITE_ROW) {
		struct journal_order o;
		int fit = fits(s, all, query, place);

		looked++;
		/* The record is read of those only that are told. */
		if (!fit)
			continue;
		if (fit < 0 || journal_row(s, &o)) {
			code = SQLITE_NOMEM;
			break;
		}
		fn(user, &o);
		told++;
	}
	sqlite3_finalize(all);
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

			if (outbox_row(s, &entry))
				break;
			outbox_told(store, &entry);
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
							 " AND NOT answered(id)"
							 " GROUP BY platform, state");
	int code = SQLITE_ERROR;

	while (s && (code = sqlite3_step(s)) == SQLITE_ROW) {
		const char *platform = store_column(s, 0);

		if (!platform)
			break;
		fn(user, platform, (enum outbox_state)sqlite3_column_int(s, 1), sqlite3_column_int64(s, 2));
	}
	sqlite3_finalize(s);
	return code == SQLITE_DONE ? FC_OK : FC_EIO;
}

int outbox_oldest(struct store *store, const char *platform, int64_t *end_wall)
{
	sqlite3_stmt *s = store_prepare(
	    store_db(store),
	    "SELECT min(o.end_wall) FROM outbox b JOIN orders o ON o.seq = b.seq"
	    " WHERE b.state <> 1 AND b.state = 0 AND NOT answered(b.id) AND (?1 IS NULL OR b.platform = ?1)");
	int result = FC_EIO;

	if (s && !sqlite3_bind_text(s, 1, platform, -1, SQLITE_STATIC) && sqlite3_step(s) == SQLITE_ROW) {
		result = sqlite3_column_type(s, 0) == SQLITE_NULL ? FC_ENOENT : FC_OK;
		*end_wall = sqlite3_column_int64(s, 0);
	}
	sqlite3_finalize(s);
	return result;
}
