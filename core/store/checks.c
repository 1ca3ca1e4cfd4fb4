#include "store/checks.h"

#include <stdio.h>

#include "store/internal.h"

const char *check_reason_text(int reason)
{
	switch (reason) {
	case CHECK_MISSING:
		return "missing there";
	case CHECK_MONEY:
		return "TotalMoney";
	case CHECK_ENERGY:
		return "TotalPower";
	case CHECK_UNCONFIRMED:
		return "not confirmed";
	case CHECK_NOT_OURS:
		return "missing here";
	}
	return "other";
}

/* Statements with values in the order of their question marks: text for platform and seq, numbers for the rest. */
static sqlite3_stmt *prepare(struct store *store, const char *sql, const char *platform, const int64_t *numbers,
			     int count)
{
	sqlite3_stmt *s = store_prepare(store_db(store), sql);

	if (!s)
		return NULL;
	int bad = sqlite3_bind_text(s, 1, platform, -1, SQLITE_STATIC);
	for (int i = 0; i < count; i++)
		bad |= sqlite3_bind_int64(s, i + 2, numbers[i]);
	if (!bad)
		return s;
	sqlite3_finalize(s);
	return NULL;
}

static int run(struct store *store, sqlite3_stmt *s, struct error *err)
{
	int done = s && sqlite3_step(s) == SQLITE_DONE;

	if (!done)
		(void)store_failed(store, err, "check");
	sqlite3_finalize(s);
	return done ? FC_OK : FC_EIO;
}

int checks_each_order(struct store *store, const char *platform, int64_t first, int64_t last,
		      void (*fn)(void *user, const struct check_order *order), void *user)
{
	static const char sql[] = "SELECT o.seq, o.wh, o.money_e4, max(CASE WHEN answered(b.id) THEN 1 ELSE b.state "
				  "END) FROM orders o JOIN outbox b ON b.seq = o.seq"
				  " AND b.platform = o.platform WHERE o.platform = ?1 AND o.closed = 1"
				  " AND o.end_wall BETWEEN ?2 AND ?3 GROUP BY o.seq ORDER BY o.end_wall, o.seq";
	sqlite3_stmt *s = prepare(store, sql, platform, (const int64_t[]){first, last}, 2);
	int n = 0, code = SQLITE_ERROR;

	while (s && (code = sqlite3_step(s)) == SQLITE_ROW) {
		struct check_order order = {
		    .wh = sqlite3_column_int64(s, 1),
		    .money_e4 = sqlite3_column_int64(s, 2),
		    .confirmed = sqlite3_column_int(s, 3) != OUTBOX_WAITING,
		};

		if (store_text(s, 0, order.seq, sizeof(order.seq)))
			break;
		fn(user, &order);
		n++;
	}
	sqlite3_finalize(s);
	return code == SQLITE_DONE ? n : FC_EIO;
}

int64_t checks_unsettled(struct store *store, const char *platform, int64_t first, int64_t last)
{
	sqlite3_stmt *s = prepare(
	    store, "SELECT count(*) FROM orders WHERE platform = ?1 AND closed = 0 AND end_wall BETWEEN ?2 AND ?3",
	    platform, (const int64_t[]){first, last}, 2);
	int64_t n = s && sqlite3_step(s) == SQLITE_ROW ? sqlite3_column_int64(s, 0) : FC_EIO;

	sqlite3_finalize(s);
	return n;
}

static int save_difference(struct store *store, const struct check *check, const struct check_difference *d,
			   struct error *err)
{
	sqlite3_stmt *s =
	    prepare(store, "INSERT OR REPLACE INTO difference VALUES(?1, ?2, ?8, ?3, ?4, ?5, ?6, ?7)", check->platform,
		    (const int64_t[]){check->day, d->reason, d->our_energy_e2, d->our_money_e4, d->their_energy_e2,
				      d->their_money_e4},
		    6);

	if (s && sqlite3_bind_text(s, 8, d->seq, -1, SQLITE_STATIC) != SQLITE_OK) {
		sqlite3_finalize(s);
		s = NULL;
	}
	return run(store, s, err);
}

int checks_save(struct store *store, const struct check *check, const struct check_difference *list, int count,
		struct error *err)
{
	const int64_t numbers[] = {check->day,       check->at_wall,  check->orders,
				   check->energy_e2, check->money_e4, check->differences};
	int result = store_begin(store, err);

	if (result)
		return result;
	result =
	    run(store,
		prepare(store, "DELETE FROM difference WHERE platform = ?1 AND day = ?2", check->platform, numbers, 1),
		err);
	if (!result)
		result = run(store,
			     prepare(store, "INSERT OR REPLACE INTO checked VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)",
				     check->platform, numbers, 6),
			     err);
	for (int i = 0; i < count && !result; i++)
		result = save_difference(store, check, &list[i], err);
	if (!result)
		return store_commit(store, err);
	store_rollback(store);
	return result;
}

int checks_last_day(struct store *store, const char *platform, int32_t *day)
{
	sqlite3_stmt *s = prepare(store, "SELECT max(day) FROM checked WHERE platform = ?1", platform, NULL, 0);
	int result = FC_EIO;

	if (s && sqlite3_step(s) == SQLITE_ROW) {
		result = sqlite3_column_type(s, 0) == SQLITE_INTEGER ? FC_OK : FC_ENOENT;
		*day = sqlite3_column_int(s, 0);
	}
	sqlite3_finalize(s);
	return result;
}

int checks_get(struct store *store, const char *platform, int32_t day, struct check *check)
{
	sqlite3_stmt *s =
	    prepare(store,
		    "SELECT at_wall, orders, energy_e2, money_e4, differences FROM checked WHERE platform = ?1"
		    " AND day = ?2",
		    platform, (const int64_t[]){day}, 1);
	int code = s ? sqlite3_step(s) : SQLITE_ERROR;

	if (code == SQLITE_ROW) {
		*check = (struct check){
		    .day = day,
		    .at_wall = sqlite3_column_int64(s, 0),
		    .orders = sqlite3_column_int64(s, 1),
		    .energy_e2 = sqlite3_column_int64(s, 2),
		    .money_e4 = sqlite3_column_int64(s, 3),
		    .differences = sqlite3_column_int64(s, 4),
		};
		(void)snprintf(check->platform, sizeof(check->platform), "%s", platform);
	}
	sqlite3_finalize(s);
	return code == SQLITE_ROW ? FC_OK : code == SQLITE_DONE ? FC_ENOENT : FC_EIO;
}

int checks_each(struct store *store, const char *platform, int most, void (*fn)(void *user, const struct check *check),
		void *user)
{
	sqlite3_stmt *s = prepare(store,
				  "SELECT platform, day, at_wall, orders, energy_e2, money_e4, differences FROM checked"
				  " WHERE ?1 = '' OR platform = ?1 ORDER BY day DESC, platform LIMIT ?2",
				  platform ? platform : "", (const int64_t[]){most}, 1);
	int n = 0, code = SQLITE_ERROR;

	while (s && (code = sqlite3_step(s)) == SQLITE_ROW) {
		struct check check = {
		    .day = sqlite3_column_int(s, 1),
		    .at_wall = sqlite3_column_int64(s, 2),
		    .orders = sqlite3_column_int64(s, 3),
		    .energy_e2 = sqlite3_column_int64(s, 4),
		    .money_e4 = sqlite3_column_int64(s, 5),
		    .differences = sqlite3_column_int64(s, 6),
		};

		if (store_text(s, 0, check.platform, sizeof(check.platform)))
			break;
		fn(user, &check);
		n++;
	}
	sqlite3_finalize(s);
	return code == SQLITE_DONE ? n : FC_EIO;
}

int checks_each_difference(struct store *store, const char *platform, int32_t day,
			   void (*fn)(void *user, const struct check_difference *difference), void *user)
{
	sqlite3_stmt *s = prepare(store,
				  "SELECT seq, reason, our_energy_e2, our_money_e4, their_energy_e2, their_money_e4"
				  " FROM difference WHERE platform = ?1 AND day = ?2 ORDER BY seq, reason",
				  platform, (const int64_t[]){day}, 1);
	int n = 0, code = SQLITE_ERROR;

	while (s && (code = sqlite3_step(s)) == SQLITE_ROW) {
		struct check_difference d = {
		    .reason = sqlite3_column_int(s, 1),
		    .our_energy_e2 = sqlite3_column_int64(s, 2),
		    .our_money_e4 = sqlite3_column_int64(s, 3),
		    .their_energy_e2 = sqlite3_column_int64(s, 4),
		    .their_money_e4 = sqlite3_column_int64(s, 5),
		};

		if (store_text(s, 0, d.seq, sizeof(d.seq)))
			break;
		fn(user, &d);
		n++;
	}
	sqlite3_finalize(s);
	return code == SQLITE_DONE ? n : FC_EIO;
}
