/* store/events: what waits goes along with the order's own writes, survives, is bounded, and never costs an order. */
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
#include "store/events.h"
#include "store/internal.h"
#include "store/journal.h"

struct fixture {
	char folder[64];
	struct store *store;
	struct error err;
	/* What the last list showed, the newest first. */
	int count;
	int64_t ids[100];
	char texts[100][EVENT_TEXT], whos[100][EVENT_NAME];
};

static void open_it(struct fixture *f)
{
	store_close(f->store);
	f->store = store_open(f->folder, &f->err);
	if (!f->store)
		fail_msg("%s", f->err.text);
}

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	folder_make(f->folder, sizeof(f->folder), "events");
	open_it(f);
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

static void note(void *user, const struct event *e)
{
	struct fixture *f = user;

	assert_true(f->count < 100);
	assert_true(!f->count || e->id < f->ids[f->count - 1]);
	f->ids[f->count] = e->id;
	(void)snprintf(f->texts[f->count], EVENT_TEXT, "%s", e->text);
	(void)snprintf(f->whos[f->count++], EVENT_NAME, "%s", e->who);
}

static int list(struct fixture *f, const char *connector, const char *seq, unsigned kinds, int most)
{
	const struct event_query query = {connector, seq, kinds, most};
	int64_t below = 0;

	f->count = 0;
	return events_page(f->store, &query, &below, note, f);
}

static void add(struct fixture *f, enum event_kind kind, const char *connector, const char *seq, const char *text)
{
	assert_int_equal(events_add(f->store,
				    &(struct event){.kind = kind, .connector = connector, .seq = seq, .text = text},
				    &f->err),
			 FC_OK);
}

static int64_t number(struct fixture *f, const char *sql)
{
	sqlite3_stmt *s = store_prepare(store_db(f->store), sql);

	assert_non_null(s);
	assert_int_equal(sqlite3_step(s), SQLITE_ROW);
	int64_t n = sqlite3_column_int64(s, 0);
	sqlite3_finalize(s);
	return n;
}

static struct journal_order order_of(const char *seq)
{
	struct journal_order o = {.start_wall = 1700000000, .record = "{}"};

	(void)snprintf(o.seq, sizeof(o.seq), "%s", seq);
	(void)snprintf(o.connector_id, sizeof(o.connector_id), "C1");
	return o;
}

static const char one[] = "123456789000000000000000001", two[] = "123456789000000000000000002";

static void what_waits_is_listed_and_survives(void **state)
{
	struct fixture *f = *state;

	add(f, EVENT_STATUS, "C1", NULL, "first");
	add(f, EVENT_SESSION, "C1", one, "second");
	add(f, EVENT_ALARM, "C2", NULL, "third");
	assert_int_equal(number(f, "SELECT count(*) FROM event"), 0);
	assert_int_equal(list(f, NULL, NULL, 0, 10), 0);
	assert_int_equal(f->count, 3);
	assert_string_equal(f->texts[0], "third");
	open_it(f);
	assert_int_equal(number(f, "SELECT count(*) FROM event"), 3);
	add(f, EVENT_STATUS, "C1", NULL, "fourth");
	assert_int_equal(list(f, "C1", NULL, 0, 10), 0);
	assert_int_equal(f->count, 3);
	assert_string_equal(f->texts[0], "fourth");
	assert_string_equal(f->texts[2], "first");
	assert_int_equal(list(f, NULL, NULL, 1u << EVENT_ALARM, 10), 0);
	assert_int_equal(f->count, 1);
	assert_int_equal(list(f, NULL, one, 0, 10), 0);
	assert_int_equal(f->count, 1);
	assert_string_equal(f->texts[0], "second");
	/* A page, and the next, over what waits and what is kept. */
	const struct event_query query = {.most = 2};
	int64_t below = 0;
	f->count = 0;
	assert_int_equal(events_page(f->store, &query, &below, note, f), 1);
	assert_int_equal(events_page(f->store, &query, &below, note, f), 1);
	assert_int_equal(events_page(f->store, &query, &below, note, f), 0);
	assert_int_equal(f->count, 4);
}

static void texts_are_cut_at_characters(void **state)
{
	struct fixture *f = *state;
	char text[400], detail[EVENT_DETAIL + 100];

	for (size_t i = 0; i + 3 < sizeof(text); i += 3)
		memcpy(text + i, "\xE7\x94\xB5", 4);
	memset(detail, 'x', sizeof(detail) - 1);
	detail[sizeof(detail) - 1] = '\0';
	assert_int_equal(events_add(f->store,
				    &(struct event){.kind = EVENT_ALARM, .text = text, .who = text, .detail = detail},
				    &f->err),
			 FC_OK);
	assert_int_equal(events_flush(f->store, &f->err), FC_OK);
	assert_int_equal(list(f, NULL, NULL, 0, 10), 0);
	assert_int_equal(strlen(f->texts[0]), (EVENT_TEXT - 1) / 3 * 3);
	assert_int_equal(strlen(f->whos[0]), (EVENT_NAME - 1) / 3 * 3);
	assert_int_equal(number(f, "SELECT length(detail) FROM event"), 0);
}

/* What is written with the order is there when the order is, and not when it is not: told by a second process that was killed. */
static void they_are_durable_with_the_order(void **state)
{
	struct fixture *f = *state;
	struct journal_order o = order_of(one);

	store_close(f->store);
	f->store = NULL;
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		struct store *store = store_open(f->folder, NULL);

		(void)events_add(store, &(struct event){.kind = EVENT_SESSION, .seq = one, .text = "opened"}, NULL);
		int bad = journal_open(store, &o, NULL);
		(void)events_add(store, &(struct event){.kind = EVENT_ORDER, .seq = one, .text = "closed"}, NULL);
		bad |= journal_close(store, &o, &(struct journal_recipient){"p", "m"}, 1, NULL);
		(void)events_add(store, &(struct event){.kind = EVENT_STATUS, .text = "waits"}, NULL);
		_exit(bad ? 1 : 0); /* nothing is closed, as at a power cut */
	}
	int status = 0;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	open_it(f);
	assert_int_equal(list(f, NULL, NULL, 0, 10), 0);
	assert_int_equal(f->count, 2);
	assert_string_equal(f->texts[0], "closed");
	assert_string_equal(f->texts[1], "opened");
}

static void one_that_did_not_happen_is_forgotten(void **state)
{
	struct fixture *f = *state;
	struct journal_order o = order_of(one);

	add(f, EVENT_SESSION, "C1", one, "a");
	add(f, EVENT_SESSION, "C1", one, "b");
	int64_t b = events_newest(f->store);
	events_forget(f->store, b);
	add(f, EVENT_SESSION, "C1", one, "c");
	int64_t c = events_newest(f->store);
	assert_true(c > b);
	assert_int_equal(journal_open(f->store, &o, &f->err), FC_OK);
	events_forget(f->store, c);
	assert_int_equal(list(f, NULL, NULL, 0, 10), 0);
	assert_int_equal(f->count, 1);
	assert_string_equal(f->texts[0], "a");
	/* An order that is there already: neither it nor its event. */
	add(f, EVENT_SESSION, "C1", one, "d");
	assert_int_equal(journal_open(f->store, &o, &f->err), FC_EEXIST);
	assert_int_equal(number(f, "SELECT count(*) FROM event"), 1);
	events_forget(f->store, events_newest(f->store));
	assert_int_equal(events_flush(f->store, &f->err), FC_OK);
	assert_int_equal(number(f, "SELECT count(*) FROM event"), 1);
}

/* The table can't be written: the order can. */
static void a_table_that_fails_costs_no_order(void **state)
{
	struct fixture *f = *state;
	struct journal_order o = order_of(one);

	assert_int_equal(sqlite3_exec(store_db(f->store), "DROP TABLE event", NULL, NULL, NULL), SQLITE_OK);
	add(f, EVENT_SESSION, "C1", one, "a");
	assert_int_equal(journal_open(f->store, &o, &f->err), FC_OK);
	assert_int_equal(journal_close(f->store, &o, NULL, 0, &f->err), FC_OK);
	assert_int_equal(number(f, "SELECT count(*) FROM orders WHERE closed = 1"), 1);
	assert_int_equal(events_flush(f->store, &f->err), FC_EIO);
}

/* No page more for the file: as on a full disk the order fails once for the events, then goes without them. */
static void a_full_disk_takes_the_order_first(void **state)
{
	struct fixture *f = *state;
	struct journal_order o = order_of(one);
	char text[EVENT_TEXT], sql[80];
	int tries = 0;

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	for (int i = 0; i < 200; i++)
		add(f, EVENT_SESSION, "C1", one, text);
	(void)snprintf(sql, sizeof(sql), "PRAGMA max_page_count = %d", (int)number(f, "PRAGMA page_count") + 3);
	assert_int_equal(sqlite3_exec(store_db(f->store), sql, NULL, NULL, NULL), SQLITE_OK);
	while (journal_open(f->store, &o, &f->err) && tries < 5)
		tries++;
	assert_true(tries <= 1);
	assert_int_equal(number(f, "SELECT count(*) FROM orders"), 1);
	assert_int_equal(number(f, "SELECT count(*) FROM event"), 0);
	assert_int_equal(list(f, NULL, NULL, 0, 100), 1);
	/* Room again: they are written after all. */
	assert_int_equal(sqlite3_exec(store_db(f->store), "PRAGMA max_page_count = 100000", NULL, NULL, NULL),
			 SQLITE_OK);
	assert_int_equal(events_flush(f->store, &f->err), FC_OK);
	assert_int_equal(number(f, "SELECT count(*) FROM event"), 200);
}

/* A disk that has room for an order and not for its events, told at the commit. */
static int has_events;

static void note_table(void *user, int what, const char *database, const char *table, sqlite3_int64 row)
{
	(void)user, (void)what, (void)database, (void)row;
	has_events |= !strcmp(table, "event");
}

static int refuse_events(void *user)
{
	int refused = has_events;

	(void)user;
	has_events = 0;
	return refused;
}

static void forget_events(void *user)
{
	(void)user;
	has_events = 0;
}

static void a_commit_that_fails_is_tried_without_them(void **state)
{
	struct fixture *f = *state;
	struct journal_order o = order_of(one);

	has_events = 0;
	(void)sqlite3_update_hook(store_db(f->store), note_table, NULL);
	(void)sqlite3_commit_hook(store_db(f->store), refuse_events, NULL);
	(void)sqlite3_rollback_hook(store_db(f->store), forget_events, NULL);
	add(f, EVENT_SESSION, "C1", one, "a");
	assert_int_equal(journal_open(f->store, &o, &f->err), FC_EIO);
	assert_int_equal(journal_open(f->store, &o, &f->err), FC_OK);
	assert_int_equal(list(f, NULL, one, 0, 10), 0);
	assert_int_equal(f->count, 1);
	(void)sqlite3_commit_hook(store_db(f->store), NULL, NULL);
	assert_int_equal(journal_close(f->store, &o, NULL, 0, &f->err), FC_OK);
	assert_int_equal(number(f, "SELECT count(*) FROM event"), 0);
	assert_int_equal(events_flush(f->store, &f->err), FC_OK);
	assert_int_equal(number(f, "SELECT count(*) FROM event"), 1);
}

static void memory_is_bounded(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(sqlite3_exec(store_db(f->store), "PRAGMA query_only = 1", NULL, NULL, NULL), SQLITE_OK);
	for (int i = 0; i < 3 * EVENTS_WAITING_MAX; i++)
		add(f, EVENT_SESSION, "C1", one, "x");
	assert_int_equal(f->store->events.count, EVENTS_WAITING_MAX);
	assert_int_equal(events_dropped(f->store), 2 * EVENTS_WAITING_MAX);
	assert_int_equal(events_flush(f->store, &f->err), FC_EIO);
	assert_int_equal(sqlite3_exec(store_db(f->store), "PRAGMA query_only = 0", NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(events_flush(f->store, &f->err), FC_OK);
	assert_int_equal(number(f, "SELECT count(*) FROM event"), EVENTS_WAITING_MAX);
}

static void a_flood_is_held_back(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 2 * EVENTS_BURST; i++) {
		add(f, EVENT_STATUS, "C1", NULL, "flaps");
		if (f->store->events.count == 256)
			assert_int_equal(events_flush(f->store, &f->err), FC_OK);
	}
	assert_int_equal(events_flush(f->store, &f->err), FC_OK);
	int64_t kept = number(f, "SELECT count(*) FROM event");
	/* A slow machine may have let in one every two seconds meanwhile. */
	assert_true(kept >= EVENTS_BURST && kept < EVENTS_BURST + 500);
	assert_int_equal(events_dropped(f->store), 2 * EVENTS_BURST - kept);
	/* A session's change is kept all the same. */
	add(f, EVENT_SESSION, "C1", one, "charging");
	assert_int_equal(list(f, NULL, one, 0, 10), 0);
	assert_int_equal(f->count, 1);
}

static void put_many(struct fixture *f, int64_t first, int64_t last, const char *seq)
{
	char sql[400];

	(void)snprintf(sql, sizeof(sql),
		       "WITH RECURSIVE n(i) AS (SELECT %lld UNION ALL SELECT i + 1 FROM n WHERE i < %lld)"
		       " INSERT INTO event SELECT i, i, 0, 'C1', '%s', '', '', '', '', '' FROM n",
		       (long long)first, (long long)last, seq);
	assert_int_equal(sqlite3_exec(store_db(f->store), sql, NULL, NULL, NULL), SQLITE_OK);
}

static void the_oldest_go_but_those_of_unconfirmed_orders(void **state)
{
	struct fixture *f = *state;
	struct journal_order o = order_of(one), running = order_of(two);

	assert_int_equal(journal_open(f->store, &o, &f->err), FC_OK);
	assert_int_equal(journal_close(f->store, &o, &(struct journal_recipient){"p", "m"}, 1, &f->err), FC_OK);
	assert_int_equal(journal_open(f->store, &running, &f->err), FC_OK);
	put_many(f, 1, 10, "");
	put_many(f, 11, 15, one);
	put_many(f, 16, 18, two);
	put_many(f, 19, EVENTS_ROWS_MAX + 2000, "");
	open_it(f);
	add(f, EVENT_STATUS, "C1", NULL, "new");
	assert_int_equal(events_flush(f->store, &f->err), FC_OK);
	assert_int_equal(number(f, "SELECT count(*) FROM event"), EVENTS_ROWS_MAX + 8);
	assert_int_equal(number(f, "SELECT count(*) FROM event WHERE seq <> ''"), 8);
	/* Confirmed: they go with the next lot; those of the order that runs go at the hard bound. */
	assert_int_equal(sqlite3_exec(store_db(f->store), "UPDATE outbox SET state = 1", NULL, NULL, NULL), SQLITE_OK);
	put_many(f, EVENTS_ROWS_MAX + 2002, EVENTS_ROWS_MAX + 4000, "");
	open_it(f);
	add(f, EVENT_STATUS, "C1", NULL, "new");
	assert_int_equal(events_flush(f->store, &f->err), FC_OK);
	assert_int_equal(number(f, "SELECT count(*) FROM event WHERE seq <> ''"), 3);
	put_many(f, EVENTS_HARD_MAX + 2000, EVENTS_HARD_MAX + 2000, "");
	open_it(f);
	add(f, EVENT_STATUS, "C1", NULL, "new");
	assert_int_equal(events_flush(f->store, &f->err), FC_OK);
	assert_int_equal(number(f, "SELECT count(*) FROM event WHERE seq <> ''"), 0);
}

static void damaged_rows_are_passed_over(void **state)
{
	struct fixture *f = *state;

	add(f, EVENT_STATUS, "C1", NULL, "good");
	assert_int_equal(events_flush(f->store, &f->err), FC_OK);
	assert_int_equal(sqlite3_exec(store_db(f->store),
				      "INSERT INTO event VALUES(2, 0, 77, 'C1', '', '', '', '', '', '');"
				      "INSERT INTO event VALUES(3, 'x', 'y', x'00', 1, 2, 3, 4, 5, 6)",
				      NULL, NULL, NULL),
			 SQLITE_OK);
	assert_int_equal(list(f, NULL, NULL, 0, 10), 0);
	assert_true(f->count >= 1);
	assert_string_equal(f->texts[f->count - 1], "good");
}

static void kinds_have_names(void **state)
{
	(void)state;
	for (int i = 0; i < EVENT_KINDS; i++) {
		enum event_kind kind;

		assert_int_equal(event_kind_of(event_kind_name((enum event_kind)i), &kind), FC_OK);
		assert_int_equal(kind, i);
	}
	assert_null(event_kind_name(EVENT_KINDS));
	assert_int_equal(event_kind_of("none", &(enum event_kind){0}), FC_ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(what_waits_is_listed_and_survives, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(texts_are_cut_at_characters, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(they_are_durable_with_the_order, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(one_that_did_not_happen_is_forgotten, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(a_table_that_fails_costs_no_order, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(a_full_disk_takes_the_order_first, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(a_commit_that_fails_is_tried_without_them, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(memory_is_bounded, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(a_flood_is_held_back, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(the_oldest_go_but_those_of_unconfirmed_orders, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(damaged_rows_are_passed_over, set_up, tear_down),
	    cmocka_unit_test(kinds_have_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
