#include "store/retain.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "base/clock.h"
#include "base/log.h"
#include "store/checks.h"
#include "store/internal.h"
#include "store/samples.h"

enum { DAY_S = 86400, SLOT_S = SAMPLE_MINUTES * 60, CURVES_A_STEP = 256 };
static const int64_t look_us = 600000000, rest_us = 3600000000, again_us = 60000000, believed_us = 3600000000;
static const int64_t jump_s = 60;

void retain_set(struct store *store, const struct retain_limits *limits)
{
	struct retain *r = &store->retain;

	/* What was found to be too much or old may be so no more, and the other way round. */
	if (limits->days != r->state.limits.days || limits->share != r->state.limits.share) {
		r->day = 0;
		r->looked_us = r->rests_until_us = 0;
		r->is_passing = r->state.is_stuck = 0;
	}
	r->state.limits = *limits;
	r->is_set = 1;
}

const struct retain_state *retain_look(const struct store *store)
{
	return &store->retain.state;
}

/* Room ------------------------------------------------------------------------------------------------------------------ */

static int64_t number(struct store *store, const char *sql)
{
	sqlite3_stmt *s = store_prepare(store->db, sql);
	int64_t n = s && sqlite3_step(s) == SQLITE_ROW ? sqlite3_column_int64(s, 0) : -1;

	sqlite3_finalize(s);
	return n;
}

static int ask_disk(const char *path, int64_t *total, int64_t *left)
{
	struct statvfs v;

	if (statvfs(path, &v))
		return -1;
	*total = (int64_t)v.f_blocks * (int64_t)v.f_frsize;
	*left = (int64_t)v.f_bavail * (int64_t)v.f_frsize;
	return 0;
}

/* The WAL takes its part, as large as it has become once. A sixteenth of the partition stays free where others fill it; but whatever they
 * take, the store keeps a quarter of its share: a log that runs away must not delete orders. */
static int64_t most_of(const struct store *store, int64_t file)
{
	const struct retain *r = &store->retain;
	int64_t total = 0, left = 0;
	char name[sizeof(store->path) + 8];
	struct stat wal;

	if (!r->state.limits.share || (r->ask_disk ? r->ask_disk : ask_disk)(store->path, &total, &left) || total <= 0)
		return 0;
	int64_t wal_most = STORE_WAL_BYTES < total / 8 ? STORE_WAL_BYTES : total / 8;
	(void)snprintf(name, sizeof(name), "%s-wal", store->path);
	int64_t wal_now = stat(name, &wal) ? 0 : (int64_t)wal.st_size;
	int64_t share = total / 100 * r->state.limits.share - wal_most;
	int64_t others = left + file + wal_now - wal_most - total / 16;
	if (others < share)
		share = others > share / 4 ? others : share / 4;
	return share > 1 ? share : 1;
}

static void measure(struct store *store)
{
	struct retain_state *state = &store->retain.state;
	int64_t page = number(store, "PRAGMA page_size"), pages = number(store, "PRAGMA page_count");
	int64_t unused = number(store, "PRAGMA freelist_count");
	int64_t oldest = number(store, "SELECT coalesce(min(end_wall), 0) FROM orders WHERE closed = 1");

	if (page > 0 && pages >= 0 && unused >= 0) {
		state->used = (pages - unused) * page;
		state->most = most_of(store, pages * page);
	}
	if (oldest >= 0)
		state->oldest_wall = oldest;
}

/* A margin, so that it need not begin anew with each order. */
static int is_above(const struct retain_state *state, int with_margin)
{
	return state->most && state->used > state->most - (with_margin ? state->most / 64 : 0);
}

/* Orders ---------------------------------------------------------------------------------------------------------------- */

/* ?1, ?2: the place behind which to go on; ?3: now. Protocol's days begin at 16:00 UTC (UTC+8).
 * 3: is_settled, 4: it is one of the last two of its connector, 5: it was compared, or never will be, 6: both differ on it. */
static const char candidates[] =
    "SELECT id, seq, end_wall,"
    " NOT EXISTS(SELECT 1 FROM outbox b WHERE b.seq = o.seq AND b.state NOT IN (1, 3)),"
    " (SELECT count(*) FROM (SELECT 1 FROM orders n WHERE n.connector_id = o.connector_id AND n.id > o.id AND n.closed "
    "= 1"
    " AND n.wh > 0 LIMIT 2)) < 2,"
    " o.platform = '' OR o.end_wall < ?3 - ?4 OR"
    " EXISTS(SELECT 1 FROM checked c WHERE c.platform = o.platform AND c.day = (o.end_wall + 28800) / 86400"
    " AND c.at_wall > o.end_wall) OR"
    " (o.end_wall < ?3 - ?5 AND NOT EXISTS(SELECT 1 FROM checked c WHERE c.platform = o.platform)),"
    " EXISTS(SELECT 1 FROM difference d WHERE d.platform = o.platform AND d.day = (o.end_wall + 28800) / 86400"
    " AND d.seq = o.seq)"
    " FROM orders o WHERE closed = 1 AND (end_wall, seq) > (?1, ?2) ORDER BY end_wall, seq LIMIT ?6";

struct doomed {
	int64_t id, end_wall;
	char seq[JOURNAL_SEQ];
};

static int is_whole(sqlite3_stmt *s, int by_age)
{
	return sqlite3_column_int(s, 3) && !sqlite3_column_int(s, 4) && sqlite3_column_int(s, 5) &&
	       (by_age || !sqlite3_column_int(s, 6));
}

/* Moves the pass's place behind what was looked at. How many of doomed, or FC_EIO; *is_end: there is nothing behind. */
static int choose(struct store *store, int64_t wall, struct doomed *doomed, int *is_end)
{
	struct retain *r = &store->retain;
	int64_t old = r->state.limits.days ? wall - (int64_t)r->state.limits.days * DAY_S : INT64_MIN;
	int by_size = r->by_size && is_above(&r->state, 1), count = 0, looked = 0, code = SQLITE_ERROR;
	sqlite3_stmt *s = store_prepare(store->db, candidates);
	char seq[JOURNAL_SEQ];

	(void)snprintf(seq, sizeof(seq), "%s", r->at_seq);
	int bad = !s || sqlite3_bind_int64(s, 1, r->at_end) || sqlite3_bind_text(s, 2, seq, -1, SQLITE_STATIC) ||
		  sqlite3_bind_int64(s, 3, wall) ||
		  sqlite3_bind_int64(s, 4, (int64_t)(CHECKS_CATCH_UP_DAYS + 1) * DAY_S) ||
		  sqlite3_bind_int64(s, 5, (int64_t)RETAIN_SETTLE_DAYS * DAY_S) || sqlite3_bind_int(s, 6, RETAIN_LOOKS);
	*is_end = 0;
	while (!bad && count < RETAIN_STEP && (code = sqlite3_step(s)) == SQLITE_ROW) {
		struct doomed *d = &doomed[count];

		d->end_wall = sqlite3_column_int64(s, 2);
		if (d->end_wall >= old && !by_size) {
			*is_end = 1;
			break;
		}
		d->id = sqlite3_column_int64(s, 0);
		store_text(s, 1, d->seq, sizeof(d->seq));
		r->at_end = d->end_wall;
		(void)snprintf(r->at_seq, sizeof(r->at_seq), "%s", d->seq);
		count += is_whole(s, d->end_wall < old);
		looked++;
	}
	*is_end |= code == SQLITE_DONE && looked < RETAIN_LOOKS;
	int read = !bad && (code == SQLITE_ROW || code == SQLITE_DONE);
	if (!read)
		(void)store_failed(store, NULL, "orders");
	sqlite3_finalize(s);
	return read ? count : FC_EIO;
}

/* Runs a statement with numbers and one text in the places of its question marks, text first. */
static int run(struct store *store, const char *sql, const char *text, const int64_t *numbers, int count)
{
	sqlite3_stmt *s = store_prepare(store->db, sql);
	int at = 1, bad = !s || (text && sqlite3_bind_text(s, at++, text, -1, SQLITE_STATIC));

	for (int i = 0; i < count && !bad; i++)
		bad = sqlite3_bind_int64(s, at++, numbers[i]);
	int done = !bad && sqlite3_step(s) == SQLITE_DONE;
	if (!done)
		(void)store_failed(store, NULL, "retain");
	sqlite3_finalize(s);
	return done ? FC_OK : FC_EIO;
}

static int remove_all(struct store *store, const struct doomed *doomed, int count, struct error *err)
{
	int result = store_begin(store, err);

	if (result)
		return result;
	for (int i = 0; i < count && !result; i++) {
		result = run(store, "DELETE FROM outbox WHERE seq = ?1", doomed[i].seq, NULL, 0);
		if (!result)
			result = run(store, "DELETE FROM orders WHERE id = ?1 AND closed = 1", NULL, &doomed[i].id, 1);
	}
	if (!result)
		return store_commit(store, err);
	store_rollback(store);
	return error_set(err, FC_EIO, "store: %s", store->health.cause);
}

/* Curves and figures ---------------------------------------------------------------------------------------------------- */

/* How many rows of curves older than RETAIN_CURVE_DAYS went, the oldest first, or FC_EIO. */
static int thin_curves(struct store *store, int64_t wall)
{
	int64_t first = (wall / SLOT_S - (int64_t)RETAIN_CURVE_DAYS * DAY_S / SLOT_S) * 65536;
	int result =
	    run(store, "DELETE FROM curve WHERE id IN (SELECT id FROM curve WHERE id < ?1 ORDER BY id LIMIT ?2)", NULL,
		(const int64_t[]){first, CURVES_A_STEP}, 2);

	return result ? result : sqlite3_changes(store->db);
}

static int drop_figures(struct store *store, int64_t wall)
{
	static const char *const statements[] = {"DELETE FROM energy WHERE day < ?1",
						 "DELETE FROM checked WHERE day < ?1",
						 "DELETE FROM difference WHERE day < ?1"};
	int64_t first = clock_day(wall) - RETAIN_FIGURE_DAYS;
	int result = FC_OK;

	for (size_t i = 0; i < sizeof(statements) / sizeof(statements[0]) && !result; i++)
		result = run(store, statements[i], NULL, &first, 1);
	return result;
}

/* A pass ---------------------------------------------------------------------------------------------------------------- */

static void begin_pass(struct retain *r, int by_size)
{
	r->is_passing = 1;
	r->by_size = by_size;
	r->count = 0;
	r->at_end = INT64_MIN;
	*r->at_seq = '\0';
}

static void tell(const struct retain *r)
{
	char last[CLOCK_DATETIME_SIZE];

	if (!r->count)
		return;
	clock_format_datetime(r->last_wall, last);
	if (r->by_size)
		log_notice(
		    "store: orders: %d that ended until %s were deleted: %lld kB of %lld kB that the database may take",
		    r->count, last, (long long)r->state.used / 1000, (long long)r->state.most / 1000);
	else
		log_notice("store: orders: %d that ended until %s were deleted: they are kept for %d days", r->count,
			   last, r->state.limits.days);
}

static void end_pass(struct store *store, int64_t mono_us, int64_t wall)
{
	struct retain *r = &store->retain;
	int was_stuck = r->state.is_stuck;

	r->is_passing = 0;
	tell(r);
	if (!drop_figures(store, wall))
		r->day = clock_day(wall);
	r->state.is_stuck = is_above(&r->state, 0);
	if (!r->state.is_stuck)
		return;
	r->rests_until_us = mono_us + rest_us;
	if (was_stuck)
		return;
	r->state.stuck_us = mono_us;
	log_error("store: orders: %lld kB, the database may take %lld kB, and no order may go: they are not confirmed "
		  "or compared",
		  (long long)r->state.used / 1000, (long long)r->state.most / 1000);
}

static void step(struct store *store, int64_t mono_us, int64_t wall)
{
	struct retain *r = &store->retain;
	struct doomed doomed[RETAIN_STEP];
	struct error err = {0};
	int is_end, thinned = r->by_size && is_above(&r->state, 1) ? thin_curves(store, wall) : 0;

	if (thinned > 0) {
		measure(store);
		return;
	}
	int64_t at_end = r->at_end;
	char at_seq[JOURNAL_SEQ];
	memcpy(at_seq, r->at_seq, sizeof(at_seq));
	int count = thinned < 0 ? thinned : choose(store, wall, doomed, &is_end);
	int result = count > 0 ? remove_all(store, doomed, count, &err) : count;
	if (result < 0) {
		/* Nothing of the step was done: the same again. A full disk is said by the store itself. */
		r->at_end = at_end;
		memcpy(r->at_seq, at_seq, sizeof(at_seq));
		r->rests_until_us = mono_us + again_us;
		return;
	}
	if (count) {
		r->count += count;
		r->state.deleted += (uint64_t)count;
		r->last_wall = doomed[count - 1].end_wall;
		measure(store);
	}
	if (is_end)
		end_pass(store, mono_us, wall);
}

static int is_believed(struct retain *r, int64_t mono_us, int64_t wall, int is_trusted)
{
	int64_t offset_s = wall - mono_us / 1000000, by = offset_s - r->offset_s;

	if (!is_trusted || !r->steady_us || by > jump_s || by < -jump_s)
		r->steady_us = mono_us;
	r->offset_s = offset_s;
	return is_trusted && mono_us - r->steady_us >= believed_us;
}

void retain_tend_at(struct store *store, int64_t mono_us, int64_t wall, int is_trusted)
{
	struct retain *r = &store->retain;
	int believed = is_believed(r, mono_us, wall, is_trusted);

	if (!store->db || !store_is_idle(store))
		return;
	if (!r->looked_us || mono_us - r->looked_us >= look_us) {
		r->looked_us = mono_us;
		measure(store);
		if (r->state.is_stuck && !is_above(&r->state, 0))
			r->state.is_stuck = 0;
	}
	if (!r->is_set || !believed || mono_us < r->rests_until_us)
		return;
	if (!r->is_passing && (is_above(&r->state, 0) || r->day != clock_day(wall)))
		begin_pass(r, is_above(&r->state, 0));
	if (r->is_passing)
		step(store, mono_us, wall);
}

void retain_tend(struct store *store)
{
	retain_tend_at(store, clock_mono_us(), clock_wall(), clock_wall_trusted());
}
