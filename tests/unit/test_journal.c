/* store/journal: an order is there or it is not, never half; what waits for a platform waits in order, over any end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "folder.h"
#include "store/internal.h"
#include "store/journal_list.h"

struct fixture {
	char folder[64];
	struct store *store;
	struct error err;
	struct journal_order last; /* as told last, its record copied */
	char record[256];
	char seen[512]; /* seqs told, each with a blank behind it */
};

static void reopen(struct fixture *f)
{
	store_close(f->store);
	f->store = store_open(f->folder, &f->err);
	assert_non_null(f->store);
}

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	folder_make(f->folder, sizeof(f->folder), "journal");
	reopen(f);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	store_close(f->store);
	folder_remove(f->folder);
	free(f);
	return 0;
}

static struct journal_order order_of(int number)
{
	struct journal_order o = {
	    .connector_id = "K1",
	    .platform = "city",
	    .start_wall = 1000 + number,
	    .end_wall = 2000 + number,
	    .wh = 12345,
	    .money_e4 = 67800,
	    .reason = 2,
	    .record = "{\"details\":[1,2]}",
	};

	(void)snprintf(o.seq, sizeof(o.seq), "123456789%018d", number);
	return o;
}

static void told(void *user, const struct journal_order *order)
{
	struct fixture *f = user;
	size_t n = strlen(f->seen);

	f->last = *order;
	(void)snprintf(f->record, sizeof(f->record), "%s", order->record);
	(void)snprintf(f->seen + n, sizeof(f->seen) - n, "%d ", atoi(order->seq + 18));
}

static const struct journal_recipient both[] = {{"city", "order"}, {"bonus", "order"}};

static void one_life(void **state)
{
	struct fixture *f = *state;
	struct journal_order o = order_of(1);
	struct outbox_entry entry;

	assert_int_equal(journal_find(f->store, o.seq, told, f), FC_ENOENT);
	assert_int_equal(journal_open(f->store, &o, &f->err), FC_OK);
	assert_int_equal(journal_open(f->store, &o, &f->err), FC_EEXIST);
	reopen(f);
	assert_int_equal(journal_each_open(f->store, told, f), 1);
	assert_int_equal(f->last.end_wall, 0);
	o.record = "{\"wh\":5}";
	o.wh = 5;
	assert_int_equal(journal_note(f->store, &o, &f->err), FC_OK);
	assert_int_equal(outbox_first(f->store, "city", NULL, NULL, &entry), FC_ENOENT);
	o.wh = 777;
	o.record = "{}";
	assert_int_equal(journal_close(f->store, &o, both, 2, &f->err), FC_OK);
	/* A second end, and a note after the end, find no open order and change nothing. */
	o.wh = 1;
	assert_int_equal(journal_close(f->store, &o, both, 2, &f->err), FC_ENOENT);
	assert_int_equal(journal_note(f->store, &o, &f->err), FC_ENOENT);
	assert_int_equal(journal_open(f->store, &o, &f->err), FC_EEXIST);
	reopen(f);
	assert_int_equal(journal_find(f->store, o.seq, told, f), FC_OK);
	assert_int_equal(f->last.wh, 777);
	assert_int_equal(f->last.closed, 1);
	assert_int_equal(f->last.end_wall, 2001);
	assert_int_equal(f->last.reason, 2);
	assert_string_equal(f->last.connector_id, "K1");
	assert_string_equal(f->record, "{}");
	assert_int_equal(journal_each_open(f->store, told, f), 0);
	assert_int_equal(outbox_waiting(f->store, NULL), 2);
	assert_int_equal(outbox_waiting(f->store, "bonus"), 1);
}

static void told_by(void *user, const struct outbox_entry *entry)
{
	struct fixture *f = user;

	(void)snprintf(f->seen, sizeof(f->seen), "%s", entry->mapping);
}

/* How often it is confirmed in the file, whatever waits in memory. */
static int64_t written(struct fixture *f)
{
	sqlite3_stmt *s = store_prepare(store_db(f->store), "SELECT count(*) FROM outbox WHERE state = 1");

	assert_non_null(s);
	assert_int_equal(sqlite3_step(s), SQLITE_ROW);
	int64_t n = sqlite3_column_int64(s, 0);
	sqlite3_finalize(s);
	return n;
}

static void count_state(void *user, const char *platform, enum outbox_state state, int64_t count)
{
	(void)platform;
	(void)state;
	*(int64_t *)user += count;
}

static struct outbox_entry close_and_confirm(struct fixture *f, int number, const char *mapping)
{
	struct outbox_entry entry;
	struct journal_order o = order_of(number);

	assert_int_equal(journal_open(f->store, &o, &f->err), FC_OK);
	assert_int_equal(journal_close(f->store, &o, both, 1, &f->err), FC_OK);
	assert_int_equal(outbox_first(f->store, "city", NULL, NULL, &entry), FC_OK);
	assert_int_equal(outbox_done(f->store, entry.id, OUTBOX_CONFIRMED, 0, mapping, &f->err), FC_OK);
	return entry;
}

static void a_confirmation_waits_for_the_next_order(void **state)
{
	struct fixture *f = *state;
	struct outbox_entry entry, first = close_and_confirm(f, 1, "abc");
	int64_t unsettled = 0, oldest;

	/* In memory alone, and yet everyone sees it. */
	assert_int_equal(written(f), 0);
	assert_int_equal(outbox_first(f->store, "city", NULL, NULL, &entry), FC_ENOENT);
	assert_int_equal(outbox_waiting(f->store, "city"), 0);
	assert_int_equal(outbox_unsettled(f->store, count_state, &unsettled), FC_OK);
	assert_int_equal(unsettled, 0);
	assert_int_equal(outbox_oldest(f->store, NULL, &oldest), FC_ENOENT);
	assert_int_equal(outbox_of(f->store, first.seq, told_by, f), 1);
	assert_string_equal(f->seen, "abc");
	/* Nobody's transaction: it goes on waiting; an order's: it goes along. */
	outbox_tend(f->store);
	assert_int_equal(store_value_set(f->store, "key", "value", &f->err), FC_OK);
	assert_int_equal(written(f), 0);
	close_and_confirm(f, 2, "abc");
	assert_int_equal(written(f), 1);
	assert_int_equal(store_begin(f->store, &f->err), FC_OK);
	assert_int_equal(outbox_flush(f->store, &f->err), FC_EBUSY);
	store_rollback(f->store);
	/* To be told again: what waits does not end that. */
	assert_int_equal(outbox_again(f->store, "city", order_of(2).seq, &f->err), FC_OK);
	assert_int_equal(outbox_waiting(f->store, "city"), 1);
	assert_int_equal(outbox_flush(f->store, &f->err), FC_OK);
	assert_int_equal(outbox_waiting(f->store, "city"), 1);
	assert_int_equal(outbox_first(f->store, "city", NULL, NULL, &entry), FC_OK);
	assert_int_equal(outbox_done(f->store, entry.id, OUTBOX_CONFIRMED, 0, "abc", &f->err), FC_OK);
	/* A clean end writes all. */
	assert_int_equal(written(f), 1);
	reopen(f);
	assert_int_equal(written(f), 2);
	assert_int_equal(outbox_waiting(f->store, NULL), 0);
}

static void no_more_wait_than_there_is_room_for(void **state)
{
	struct fixture *f = *state;
	struct outbox_entry entry;
	struct journal_order o;

	for (int i = 0; i <= SETTLES; i++) {
		o = order_of(i);
		assert_int_equal(journal_open(f->store, &o, &f->err), FC_OK);
		assert_int_equal(journal_close(f->store, &o, both, 1, &f->err), FC_OK);
	}
	for (int i = 0; i <= SETTLES; i++) {
		assert_int_equal(outbox_first(f->store, "city", NULL, NULL, &entry), FC_OK);
		assert_int_equal(atoi(entry.seq + 18), i);
		assert_int_equal(outbox_done(f->store, entry.id, OUTBOX_CONFIRMED, 0, NULL, &f->err), FC_OK);
		assert_int_equal(written(f), i < SETTLES ? 0 : 1);
	}
	assert_int_equal(outbox_flush(f->store, &f->err), FC_OK);
	assert_int_equal(written(f), SETTLES + 1);
}

static void a_power_cut_costs_a_repeat_and_no_order(void **state)
{
	struct fixture *f = *state;
	struct outbox_entry entry;
	int status;

	store_close(f->store);
	f->store = NULL;
	pid_t child = fork();
	assert_true(child >= 0);
	if (!child) {
		f->store = store_open(f->folder, &f->err);
		struct journal_order o = order_of(1);
		_exit(!f->store || journal_open(f->store, &o, &f->err) ||
		      journal_close(f->store, &o, both, 1, &f->err) ||
		      outbox_first(f->store, "city", NULL, NULL, &entry) ||
		      outbox_done(f->store, entry.id, OUTBOX_CONFIRMED, 0, "abc", &f->err) ||
		      outbox_waiting(f->store, "city"));
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	f->store = store_open(f->folder, &f->err);
	assert_non_null(f->store);
	assert_int_equal(outbox_first(f->store, "city", NULL, NULL, &entry), FC_OK);
	assert_string_equal(entry.seq, order_of(1).seq);
	assert_int_equal(outbox_done(f->store, entry.id, OUTBOX_CONFIRMED, 0, "abc", &f->err), FC_OK);
	assert_int_equal(outbox_waiting(f->store, "city"), 0);
}

static void what_waits_waits_in_order(void **state)
{
	struct fixture *f = *state;
	struct outbox_entry entry;

	for (int i = 5; i > 0; i--) {
		struct journal_order o = order_of(i);

		assert_int_equal(journal_open(f->store, &o, &f->err), FC_OK);
		assert_int_equal(journal_close(f->store, &o, both, 1, &f->err), FC_OK);
	}
	/* In the order in which they were closed; a failed try keeps its place. */
	assert_int_equal(outbox_first(f->store, "city", NULL, NULL, &entry), FC_OK);
	assert_int_equal(atoi(entry.seq + 18), 5);
	assert_string_equal(entry.method, "order");
	assert_int_equal(outbox_later(f->store, entry.id, 99999, &f->err), FC_OK);
	reopen(f);
	assert_int_equal(outbox_first(f->store, "city", NULL, NULL, &entry), FC_OK);
	assert_int_equal(atoi(entry.seq + 18), 5);
	assert_int_equal(entry.attempts, 1);
	assert_int_equal(entry.next_wall, 99999);
	for (int i = 5; i > 0; i--) {
		assert_int_equal(outbox_first(f->store, "city", NULL, NULL, &entry), FC_OK);
		assert_int_equal(atoi(entry.seq + 18), i);
		assert_int_equal(outbox_done(f->store, entry.id, i == 3 ? OUTBOX_DISPUTED : OUTBOX_CONFIRMED, i == 3,
					     i == 3 ? "abc" : NULL, &f->err),
				 FC_OK);
	}
	assert_int_equal(outbox_first(f->store, "city", NULL, NULL, &entry), FC_ENOENT);
	assert_int_equal(outbox_again(f->store, "city", order_of(3).seq, &f->err), FC_OK);
	assert_int_equal(outbox_again(f->store, "other", order_of(3).seq, &f->err), FC_ENOENT);
	assert_int_equal(outbox_first(f->store, "city", NULL, NULL, &entry), FC_OK);
	assert_int_equal(atoi(entry.seq + 18), 3);
	assert_int_equal(entry.attempts, 0);
	assert_string_equal(entry.mapping, "");
	/* What it was told by stays, whatever becomes of it without being told. */
	assert_int_equal(outbox_done(f->store, entry.id, OUTBOX_CONFIRMED, 0, "def", &f->err), FC_OK);
	assert_int_equal(outbox_done(f->store, entry.id, OUTBOX_DROPPED, -1, NULL, &f->err), FC_OK);
	assert_int_equal(outbox_of(f->store, entry.seq, told_by, f), 1);
	assert_string_equal(f->seen, "def");
}

static void orders_of_a_day(void **state)
{
	struct fixture *f = *state;

	for (int i = 1; i <= 6; i++) {
		struct journal_order o = order_of(i);

		if (i % 2)
			(void)snprintf(o.platform, sizeof(o.platform), "other");
		assert_int_equal(journal_open(f->store, &o, &f->err), FC_OK);
		if (i != 4)
			assert_int_equal(journal_close(f->store, &o, NULL, 0, &f->err), FC_OK);
	}
	assert_int_equal(journal_each_closed(f->store, NULL, 2002, 2005, told, f), 3);
	assert_string_equal(f->seen, "2 3 5 ");
	f->seen[0] = '\0';
	assert_int_equal(journal_each_closed(f->store, "city", 0, INT64_MAX, told, f), 2);
	assert_string_equal(f->seen, "2 6 ");
}

/* The box loses power right after a function said that it is done: everything said is there. */
static void nothing_is_lost_by_a_sudden_end(void **state)
{
	struct fixture *f = *state;

	for (int round = 0; round < 10; round++) {
		store_close(f->store);
		f->store = NULL;
		pid_t child = fork();
		assert_true(child >= 0);
		if (!child) {
			struct error err;
			struct store *store = store_open(f->folder, &err);

			for (int i = 0; store && i < 5; i++) {
				struct journal_order o = order_of(round * 5 + i);

				if (journal_open(store, &o, &err) || journal_close(store, &o, both, 2, &err))
					_exit(1);
			}
			_exit(store ? 0 : 1); /* nothing closed, nothing flushed */
		}
		int status;
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_int_equal(status, 0);
		reopen(f);
		f->seen[0] = '\0';
		assert_int_equal(journal_each_closed(f->store, NULL, 0, INT64_MAX, told, f), 5 * (round + 1));
		assert_int_equal(outbox_waiting(f->store, NULL), 10 * (round + 1));
	}
}

/* An end that can't be written leaves the order open and promises nobody anything; when there is room again it is made. */
static void a_full_disk_keeps_the_order_open(void **state)
{
	struct fixture *f = *state;
	struct journal_order o = order_of(1);
	static char large[200000];

	assert_int_equal(journal_open(f->store, &o, &f->err), FC_OK);
	memset(large, ' ', sizeof(large) - 1);
	large[0] = '{';
	large[sizeof(large) - 2] = '}';
	o.record = large;
	assert_int_equal(sqlite3_exec(store_db(f->store), "PRAGMA max_page_count = 1", NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(journal_close(f->store, &o, both, 2, &f->err), FC_EIO);
	assert_non_null(strstr(f->err.text, "full"));
	assert_int_equal(journal_each_open(f->store, told, f), 1);
	assert_int_equal(outbox_waiting(f->store, NULL), 0);
	assert_int_equal(sqlite3_exec(store_db(f->store), "PRAGMA max_page_count = 1000000", NULL, NULL, NULL),
			 SQLITE_OK);
	assert_int_equal(journal_close(f->store, &o, both, 2, &f->err), FC_OK);
	assert_int_equal(outbox_waiting(f->store, NULL), 2);
}

/* The end and what is to be told of it are one: without the second there is not the first. */
static void an_end_without_its_outbox_is_none(void **state)
{
	struct fixture *f = *state;
	struct journal_order o = order_of(1);

	assert_int_equal(journal_open(f->store, &o, &f->err), FC_OK);
	assert_int_equal(sqlite3_exec(store_db(f->store),
				      "CREATE TRIGGER no BEFORE INSERT ON outbox WHEN new.platform = 'bonus'"
				      " BEGIN SELECT RAISE(FAIL, 'not now'); END",
				      NULL, NULL, NULL),
			 SQLITE_OK);
	assert_true(journal_close(f->store, &o, both, 2, &f->err) < 0);
	reopen(f);
	assert_int_equal(journal_each_open(f->store, told, f), 1);
	assert_int_equal(outbox_waiting(f->store, NULL), 0);
}

static void a_disk_that_can_not_be_written(void **state)
{
	struct fixture *f = *state;
	struct journal_order o = order_of(1), p = order_of(2);

	assert_int_equal(journal_open(f->store, &o, &f->err), FC_OK);
	assert_int_equal(sqlite3_exec(store_db(f->store), "PRAGMA query_only = 1", NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(journal_open(f->store, &p, &f->err), FC_EIO);
	assert_int_equal(journal_note(f->store, &o, &f->err), FC_EIO);
	assert_int_equal(journal_close(f->store, &o, both, 2, &f->err), FC_EIO);
	assert_int_equal(journal_each_open(f->store, told, f), 1);
}

#define T(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    T(one_life),
	    T(what_waits_waits_in_order),
	    T(a_confirmation_waits_for_the_next_order),
	    T(no_more_wait_than_there_is_room_for),
	    T(a_power_cut_costs_a_repeat_and_no_order),
	    T(orders_of_a_day),
	    T(nothing_is_lost_by_a_sudden_end),
	    T(a_full_disk_keeps_the_order_open),
	    T(an_end_without_its_outbox_is_none),
	    T(a_disk_that_can_not_be_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
