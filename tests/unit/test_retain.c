/* store/retain: what may go of the orders goes, by age and by size; what may not never does; a kill in its midst costs nothing else. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "folder.h"
#include "store/checks.h"
#include "store/internal.h"
#include "store/samples.h"

enum { DAY = 86400, CONNECTORS = 4 };
static const int64_t hour_us = 3600000000, now_wall = 1800000000;

struct fixture {
	char folder[64];
	struct store *store;
	struct error err;
	int64_t mono_us, wall;
	int made;
};

static struct {
	int64_t total, left;
} disk;

static int ask_disk(const char *path, int64_t *total, int64_t *left)
{
	(void)path;
	*total = disk.total;
	*left = disk.left;
	return 0;
}

static void open_it(struct fixture *f, int days, int share)
{
	store_close(f->store);
	f->store = store_open(f->folder, &f->err);
	assert_non_null(f->store);
	f->store->retain.ask_disk = ask_disk;
	retain_set(f->store, &(struct retain_limits){days, share});
}

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	folder_make(f->folder, sizeof(f->folder), "retain");
	f->mono_us = 5 * hour_us;
	f->wall = now_wall;
	disk.total = (int64_t)1 << 40;
	disk.left = disk.total / 2;
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

static int64_t count(struct fixture *f, const char *sql)
{
	sqlite3_stmt *s = store_prepare(store_db(f->store), sql);

	assert_non_null(s);
	assert_int_equal(sqlite3_step(s), SQLITE_ROW);
	int64_t n = sqlite3_column_int64(s, 0);
	sqlite3_finalize(s);
	return n;
}

static void do_sql(struct fixture *f, const char *sql)
{
	assert_int_equal(sqlite3_exec(store_db(f->store), sql, NULL, NULL, NULL), SQLITE_OK);
}

/* An order that ended days before now, started by the city, told to two; returns its number. */
static int order(struct fixture *f, double days, int is_closed)
{
	static const struct journal_recipient both[] = {{"city", "order"}, {"bonus", "order"}};
	char record[900];
	struct journal_order o = {.platform = "city",
				  .start_wall = f->wall - (int64_t)(days * DAY) - 1800,
				  .end_wall = f->wall - (int64_t)(days * DAY),
				  .wh = 1000,
				  .record = record};
	int n = ++f->made;

	memset(record, 'x', sizeof(record) - 1);
	record[sizeof(record) - 1] = '\0';
	(void)snprintf(o.connector_id, sizeof(o.connector_id), "K%d", n % CONNECTORS);
	(void)snprintf(o.seq, sizeof(o.seq), "123456789%018d", n);
	assert_int_equal(journal_open(f->store, &o, &f->err), FC_OK);
	if (is_closed)
		assert_int_equal(journal_close(f->store, &o, both, 2, &f->err), FC_OK);
	return n;
}

static void confirm_all(struct fixture *f)
{
	do_sql(f, "UPDATE outbox SET state = 1, answer = 0");
}

static void check_day(struct fixture *f, double days, int64_t differing)
{
	struct check c = {
	    .day = clock_day(f->wall - (int64_t)(days * DAY)), .at_wall = f->wall, .differences = differing > 0};
	struct check_difference d = {.reason = CHECK_MONEY};

	(void)snprintf(c.platform, sizeof(c.platform), "city");
	(void)snprintf(d.seq, sizeof(d.seq), "123456789%018d", (int)differing);
	assert_int_equal(checks_save(f->store, &c, &d, differing > 0, &f->err), FC_OK);
}

static void tend(struct fixture *f, int times)
{
	for (int i = 0; i < times; i++) {
		retain_tend_at(f->store, f->mono_us, f->wall, 1);
		f->mono_us += 5000000;
		f->wall += 5;
	}
}

/* Until the clock is believed, and a pass. */
static void an_hour(struct fixture *f)
{
	tend(f, 3600 / 5 + 60);
}

static int has(struct fixture *f, int number)
{
	char sql[128];

	(void)snprintf(sql, sizeof(sql), "SELECT count(*) FROM orders WHERE seq = '123456789%018d'", number);
	return (int)count(f, sql);
}

/* Enough young ones that none of the others is among the last two of its connector. */
static void young_ones(struct fixture *f)
{
	for (int i = 0; i < 2 * CONNECTORS; i++)
		(void)order(f, 0.1, 1);
}

static void by_age_what_is_whole_goes(void **state)
{
	struct fixture *f = *state;

	open_it(f, 40, 0);
	int old = order(f, 41, 1), unconfirmed = order(f, 42, 1), disputed = order(f, 43, 1), dropped = order(f, 44, 1);
	int open = order(f, 45, 0), differs = order(f, 46, 1), young = order(f, 39.5, 1);
	check_day(f, 46, differs);
	young_ones(f);
	confirm_all(f);
	char sql[200];
	(void)snprintf(sql, sizeof(sql), "UPDATE outbox SET state = 0 WHERE platform = 'bonus' AND seq LIKE '%%0%d'",
		       unconfirmed);
	do_sql(f, sql);
	(void)snprintf(sql, sizeof(sql), "UPDATE outbox SET state = 2 WHERE platform = 'city' AND seq LIKE '%%0%d'",
		       disputed);
	do_sql(f, sql);
	(void)snprintf(sql, sizeof(sql), "UPDATE outbox SET state = 3 WHERE platform = 'city' AND seq LIKE '%%0%d'",
		       dropped);
	do_sql(f, sql);
	an_hour(f);
	assert_int_equal(has(f, old), 0);
	assert_int_equal(has(f, unconfirmed), 1);
	assert_int_equal(has(f, disputed), 1);
	assert_int_equal(has(f, dropped), 0);
	assert_int_equal(has(f, open), 1);
	/* Both have had the time of its keeping to agree. */
	assert_int_equal(has(f, differs), 0);
	assert_int_equal(has(f, young), 1);
	assert_int_equal(retain_look(f->store)->deleted, 3);
	assert_false(retain_look(f->store)->is_stuck);
	assert_int_equal(retain_look(f->store)->oldest_wall, now_wall - 43 * DAY);
	/* With its entries, and theirs alone. */
	assert_int_equal(count(f, "SELECT count(*) FROM outbox WHERE seq NOT IN (SELECT seq FROM orders)"), 0);
	assert_int_equal(count(f, "SELECT count(*) FROM outbox"),
			 2 * count(f, "SELECT count(*) FROM orders WHERE closed = 1"));
	/* A day later it is the next one's turn. */
	f->mono_us += 24 * hour_us;
	f->wall += DAY;
	tend(f, 3);
	assert_int_equal(has(f, young), 0);
}

static void nothing_goes_before_the_clock_is_believed(void **state)
{
	struct fixture *f = *state;

	open_it(f, 40, 0);
	int old = order(f, 41, 1);
	young_ones(f);
	confirm_all(f);
	tend(f, 3600 / 5 - 1);
	assert_int_equal(has(f, old), 1);
	/* A jump of two years, and back again: an hour is waited for from the last. */
	f->wall += 730 * (int64_t)DAY;
	tend(f, 600);
	f->wall -= 730 * (int64_t)DAY;
	tend(f, 3600 / 5 - 1);
	assert_int_equal(count(f, "SELECT count(*) FROM orders"), 1 + 2 * CONNECTORS);
	for (int i = 0; i < 1000; i++)
		retain_tend_at(f->store, f->mono_us += 5000000, f->wall += 5, 0);
	assert_int_equal(has(f, old), 1);
	an_hour(f);
	assert_int_equal(has(f, old), 0);
	assert_int_equal(count(f, "SELECT count(*) FROM orders"), 2 * CONNECTORS);
}

static void the_last_two_of_a_connector_stay(void **state)
{
	struct fixture *f = *state;

	open_it(f, 40, 0);
	for (int i = 0; i < 5 * CONNECTORS; i++)
		(void)order(f, 100 - i, 1);
	confirm_all(f);
	an_hour(f);
	assert_int_equal(count(f, "SELECT count(*) FROM orders"), 2 * CONNECTORS);
	assert_int_equal(count(f, "SELECT min(id) FROM orders"), 3 * CONNECTORS + 1);
}

/* Of so many bytes half are the store's. */
static void make_disk(int64_t bytes)
{
	disk.total = bytes;
	disk.left = bytes;
}

static void by_size_the_oldest_go_first(void **state)
{
	struct fixture *f = *state;
	enum { ORDERS = 400 };

	open_it(f, 0, 50);
	for (int i = 0; i < ORDERS; i++)
		(void)order(f, 20 - i / 25.0, 1);
	confirm_all(f);
	for (int i = 0; i <= 21; i++)
		check_day(f, i, 0);
	check_day(f, 20 - 2 / 25.0, 3);
	tend(f, 1);
	int64_t used = retain_look(f->store)->used;
	assert_true(used > ORDERS * 1000);
	/* Room enough: none goes. */
	make_disk(used * 4);
	an_hour(f);
	assert_int_equal(retain_look(f->store)->deleted, 0);
	/* Half of it is what two thirds of them take and the WAL's part. */
	make_disk(used * 2 / 3 * 100 / (50 - 12));
	an_hour(f);
	const struct retain_state *r = retain_look(f->store);
	assert_true(r->deleted > ORDERS / 5 && r->deleted < ORDERS / 2);
	assert_true(r->used <= r->most);
	assert_true(r->used > r->most - r->most / 64 - RETAIN_STEP * 3000);
	assert_false(r->is_stuck);
	/* The one on which both differ stays; of the others the oldest went. */
	assert_int_equal(has(f, 3), 1);
	assert_int_equal(count(f, "SELECT min(id) FROM orders WHERE id <> 3"), (int64_t)r->deleted + 2);
	/* The pages that became free are used again: as many more cost no larger file. */
	int64_t pages = count(f, "PRAGMA page_count");
	for (int i = 0; i < (int)r->deleted; i++)
		(void)order(f, 0.5, 1);
	assert_true(count(f, "PRAGMA page_count") < pages + pages / 20);
}

static void what_others_fill_costs_no_more_than_three_quarters(void **state)
{
	struct fixture *f = *state;

	open_it(f, 0, 50);
	for (int i = 0; i < 300; i++)
		(void)order(f, 20, 1);
	confirm_all(f);
	tend(f, 1);
	int64_t used = retain_look(f->store)->used;
	/* A share of twice that, of which others leave nothing. */
	disk.total = used * 2 * 100 / (50 - 12);
	disk.left = -8000000; /* the WAL is larger than a disk like that has one */
	an_hour(f);
	const struct retain_state *r = retain_look(f->store);
	assert_int_equal(r->most, (disk.total / 100 * 50 - disk.total / 8) / 4);
	assert_true(r->used <= r->most && r->used > r->most * 8 / 10);
	assert_false(r->is_stuck);
}

static void what_may_not_go_is_an_alarm(void **state)
{
	struct fixture *f = *state;

	open_it(f, 40, 50);
	for (int i = 0; i < 600; i++)
		(void)order(f, 100, 1);
	make_disk(300000);
	an_hour(f);
	const struct retain_state *r = retain_look(f->store);
	assert_int_equal(r->deleted, 0);
	assert_true(r->is_stuck);
	assert_int_equal(count(f, "SELECT count(*) FROM orders"), 600);
	/* A platform confirms what waited: within an hour it is looked for again. */
	confirm_all(f);
	an_hour(f);
	assert_true(r->deleted > 300);
	assert_true(count(f, "SELECT count(*) FROM orders") >= 2 * CONNECTORS);
	/* More room ends it, too. */
	make_disk((int64_t)1 << 40);
	an_hour(f);
	assert_false(r->is_stuck);
}

static void what_was_not_compared_stays_while_it_may_be(void **state)
{
	struct fixture *f = *state;

	open_it(f, 3, 0);
	int compared = order(f, 10, 1), missed = order(f, 11, 1), past = order(f, 33, 1), early = order(f, 12, 1);
	young_ones(f);
	confirm_all(f);
	check_day(f, 10, 0);
	/* By hand, before the day was over. */
	check_day(f, 12, 0);
	do_sql(f, "UPDATE checked SET at_wall = at_wall - 1200000 WHERE day = (SELECT min(day) FROM checked)");
	an_hour(f);
	assert_int_equal(has(f, compared), 0);
	assert_int_equal(has(f, missed), 1);
	assert_int_equal(has(f, past), 0);
	assert_int_equal(has(f, early), 1);
	/* A platform with which nothing is ever compared. */
	do_sql(f, "DELETE FROM checked");
	f->mono_us += 24 * hour_us;
	f->wall += DAY;
	tend(f, 3);
	assert_int_equal(has(f, missed), 0);
}

static void curves_go_before_orders(void **state)
{
	struct fixture *f = *state;
	struct sample minutes[SAMPLE_MINUTES];

	open_it(f, 0, 50);
	for (int i = 0; i < SAMPLE_MINUTES; i++)
		minutes[i] = (struct sample){1000 * i, 4000 + i, 100 * i, 10 * i};
	do_sql(f, "BEGIN");
	for (int i = 0; i < 3000; i++)
		assert_int_equal(samples_put(f->store, "K0", (int32_t)(f->wall / 900) - i, minutes, &f->err), FC_OK);
	do_sql(f, "COMMIT");
	for (int i = 0; i < 40; i++)
		(void)order(f, 20, 1);
	confirm_all(f);
	tend(f, 1);
	make_disk(retain_look(f->store)->used * 6 / 10 * 100 / (50 - 12));
	an_hour(f);
	assert_int_equal(retain_look(f->store)->deleted, 0);
	assert_true(count(f, "SELECT count(*) FROM curve") >= RETAIN_CURVE_DAYS * 96);
	assert_true(count(f, "SELECT count(*) FROM curve") < 2200);
	assert_true(retain_look(f->store)->used <= retain_look(f->store)->most);
}

static void figures_of_three_years_stay(void **state)
{
	struct fixture *f = *state;

	open_it(f, 400, 50);
	for (int i = 0; i < 1500; i++)
		assert_int_equal(store_energy_add(f->store, "K1", clock_day(f->wall) - i, 10, 10, &f->err), FC_OK);
	an_hour(f);
	assert_int_equal(count(f, "SELECT count(*) FROM energy"), RETAIN_FIGURE_DAYS + 1);
}

/* Killed again and again while it deletes: each order is whole or gone, and none that may not go is. */
static void a_kill_costs_nothing_else(void **state)
{
	struct fixture *f = *state;
	enum { ORDERS = 1500 };

	open_it(f, 40, 0);
	for (int i = 0; i < ORDERS; i++)
		(void)order(f, i % 3 ? 100 : 10, 1);
	confirm_all(f);
	do_sql(f, "UPDATE outbox SET state = 0 WHERE seq LIKE '%7'");
	int64_t kept = count(f, "SELECT count(DISTINCT seq) FROM outbox WHERE state = 0");
	int kills = 0;
	for (int64_t rest = ORDERS; kills < 60; kills++) {
		store_close(f->store);
		f->store = NULL;
		pid_t child = fork();
		assert_true(child >= 0);
		if (!child) {
			open_it(f, 40, 0);
			/* Believed at once: the child has no hour. */
			f->store->retain.steady_us = 1;
			f->store->retain.offset_s = f->wall - f->mono_us / 1000000;
			tend(f, 10000);
			_exit(0);
		}
		(void)usleep((useconds_t)(2000 + 1700 * kills));
		(void)kill(child, SIGKILL);
		int status;
		assert_int_equal(waitpid(child, &status, 0), child);
		open_it(f, 40, 0);
		int64_t left = count(f, "SELECT count(*) FROM orders");
		assert_true(left <= rest);
		rest = left;
		assert_int_equal(count(f, "SELECT count(*) FROM outbox"), 2 * left);
		assert_int_equal(count(f, "SELECT count(*) FROM outbox WHERE seq NOT IN (SELECT seq FROM orders)"), 0);
		assert_int_equal(count(f, "SELECT count(DISTINCT seq) FROM outbox WHERE state = 0"), kept);
		char text[32] = "";
		sqlite3_stmt *s = store_prepare(store_db(f->store), "PRAGMA integrity_check");
		assert_non_null(s);
		assert_int_equal(sqlite3_step(s), SQLITE_ROW);
		store_text(s, 0, text, sizeof(text));
		sqlite3_finalize(s);
		assert_string_equal(text, "ok");
	}
	an_hour(f);
	/* The last two of each connector are the last eight. */
	assert_int_equal(
	    count(f, "SELECT count(*) FROM orders WHERE end_wall < 1800000000 - 90 * 86400 AND id <= 1492"),
	    count(f, "SELECT count(DISTINCT o.seq) FROM orders o JOIN outbox b ON b.seq = o.seq WHERE state = 0"
		     " AND end_wall < 1800000000 - 90 * 86400 AND o.id <= 1492"));
	assert_int_equal(count(f, "SELECT count(*) FROM orders WHERE end_wall > 1800000000 - 90 * 86400"), ORDERS / 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(by_age_what_is_whole_goes, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(nothing_goes_before_the_clock_is_believed, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(the_last_two_of_a_connector_stay, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(by_size_the_oldest_go_first, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(what_others_fill_costs_no_more_than_three_quarters, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(what_may_not_go_is_an_alarm, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(what_was_not_compared_stays_while_it_may_be, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(curves_go_before_orders, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(figures_of_three_years_stay, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(a_kill_costs_nothing_else, set_up, tear_down),
	};

	return cmocka_run_group_tests_name("retain", tests, NULL, NULL);
}
