/* Confirmations that wait for a transaction of someone else's (journal.h, outbox_done). In memory they count at once: whatever is
 * asked of the outbox sees them, by the SQL function answered(id). */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "store/internal.h"

static const int64_t latest_us = (int64_t)OUTBOX_LATEST_S * 1000000, again_us = 60000000;

const struct settled *settle_find(const struct store *store, int64_t id)
{
	const struct settle_queue *q = &store->settles;

	for (int i = 0; i < q->count; i++)
		if (q->list[i].id == id)
			return &q->list[i];
	return NULL;
}

static void answered(sqlite3_context *context, int count, sqlite3_value **values)
{
	(void)count;
	sqlite3_result_int(context, settle_find(sqlite3_user_data(context), sqlite3_value_int64(values[0])) != NULL);
}

int settle_begin(struct store *store)
{
	return sqlite3_create_function(store->db, "answered", 1, SQLITE_UTF8, store, answered, NULL, NULL);
}

int settle_later(struct store *store, const struct settled *settled)
{
	struct settle_queue *q = &store->settles;

	if (store->is_shared || q->count == SETTLES || settle_find(store, settled->id))
		return FC_EBUSY;
	if (!q->count)
		q->since_us = clock_mono_us();
	q->list[q->count++] = *settled;
	return FC_OK;
}

static int write_all(const struct store *store)
{
	sqlite3_stmt *s = store_prepare(
	    store->db,
	    "UPDATE outbox SET attempts = attempts + 1, state = ?1, answer = ?2, mapping = coalesce(?3, mapping)"
	    " WHERE id = ?4");
	int done = s != NULL;

	for (int i = 0; i < store->settles.count && done; i++) {
		const struct settled *e = &store->settles.list[i];

		done = !sqlite3_bind_int(s, 1, OUTBOX_CONFIRMED) && !sqlite3_bind_int(s, 2, e->answer) &&
		       !sqlite3_bind_text(s, 3, e->has_mapping ? e->mapping : NULL, -1, SQLITE_STATIC) &&
		       !sqlite3_bind_int64(s, 4, e->id) && sqlite3_step(s) == SQLITE_DONE && !sqlite3_reset(s);
	}
	sqlite3_finalize(s);
	return done ? FC_OK : FC_EIO;
}

void settle_forget(struct store *store, const char *platform, const char *seq)
{
	struct settle_queue *q = &store->settles;
	int code = SQLITE_ERROR;

	if (!q->count)
		return;
	sqlite3_stmt *s = store_prepare(store->db, "SELECT id FROM outbox WHERE platform = ?1 AND seq = ?2");
	if (s && !sqlite3_bind_text(s, 1, platform, -1, SQLITE_STATIC) &&
	    !sqlite3_bind_text(s, 2, seq, -1, SQLITE_STATIC))
		while ((code = sqlite3_step(s)) == SQLITE_ROW) {
			int kept = 0;

			for (int i = 0; i < q->count; i++)
				if (q->list[i].id != sqlite3_column_int64(s, 0))
					q->list[kept++] = q->list[i];
			q->count = kept;
		}
	sqlite3_finalize(s);
	/* Which one it is can't be found out: all of them are told once more, which the platforms answer as any repeat. */
	if (code != SQLITE_DONE)
		q->count = 0;
}

int settle_ride(struct store *store)
{
	struct settle_queue *q = &store->settles;

	if (!q->count || q->is_tired || sqlite3_exec(store->db, "SAVEPOINT settle", NULL, NULL, NULL) != SQLITE_OK)
		return 0;
	if (!write_all(store) && sqlite3_exec(store->db, "RELEASE settle", NULL, NULL, NULL) == SQLITE_OK)
		return q->count;
	/* The transaction that they rode with goes on without them. */
	if (store_is_damage(sqlite3_extended_errcode(store->db)))
		store->damaged = 1;
	q->is_tired = 1;
	store_back_to(store, "settle");
	return 0;
}

void settle_rode(struct store *store, int count, int is_kept)
{
	struct settle_queue *q = &store->settles;

	/* Perhaps it was they for whom there was no room. */
	if (count)
		q->is_tired = !is_kept;
	else if (is_kept)
		q->is_tired = 0;
	if (!count || !is_kept)
		return;
	q->count -= count;
	memmove(q->list, q->list + count, (size_t)q->count * sizeof(q->list[0]));
	q->since_us = clock_mono_us();
}

int outbox_flush(struct store *store, struct error *err)
{
	struct settle_queue *q = &store->settles;

	if (!q->count)
		return FC_OK;
	if (!store->db)
		return error_set(err, FC_EIO, "store: outbox: the file could not be opened yet");
	if (!store_is_idle(store))
		return error_set(err, FC_EBUSY, "store: outbox: within a transaction");
	q->is_tired = 0;
	(void)events_wanted(store);
	int result = store_begin(store, err);
	if (!result)
		result = store_commit(store, err);
	if (!result && q->count)
		return error_set(err, FC_EIO, "store: outbox: not written");
	return result;
}

void outbox_tend(struct store *store)
{
	struct settle_queue *q = &store->settles;
	int64_t now = clock_mono_us();
	struct error err = {0};

	if (!q->count || now - q->since_us < latest_us || (q->tried_us && now - q->tried_us < again_us))
		return;
	q->tried_us = now;
	if (outbox_flush(store, &err))
		log_error("store: %d confirmation(s) are not written yet: %s", q->count, err.text);
	else
		q->tried_us = 0;
}

void outbox_told(const struct store *store, struct outbox_entry *entry)
{
	const struct settled *e = settle_find(store, entry->id);

	if (!e)
		return;
	entry->attempts++;
	entry->state = OUTBOX_CONFIRMED;
	entry->answer = e->answer;
	if (e->has_mapping)
		(void)snprintf(entry->mapping, sizeof(entry->mapping), "%s", e->mapping);
}
