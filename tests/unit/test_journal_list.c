/* store/journal_list: pages tell every order once, in order, whatever the page's size; what is settled is not counted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "folder.h"
#include "store/earned.h"
#include "store/internal.h"
#include "store/journal_list.h"

enum { ORDERS = 60, OPEN = 7 };

struct fixture {
	char folder[64];
	struct store *store;
	struct error err;
	int seen[8 * JOURNAL_LOOKS], count; /* numbers of the orders told */
	char text[256];
};

static struct journal_order order_of(int number)
{
	struct journal_order o = {.connector_id = "K1", .start_wall = 1000 + number, .record = "{}"};

	/* Three end in the same second. */
	o.end_wall = 2000 + number / 3;
	(void)snprintf(o.platform, sizeof(o.platform), "%s", number % 10 ? "city" : "rare");
	(void)snprintf(o.seq, sizeof(o.seq), "123456789%018d", number);
	return o;
}

static void fill(struct fixture *f, int from, int to)
{
	assert_int_equal(store_begin(f->store, &f->err), FC_OK);
	for (int i = from; i < to; i++) {
		struct journal_order o = order_of(i);

		assert_int_equal(journal_open(f->store, &o, &f->err), FC_OK);
	}
	assert_int_equal(store_commit(f->store, &f->err), FC_OK);
}

static int set_up(void **state)
{
	static const struct journal_recipient names[] = {{"city", "order"}, {"bonus", "order"}};
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	folder_make(f->folder, sizeof(f->folder), "list");
	f->store = store_open(f->folder, &f->err);
	assert_non_null(f->store);
	fill(f, 0, ORDERS + OPEN);
	for (int i = 0; i < ORDERS; i++) {
		struct journal_order o = order_of(i);

		assert_int_equal(journal_close(f->store, &o, names, i % 2 + 1, &f->err), FC_OK);
	}
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

static void told(void *user, const struct journal_order *order)
{
	struct fixture *f = user;

	assert_true(f->count < (int)(sizeof(f->seen) / sizeof(f->seen[0])));
	f->seen[f->count++] = atoi(order->seq + 18);
	assert_string_equal(order->record, "{}");
}

/* Walks all pages; how many there were. */
static int walk(struct fixture *f, const struct journal_query *query)
{
	struct journal_place place = {0};
	int pages = 1, before = 0, more;

	f->count = 0;
	while ((more = journal_page(f->store, query, &place, told, f)) == 1) {
		assert_true(f->count - before <= query->most);
		before = f->count;
		pages++;
	}
	assert_int_equal(more, 0);
	return pages;
}

static void every_order_once_in_order(void **state)
{
	struct fixture *f = *state;
	struct journal_query q = {.last = INT64_MAX};

	for (q.most = 1; q.most <= ORDERS + 1; q.most += 6) {
		q.oldest_first = 1;
		(void)walk(f, &q);
		assert_int_equal(f->count, ORDERS);
		for (int i = 0; i < ORDERS; i++)
			assert_int_equal(f->seen[i], i);
		q.oldest_first = 0;
		(void)walk(f, &q);
		assert_int_equal(f->count, ORDERS);
		for (int i = 0; i < ORDERS; i++)
			assert_int_equal(f->seen[i], ORDERS - 1 - i);
	}
}

static void by_day_platform_and_state(void **state)
{
	struct fixture *f = *state;
	struct journal_query q = {.first = 2001, .last = 2002, .oldest_first = 1, .most = 2};

	(void)walk(f, &q);
	assert_int_equal(f->count, 6);
	assert_int_equal(f->seen[0], 3);
	q = (struct journal_query){.platform = "rare", .last = INT64_MAX, .most = 100};
	(void)walk(f, &q);
	assert_int_equal(f->count, ORDERS / 10);
	q = (struct journal_query){.open = 1, .last = INT64_MAX, .most = 3};
	(void)walk(f, &q);
	assert_int_equal(f->count, OPEN);
	assert_int_equal(f->seen[0], ORDERS + OPEN - 1);
	assert_int_equal(journal_count_open(f->store), OPEN);
	q = (struct journal_query){.open = 1, .last = 999, .most = 3};
	(void)walk(f, &q);
	assert_int_equal(f->count, 0);
}

/* Orders that come while someone looks: none is told twice, and those that were there are all told. */
static void the_journal_grows_meanwhile(void **state)
{
	struct fixture *f = *state;
	struct journal_query q = {.last = INT64_MAX, .most = 7};
	struct journal_place place = {0};
	int next = ORDERS, more;

	do {
		struct journal_order o = order_of(next++);

		more = journal_page(f->store, &q, &place, told, f);
		if (next <= ORDERS + OPEN)
			assert_int_equal(journal_close(f->store, &o, NULL, 0, &f->err), FC_OK);
	} while (more == 1);
	assert_int_equal(f->count, ORDERS);
	for (int i = 0; i < ORDERS; i++)
		assert_int_equal(f->seen[i], ORDERS - 1 - i);
}

/* What does not fit costs no more looks than a page may take, and no statement walks the whole table. */
static void looking_is_bounded(void **state)
{
	struct fixture *f = *state;
	struct journal_query q = {.platform = "rare", .last = INT64_MAX, .most = 100, .oldest_first = 1};
	sqlite3_stmt *s;

	fill(f, 1000, 1000 + 2 * JOURNAL_LOOKS + 5);
	assert_int_equal(
	    sqlite3_exec(store_db(f->store), "UPDATE orders SET closed = 1, end_wall = start_wall", NULL, NULL, NULL),
	    SQLITE_OK);
	assert_int_equal(walk(f, &q), 3);
	assert_int_equal(f->count, 7 + (2 * JOURNAL_LOOKS + 5) / 10 + 1);
	assert_int_equal(sqlite3_prepare_v2(store_db(f->store),
					    "EXPLAIN QUERY PLAN SELECT " JOURNAL_COLUMNS
					    " FROM orders WHERE closed = 1 AND end_wall BETWEEN ?1 AND ?2 AND"
					    " (end_wall, seq) < (?3, ?4) ORDER BY end_wall DESC, seq DESC LIMIT ?5",
					    -1, &s, NULL),
			 SQLITE_OK);
	while (sqlite3_step(s) == SQLITE_ROW) {
		const char *plan = (const char *)sqlite3_column_text(s, 3);

		assert_non_null(strstr(plan, "USING INDEX orders_end"));
	}
	sqlite3_finalize(s);
}

static void entry(void *user, const struct outbox_entry *e)
{
	struct fixture *f = user;
	size_t n = strlen(f->text);

	(void)snprintf(f->text + n, sizeof(f->text) - n, "%s:%d:%d:%d ", e->platform, (int)e->state, e->attempts,
		       e->answer);
}

static void tally(void *user, const char *platform, enum outbox_state state, int64_t count)
{
	struct fixture *f = user;
	size_t n = strlen(f->text);

	(void)snprintf(f->text + n, sizeof(f->text) - n, "%s:%d:%d ", platform, (int)state, (int)count);
}

static void what_became_of_an_order(void **state)
{
	struct fixture *f = *state;
	struct outbox_entry first;

	assert_int_equal(outbox_first(f->store, "city", NULL, NULL, &first), FC_OK);
	assert_int_equal(outbox_done(f->store, first.id, OUTBOX_CONFIRMED, 0, NULL, &f->err), FC_OK);
	assert_int_equal(outbox_first(f->store, "bonus", NULL, NULL, &first), FC_OK);
	assert_int_equal(outbox_done(f->store, first.id, OUTBOX_DISPUTED, 4, NULL, &f->err), FC_OK);
	assert_int_equal(outbox_of(f->store, order_of(0).seq, entry, f), 1);
	assert_int_equal(outbox_of(f->store, order_of(1).seq, entry, f), 2);
	assert_int_equal(outbox_of(f->store, order_of(ORDERS).seq, entry, f), 0);
	assert_string_equal(f->text, "city:1:1:0 city:0:0:-1 bonus:2:1:4 ");
	f->text[0] = '\0';
	assert_int_equal(outbox_unsettled(f->store, tally, f), FC_OK);
	assert_string_equal(f->text, "bonus:0:29 bonus:2:1 city:0:59 ");
}

static void a_store_that_can_not_be_read(void **state)
{
	struct fixture *f = *state;
	struct journal_query q = {.last = INT64_MAX, .most = 7};
	struct journal_place place = {0};

	assert_int_equal(sqlite3_exec(store_db(f->store), "DROP TABLE outbox; DROP TABLE orders", NULL, NULL, NULL),
			 SQLITE_OK);
	assert_int_equal(journal_page(f->store, &q, &place, told, f), FC_EIO);
	assert_int_equal(journal_count_open(f->store), FC_EIO);
	assert_int_equal(outbox_of(f->store, "x", entry, f), FC_EIO);
	assert_int_equal(outbox_unsettled(f->store, tally, f), FC_EIO);
}

#define T(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

/* Of the 60 orders every second goes to two platforms; told: three wait, two are disputed, five are confirmed by all. */
static void what_is_searched_for(void **state)
{
	struct fixture *f = *state;
	struct journal_query q = {.last = INT64_MAX, .most = 7, .search = "0000000017"};

	(void)walk(f, &q);
	assert_int_equal(f->count, 1);
	assert_int_equal(f->seen[0], 17);
	q.search = "RARE";
	(void)walk(f, &q);
	assert_int_equal(f->count, ORDERS / 10);
	q.search = "%";
	(void)walk(f, &q);
	assert_int_equal(f->count, 0);
	q.search = NULL;
	q.connector = "K2";
	(void)walk(f, &q);
	assert_int_equal(f->count, 0);
	q.connector = "K1";
	(void)walk(f, &q);
	assert_int_equal(f->count, ORDERS);
	assert_int_equal(sqlite3_exec(store_db(f->store),
				      "UPDATE outbox SET state = 1;"
				      "UPDATE outbox SET state = 0 WHERE seq LIKE '%10' OR seq LIKE '%21';"
				      "UPDATE outbox SET state = 2 WHERE seq LIKE '%33' AND platform = 'bonus'",
				      NULL, NULL, NULL),
			 SQLITE_OK);
	for (q.most = 1; q.most < 4; q.most++) {
		q.told = JOURNAL_WAITING;
		(void)walk(f, &q);
		assert_int_equal(f->count, 2);
		assert_int_equal(f->seen[0], 21);
		assert_int_equal(f->seen[1], 10);
		q.told = JOURNAL_DISPUTED;
		(void)walk(f, &q);
		assert_int_equal(f->count, 1);
		assert_int_equal(f->seen[0], 33);
		q.told = JOURNAL_CONFIRMED;
		(void)walk(f, &q);
		assert_int_equal(f->count, ORDERS - 3);
	}
	q = (struct journal_query){.last = INT64_MAX, .most = 7, .told = JOURNAL_WAITING, .oldest_first = 1};
	(void)walk(f, &q);
	assert_int_equal(f->seen[0], 10);
	q.first = 2000 + 20 / 3;
	(void)walk(f, &q);
	assert_int_equal(f->count, 1);
	assert_int_equal(f->seen[0], 21);
}

/* A start that came to nothing is no order of the day; one that cost a fee without energy is; what went by unseen is nobody's. */
static void what_a_day_came_to(void **state)
{
	struct fixture *f = *state;
	static const struct {
		int mode;
		int64_t wh, money_e4;
		int orders;
	} of[] = {{1, 12340, 98700, 1}, {1, 0, 0, 0}, {3, 5000, 0, 1}, {2, 0, 5000, 1}, {0, 7000, 0, 0}, {0, 0, 0, 0}};
	struct earned e = {0};
	int64_t orders = 0, wh = 0, money_e4 = 0;

	for (int i = 0; i < (int)(sizeof(of) / sizeof(of[0])); i++) {
		struct journal_order o = order_of(1000 + i);

		o.mode = of[i].mode;
		o.wh = of[i].wh;
		o.money_e4 = of[i].money_e4;
		o.end_wall = 90000 + i;
		assert_int_equal(journal_keep(f->store, &o, &f->err), FC_OK);
		orders += of[i].orders;
		wh += of[i].wh;
		money_e4 += of[i].money_e4;
		assert_int_equal(earned_between(f->store, 90000, 90000 + i, &e), FC_OK);
		assert_int_equal(e.orders, orders);
		assert_int_equal(e.wh, wh);
		assert_int_equal(e.money_e4, money_e4);
		assert_int_equal(e.unseen_wh, i < 4 ? 0 : 7000);
	}
	assert_int_equal(earned_between(f->store, 80000, 89999, &e), FC_OK);
	assert_int_equal(e.orders + e.wh + e.money_e4 + e.unseen_wh, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    T(every_order_once_in_order),   T(by_day_platform_and_state),    T(what_is_searched_for),
	    T(the_journal_grows_meanwhile), T(looking_is_bounded),           T(what_became_of_an_order),
	    T(what_a_day_came_to),          T(a_store_that_can_not_be_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
