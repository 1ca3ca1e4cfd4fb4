/* The store without memory: each allocation of SQLite's fails, one after the other, alone and with all that follow for a while. Whatever was
 * said to be kept is in the file, whatever was said to have failed is not, and the next transaction is a transaction of its own: nothing is
 * written into one that could not be taken back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "store/events.h"
#include "store/internal.h"

/* SQLite's allocator; the first that fails, counted down, and how many after it. */
static sqlite3_mem_methods real;
static long countdown, burst;
static int has_failed;

static int refuses(void)
{
	if (countdown > 0 && --countdown == 0) {
		has_failed = 1;
		if (burst-- > 0)
			countdown = 1;
		return 1;
	}
	return 0;
}

static void *grudging_malloc(int size)
{
	return refuses() ? NULL : real.xMalloc(size);
}

static void *grudging_realloc(void *old, int size)
{
	return refuses() ? NULL : real.xRealloc(old, size);
}

struct fixture {
	char folder[64], file[96];
	struct store *store;
	int number;
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct error err;

	assert_non_null(f);
	(void)snprintf(f->folder, sizeof(f->folder), "/tmp/forecourt-memory-XXXXXX");
	assert_non_null(mkdtemp(f->folder));
	(void)snprintf(f->file, sizeof(f->file), "%s/forecourt.db", f->folder);
	/* The test looks into the file beside the store. */
	assert_int_equal(setenv("FORECOURT_SHARED_STORE", "1", 1), 0);
	f->store = store_open(f->folder, &err);
	assert_non_null(f->store);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	char command[128];

	store_close(f->store);
	(void)snprintf(command, sizeof(command), "rm -r '%s'", f->folder);
	assert_int_equal(system(command), 0);
	free(f);
	return 0;
}

/* What another program sees: only what was committed. */
static long committed(const struct fixture *f, const char *sql)
{
	sqlite3 *db = NULL;
	sqlite3_stmt *s = NULL;

	assert_int_equal(sqlite3_open_v2(f->file, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &s, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(s), SQLITE_ROW);
	long value = (long)sqlite3_column_int64(s, 0);
	sqlite3_finalize(s);
	sqlite3_close(db);
	return value;
}

static struct journal_order new_order(struct fixture *f)
{
	struct journal_order o = {
	    .connector_id = "K1", .platform = "city", .start_wall = 1000, .wh = 5, .record = "{\"a\":1}"};

	(void)snprintf(o.seq, sizeof(o.seq), "123456789%018d", ++f->number);
	return o;
}

static int is_there(const struct fixture *f, const struct journal_order *o, const char *and)
{
	char sql[160];

	(void)snprintf(sql, sizeof(sql), "SELECT count(*) FROM orders WHERE seq = '%s' AND %s", o->seq, and);
	return committed(f, sql) == 1;
}

/* One thing that is written, and whether all of it is in the file. */
struct deed {
	const char *name;
	int (*act)(struct fixture *f, struct journal_order *o);
	int (*is_kept)(const struct fixture *f, const struct journal_order *o);
};

static void tell(struct fixture *f, const struct journal_order *o)
{
	const struct event event = {.kind = EVENT_ORDER, .connector = "K1", .seq = o->seq, .text = "opened"};

	(void)events_add(f->store, &event, NULL);
}

static int open_order(struct fixture *f, struct journal_order *o)
{
	*o = new_order(f);
	tell(f, o);
	return journal_open(f->store, o, NULL);
}

static int order_is_open(const struct fixture *f, const struct journal_order *o)
{
	return is_there(f, o, "closed = 0");
}

static int close_order(struct fixture *f, struct journal_order *o)
{
	static const struct journal_recipient city = {"city", "notification_charge_order_info"};
	long left = countdown;

	/* That it is open is not what is tried here. */
	countdown = 0;
	*o = new_order(f);
	assert_int_equal(journal_open(f->store, o, NULL), FC_OK);
	tell(f, o);
	countdown = left;
	return journal_close(f->store, o, &city, 1, NULL);
}

static int order_is_closed(const struct fixture *f, const struct journal_order *o)
{
	char sql[160];

	(void)snprintf(sql, sizeof(sql), "SELECT count(*) FROM outbox WHERE seq = '%s'", o->seq);
	long waits = committed(f, sql);
	int closed = is_there(f, o, "closed = 1");
	assert_int_equal(closed, waits); /* both, or neither */
	return closed;
}

static int count_energy(struct fixture *f, struct journal_order *o)
{
	*o = new_order(f);
	return store_energy_add(f->store, o->seq, 1, 7, 70, NULL);
}

static int energy_is_counted(const struct fixture *f, const struct journal_order *o)
{
	char sql[160];

	(void)snprintf(sql, sizeof(sql), "SELECT coalesce(sum(wh), 0) FROM energy WHERE connector_id = '%s'", o->seq);
	long wh = committed(f, sql);
	(void)snprintf(sql, sizeof(sql), "SELECT coalesce(sum(wh), 0) FROM meter WHERE connector_id = '%s'", o->seq);
	assert_int_equal(committed(f, sql), wh * 10);
	return wh == 7;
}

static int many_at_once(struct fixture *f, struct journal_order *o)
{
	*o = new_order(f);
	int result = store_begin(f->store, NULL);

	if (result)
		return result;
	result = store_energy_add(f->store, o->seq, 1, 7, 70, NULL);
	if (!result)
		result = store_energy_add(f->store, "other", 1, 7, 70, NULL);
	if (!result)
		return store_commit(f->store, NULL);
	store_rollback(f->store);
	return result;
}

static const struct deed deeds[] = {
    {"open", open_order, order_is_open},
    {"close", close_order, order_is_closed},
    {"energy", count_energy, energy_is_counted},
    {"many at once", many_at_once, energy_is_counted},
};

static long try_all(struct fixture *f, const struct deed *deed, long most)
{
	struct journal_order o, after;
	long n;

	for (n = 1;; n++) {
		countdown = n;
		burst = most;
		has_failed = 0;
		int result = deed->act(f, &o);
		countdown = 0;
		/* What it says is so, also for someone who looks after a power cut. */
		if (deed->is_kept(f, &o) != !result)
			fail_msg("%s, allocation %ld and %ld more: said %d, and is not so", deed->name, n, most,
				 result);
		if (!has_failed)
			break;
		/* A transaction that changes nothing proves nothing. */
		if (result && store_health(f->store)->failing && !f->store->events.first) {
			assert_int_equal(store_begin(f->store, NULL), FC_OK);
			assert_int_equal(store_commit(f->store, NULL), FC_OK);
			assert_true(store_health(f->store)->failing);
		}
		/* And what comes next, with memory, is kept. */
		if (open_order(f, &after) || !order_is_open(f, &after))
			fail_msg("%s, allocation %ld and %ld more: the next order is not kept", deed->name, n, most);
		if (store_begin(f->store, NULL) || store_commit(f->store, NULL))
			fail_msg("%s, allocation %ld and %ld more: no transaction can be begun", deed->name, n, most);
		assert_false(store_health(f->store)->failing);
	}
	return n - 1;
}

static void what_is_said_is_so(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(deeds) / sizeof(deeds[0]); i++) {
		long alone = try_all(f, &deeds[i], 0), with_more = try_all(f, &deeds[i], 3),
		     starved = try_all(f, &deeds[i], 1000);

		printf("%s: %ld allocations failed alone, %ld with three more, %ld with all that follow\n",
		       deeds[i].name, alone, with_more, starved);
		assert_true(alone > 0 && with_more > 0 && starved > 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(what_is_said_is_so, set_up, tear_down),
	};
	sqlite3_mem_methods grudging;

	/* Before SQLite is used. */
	if (sqlite3_config(SQLITE_CONFIG_GETMALLOC, &real) || sqlite3_config(SQLITE_CONFIG_LOOKASIDE, 0, 0))
		return 1;
	grudging = real;
	grudging.xMalloc = grudging_malloc;
	grudging.xRealloc = grudging_realloc;
	if (sqlite3_config(SQLITE_CONFIG_MALLOC, &grudging))
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
