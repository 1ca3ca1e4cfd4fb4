#include "store/earned.h"

#include "store/internal.h"

int earned_between(struct store *store, int64_t first, int64_t last, struct earned *out)
{
	sqlite3_stmt *s =
	    store_prepare(store_db(store), "SELECT coalesce(sum(mode <> 0 AND (wh > 0 OR money_e4 > 0)), 0),"
					   " coalesce(sum(wh), 0), coalesce(sum(money_e4), 0),"
					   " coalesce(sum(CASE WHEN mode = 0 THEN wh ELSE 0 END), 0) FROM orders WHERE "
					   "closed = 1 AND end_wall BETWEEN ?1 AND ?2");
	int result = FC_EIO;

	if (s && !sqlite3_bind_int64(s, 1, first) && !sqlite3_bind_int64(s, 2, last) && sqlite3_step(s) == SQLITE_ROW) {
		*out = (struct earned){sqlite3_column_int64(s, 0), sqlite3_column_int64(s, 1),
				       sqlite3_column_int64(s, 2), sqlite3_column_int64(s, 3)};
		result = FC_OK;
	}
	sqlite3_finalize(s);
	return result;
}
