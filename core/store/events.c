#include "store/events.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "store/internal.h"
#include "store/journal.h"

/* How many go at once: each deletion writes pages. */
enum { FORGET_AT_ONCE = 1000, LOOKS = 2000, FIELDS = 7, MANY_WAIT = 256 };

static const int64_t ride_after_us = 60000000;

static const char *const kind_names[EVENT_KINDS] = {
    [EVENT_SESSION] = "session", [EVENT_STATUS] = "status", [EVENT_COMMAND] = "command",
    [EVENT_ALARM] = "alarm",     [EVENT_LIMIT] = "limit",   [EVENT_RESERVE] = "reserve",
    [EVENT_MESSAGE] = "message", [EVENT_ORDER] = "order",   [EVENT_RESEND] = "resend",
};

const char *event_kind_name(enum event_kind kind)
{
	return (unsigned)kind < EVENT_KINDS ? kind_names[kind] : NULL;
}

int event_kind_of(const char *name, enum event_kind *kind)
{
	for (int i = 0; i < EVENT_KINDS; i++)
		if (!strcmp(kind_names[i], name)) {
			*kind = (enum event_kind)i;
			return FC_OK;
		}
	return FC_ENOENT;
}

/* One that waits, with its texts behind it. */
struct waiting_event {
	struct waiting_event *next;
	int64_t mono_us;
	struct event event;
	char texts[];
};

/* Bytes of a character by its first one; what is none is taken byte by byte. */
static size_t length_of(unsigned char first)
{
	return first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : first >= 0xC0 ? 2 : 1;
}

/* As many whole characters as fit. */
static size_t cut(const char *text, size_t most)
{
	size_t len = 0, all = text ? strnlen(text, most) : 0;

	while (len < all && len + length_of((unsigned char)text[len]) <= all)
		len += length_of((unsigned char)text[len]);
	return len;
}

static struct waiting_event *copy_of(const struct event *e)
{
	const char *const from[FIELDS] = {e->connector, e->seq, e->from, e->to, e->text, e->who, e->detail};
	static const size_t most[FIELDS] = {EVENT_NAME - 1, JOURNAL_SEQ - 1, EVENT_NAME - 1, EVENT_NAME - 1,
					    EVENT_TEXT - 1, EVENT_NAME - 1,  EVENT_DETAIL};
	size_t len[FIELDS], size = 0;

	for (int i = 0; i < FIELDS; i++) {
		len[i] = cut(from[i], most[i]);
		/* An object that is cut is none. */
		if (i == FIELDS - 1 && from[i] && from[i][len[i]])
			len[i] = 0;
		size += len[i] + 1;
	}
	struct waiting_event *w = calloc(1, sizeof(*w) + size);
	if (!w)
		return NULL;
	const char **const to[FIELDS] = {&w->event.connector, &w->event.seq, &w->event.from,  &w->event.to,
					 &w->event.text,      &w->event.who, &w->event.detail};
	char *at = w->texts;
	for (int i = 0; i < FIELDS; i++) {
		if (len[i])
			memcpy(at, from[i], len[i]);
		*to[i] = at;
		at += len[i] + 1;
	}
	return w;
}

static void drop_first(struct event_queue *q)
{
	struct waiting_event *w = q->first;

	q->first = w->next;
	if (!q->first)
		q->last = NULL;
	q->count--;
	free(w);
}

/* What the file holds already; once, and again when that could not be read. */
static int find_ends(struct store *store)
{
	struct event_queue *q = &store->events;
	sqlite3_stmt *s;

	if (q->next_id)
		return FC_OK;
	s = store_prepare(store->db, "SELECT coalesce(min(id), 1), coalesce(max(id), 0) FROM event");
	if (s && sqlite3_step(s) == SQLITE_ROW) {
		q->forgotten_id = sqlite3_column_int64(s, 0) - 1;
		q->next_id = sqlite3_column_int64(s, 1) + 1;
	}
	sqlite3_finalize(s);
	return q->next_id ? FC_OK : FC_EIO;
}

/* A bucket that fills with time, and each event takes a piece of. */
static int is_flood(struct event_queue *q, const struct event *e)
{
	const int64_t piece = (int64_t)EVENTS_PACE_S * 1000000, full = EVENTS_BURST * piece, now = clock_mono_us();

	q->room_us = q->filled_us && q->room_us + now - q->filled_us < full ? q->room_us + now - q->filled_us : full;
	q->filled_us = now;
	if (e->kind == EVENT_SESSION || e->kind == EVENT_ORDER)
		return 0;
	if (q->room_us < piece)
		return 1;
	q->room_us -= piece;
	return 0;
}

static void count_dropped(struct event_queue *q, const char *why)
{
	if (!q->dropped++)
		log_warning("store: events: %s: some are not kept", why);
}

uint64_t events_dropped(const struct store *store)
{
	return store->events.dropped;
}

int events_add(struct store *store, const struct event *event, struct error *err)
{
	if (!store)
		return FC_OK;
	struct event_queue *q = &store->events;
	if (is_flood(q, event)) {
		count_dropped(q, "too many");
		q->newest_id = 0;
		return FC_OK;
	}
	struct waiting_event *w = copy_of(event);
	if (!w)
		return error_set(err, FC_ENOMEM, "store: event: no memory");
	/* A table that can't be read now has an end all the same: numbers go on from a time that is behind any of them. */
	if (find_ends(store)) {
		q->next_id = clock_mono_us() + ((int64_t)1 << 40);
		q->forgotten_id = q->next_id - 1;
	}
	w->mono_us = clock_mono_us();
	w->event.kind = event->kind;
	w->event.at = event->at ? event->at : clock_wall();
	w->event.id = q->next_id++;
	if (q->last)
		q->last->next = w;
	else
		q->first = w;
	q->last = w;
	q->newest_id = w->event.id;
	if (++q->count <= EVENTS_WAITING_MAX)
		return FC_OK;
	count_dropped(q, "the disk takes none");
	drop_first(q);
	return FC_OK;
}

int64_t events_newest(const struct store *store)
{
	return store ? store->events.newest_id : 0;
}

void events_forget(struct store *store, int64_t id)
{
	struct waiting_event **at, *before = NULL;

	if (!store || !id)
		return;
	struct event_queue *q = &store->events;
	for (at = &q->first; *at; before = *at, at = &(*at)->next) {
		struct waiting_event *w = *at;

		if (w->event.id != id)
			continue;
		*at = w->next;
		if (q->last == w)
			q->last = before;
		q->count--;
		free(w);
		return;
	}
	/* It went along with another transaction meanwhile. */
	sqlite3_stmt *s = store_prepare(store->db, "DELETE FROM event WHERE id = ?1");
	if (s && !sqlite3_bind_int64(s, 1, id))
		(void)sqlite3_step(s);
	sqlite3_finalize(s);
}

/* Writing ------------------------------------------------------------------------------------------------------------- */

static int put(sqlite3_stmt *s, const struct event *e)
{
	int bad =
	    sqlite3_bind_int64(s, 1, e->id) || sqlite3_bind_int64(s, 2, e->at) ||
	    sqlite3_bind_int(s, 3, (int)e->kind) || sqlite3_bind_text(s, 4, e->connector, -1, SQLITE_STATIC) ||
	    sqlite3_bind_text(s, 5, e->seq, -1, SQLITE_STATIC) || sqlite3_bind_text(s, 6, e->from, -1, SQLITE_STATIC) ||
	    sqlite3_bind_text(s, 7, e->to, -1, SQLITE_STATIC) || sqlite3_bind_text(s, 8, e->text, -1, SQLITE_STATIC) ||
	    sqlite3_bind_text(s, 9, e->who, -1, SQLITE_STATIC) ||
	    sqlite3_bind_text(s, 10, e->detail, -1, SQLITE_STATIC);
	int done = !bad && sqlite3_step(s) == SQLITE_DONE;

	(void)sqlite3_reset(s);
	return done ? FC_OK : FC_EIO;
}

static int write_all(struct store *store)
{
	/* A number may be there already after a rescue: what happened now is worth more. */
	sqlite3_stmt *s = store_prepare(store->db, "INSERT OR REPLACE INTO event VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8,"
						   " ?9, ?10)");
	int result = s ? FC_OK : FC_EIO;

	for (const struct waiting_event *w = store->events.first; w && !result; w = w->next)
		result = put(s, &w->event);
	sqlite3_finalize(s);
	return result;
}

/* The oldest go, many at once. */
static int forget_old(struct store *store)
{
	struct event_queue *q = &store->events;
	int64_t newest = q->next_id - 1, upto = newest - EVENTS_ROWS_MAX;

	if (upto < q->forgotten_id + FORGET_AT_ONCE)
		return FC_OK;
	sqlite3_stmt *s =
	    store_prepare(store->db, "DELETE FROM event WHERE id <= ?1 AND (id <= ?2 OR seq = '' OR"
				     " seq NOT IN (SELECT seq FROM outbox WHERE state IN (0, 2) AND state <> 1"
				     " UNION SELECT seq FROM orders WHERE closed = 0))");
	int done = s && !sqlite3_bind_int64(s, 1, upto) && !sqlite3_bind_int64(s, 2, newest - EVENTS_HARD_MAX) &&
		   sqlite3_step(s) == SQLITE_DONE;

	sqlite3_finalize(s);
	if (done)
		q->forgotten_id = upto;
	return done ? FC_OK : FC_EIO;
}

int64_t events_ride(struct store *store)
{
	struct event_queue *q = &store->events;

	/* Each transaction that they go with writes two pages more. */
	if (!q->first || q->is_tired || (!q->is_wanted && clock_mono_us() - q->first->mono_us < ride_after_us) ||
	    sqlite3_exec(store->db, "SAVEPOINT event", NULL, NULL, NULL) != SQLITE_OK)
		return 0;
	if (!write_all(store) && !forget_old(store) &&
	    sqlite3_exec(store->db, "RELEASE event", NULL, NULL, NULL) == SQLITE_OK)
		return q->last->event.id;
	/* Whatever is wrong with this table, the transaction that it rode with goes on without it. */
	if (store_is_damage(sqlite3_extended_errcode(store->db)))
		store->damaged = 1;
	q->is_tired = 1;
	store_back_to(store, "event");
	return 0;
}

void events_rode(struct store *store, int64_t upto, int is_kept)
{
	struct event_queue *q = &store->events;

	q->is_wanted = 0;
	/* Perhaps it was they for whom there was no room: the next goes without them. */
	if (upto)
		q->is_tired = !is_kept;
	else if (is_kept)
		q->is_tired = 0;
	while (is_kept && q->first && q->first->event.id <= upto)
		drop_first(q);
}

int events_wanted(struct store *store)
{
	store->events.is_wanted = store->db && store->events.first && !store->events.is_tired;
	return store->events.is_wanted;
}

void events_end(struct store *store)
{
	while (store->events.first)
		drop_first(&store->events);
}

int events_flush(struct store *store, struct error *err)
{
	if (!store->events.first)
		return FC_OK;
	if (!store->db)
		return error_set(err, FC_EIO, "store: events: the file could not be opened yet");
	if (!store_is_idle(store))
		return error_set(err, FC_EBUSY, "store: events: within a transaction");
	store->events.is_tired = 0;
	(void)events_wanted(store);
	int result = store_begin(store, err);
	if (!result)
		result = store_commit(store, err);
	if (!result && store->events.first)
		return error_set(err, FC_EIO, "store: events: not written");
	return result;
}

void events_tend(struct store *store)
{
	const struct event_queue *q = &store->events;
	int64_t latest_us = (int64_t)EVENTS_LATEST_S * 1000000;

	if (!q->first || (q->count < MANY_WAIT && clock_mono_us() - q->first->mono_us < latest_us))
		return;
	/* Why not is said by the store's health. While the disk takes none, once a minute is enough. */
	if (store_health(store)->failing && clock_mono_us() - q->tried_us < 60000000)
		return;
	store->events.tried_us = clock_mono_us();
	(void)events_flush(store, NULL);
}

/* Reading ------------------------------------------------------------------------------------------------------------- */

struct page {
	const struct event_query *query;
	int64_t *below;
	void (*fn)(void *user, const struct event *event);
	void *user;
	int told, looked;
};

static int fits(const struct event_query *q, const struct event *e)
{
	return (!q->connector || !strcmp(q->connector, e->connector)) && (!q->seq || !strcmp(q->seq, e->seq)) &&
	       (!q->kinds || q->kinds & 1u << (unsigned)e->kind);
}

static void look(struct page *p, const struct event *e)
{
	*p->below = e->id;
	p->looked++;
	if (!fits(p->query, e))
		return;
	p->fn(p->user, e);
	p->told++;
}

/* They are few, and in the order in which they came: the newest last. */
static void look_at_waiting(const struct store *store, struct page *p)
{
	const struct waiting_event *best;

	do {
		best = NULL;
		for (const struct waiting_event *w = store->events.first; w; w = w->next)
			if (!*p->below || w->event.id < *p->below)
				best = w;
		if (best)
			look(p, &best->event);
	} while (best && p->told < p->query->most);
}

/* FC_OK, FC_ENOMEM. */
static int look_at_row(sqlite3_stmt *s, struct page *p)
{
	enum { FIRST = 3 };
	const char *texts[FIELDS];

	for (int i = 0; i < FIELDS; i++) {
		texts[i] = store_column(s, FIRST + i);
		if (!texts[i])
			return FC_ENOMEM;
	}
	const struct event e = {.id = sqlite3_column_int64(s, 0),
				.at = sqlite3_column_int64(s, 1),
				.kind = (enum event_kind)sqlite3_column_int(s, 2),
				.connector = texts[0],
				.seq = texts[1],
				.from = texts[2],
				.to = texts[3],
				.text = texts[4],
				.who = texts[5],
				.detail = texts[6]};

	/* A damaged row may hold anything. */
	if (event_kind_name(e.kind)) {
		look(p, &e);
	} else {
		*p->below = e.id;
		p->looked++;
	}
	return FC_OK;
}

#define COLUMNS "id, at_wall, kind, connector_id, seq, before, after, text, who, detail"

int events_page(struct store *store, const struct event_query *query, int64_t *below,
		void (*fn)(void *user, const struct event *event), void *user)
{
	struct page p = {query, below, fn, user, 0, 0};
	int code = SQLITE_ERROR;

	look_at_waiting(store, &p);
	if (p.told >= query->most)
		return 1;
	sqlite3_stmt *s = store_prepare(
	    store->db, query->seq
			   ? "SELECT " COLUMNS
			     " FROM event WHERE CAST(substr(seq, 10) AS INTEGER) = CAST(substr(?2, 10) AS INTEGER)"
			     " AND seq = ?2 AND seq <> '' AND id < ?1"
			     " ORDER BY id DESC LIMIT ?3"
			   : "SELECT " COLUMNS " FROM event WHERE id < ?1 ORDER BY id DESC LIMIT ?3");
	int bad = !s || sqlite3_bind_int64(s, 1, *below ? *below : INT64_MAX) || sqlite3_bind_int(s, 3, LOOKS) ||
		  (query->seq && sqlite3_bind_text(s, 2, query->seq, -1, SQLITE_STATIC));
	p.looked = 0;
	while (!bad && p.told < query->most && (code = sqlite3_step(s)) == SQLITE_ROW)
		if (look_at_row(s, &p)) {
			code = SQLITE_NOMEM;
			break;
		}
	sqlite3_finalize(s);
	if (code != SQLITE_ROW && code != SQLITE_DONE)
		return FC_EIO;
	return p.told >= query->most || p.looked == LOOKS;
}
