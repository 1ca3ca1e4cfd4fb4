/* store/audit: who did what survives, in order, bounded; what began and never ended is seen. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "folder.h"
#include "store/audit.h"

struct fixture {
	char folder[64];
	struct store *store;
	struct error err;
	/* What the last list showed. */
	int count;
	struct audit_entry first, last;
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
	folder_make(f->folder, sizeof(f->folder), "audit");
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

static void note(void *user, const struct audit_entry *e)
{
	struct fixture *f = user;

	assert_true(!f->count || e->id < f->last.id);
	if (!f->count++)
		f->first = *e;
	f->last = *e;
}

static int list(struct fixture *f, int64_t below, int most)
{
	f->count = 0;
	int n = audit_each(f->store, below, most, note, f);
	assert_int_equal(n, f->count);
	return f->count;
}

static void a_row_is_there_after_a_restart(void **state)
{
	const struct audit_entry stop = {.at_wall = 1795190400,
					 .who = "user 0 (process 7)",
					 .command = "stop",
					 .arguments = "{\"connector\":\"C11\"}",
					 .result = "done"};
	struct audit_entry write = {.at_wall = 1795190500, .who = "user 0", .command = "bus_write"};
	struct fixture *f = *state;
	int64_t id;

	assert_int_equal(list(f, 0, 10), 0);
	assert_int_equal(audit_add(f->store, &stop, NULL, &f->err), FC_OK);
	assert_int_equal(audit_add(f->store, &write, &id, &f->err), FC_OK);
	open_it(f);
	assert_int_equal(list(f, 0, 10), 2);
	assert_string_equal(f->last.who, stop.who);
	assert_string_equal(f->last.command, stop.command);
	assert_string_equal(f->last.arguments, stop.arguments);
	assert_string_equal(f->last.result, "done");
	assert_int_equal(f->last.at_wall, stop.at_wall);
	/* Begun, and the power went. */
	assert_int_equal(f->first.id, id);
	assert_string_equal(f->first.result, "");
	assert_int_equal(audit_finish(f->store, id, "0000", "0001", "done", &f->err), FC_OK);
	open_it(f);
	assert_int_equal(list(f, 0, 1), 1);
	assert_string_equal(f->first.before, "0000");
	assert_string_equal(f->first.after, "0001");
	assert_string_equal(f->first.result, "done");
	assert_int_equal(list(f, id, 10), 1);
}

static void the_newest_stay(void **state)
{
	struct audit_entry e = {.at_wall = 1, .who = "u", .command = "stop", .result = "done"};
	struct fixture *f = *state;

	/* One transaction: a disk need not take each of them. */
	assert_int_equal(store_begin(f->store, &f->err), FC_OK);
	for (int i = 0; i < AUDIT_ROWS_MAX + 100; i++) {
		e.at_wall = i;
		assert_int_equal(audit_add(f->store, &e, NULL, &f->err), FC_OK);
	}
	assert_int_equal(store_commit(f->store, &f->err), FC_OK);
	assert_int_equal(list(f, 0, 2 * AUDIT_ROWS_MAX), AUDIT_ROWS_MAX);
	assert_int_equal(f->first.at_wall, AUDIT_ROWS_MAX + 99);
	assert_int_equal(f->last.at_wall, 100);
	/* Page by page. */
	assert_int_equal(list(f, 0, 30), 30);
	int64_t below = f->last.id;
	assert_int_equal(list(f, below, 30), 30);
	assert_int_equal(f->first.id, below - 1);
}

static void what_is_too_long_is_cut_between_characters(void **state)
{
	struct audit_entry e = {.at_wall = 1, .who = "u", .command = "start", .result = "done"};
	struct fixture *f = *state;

	/* As snprintf leaves it: half of the last character. */
	for (size_t i = 0; i + 1 < sizeof(e.arguments); i++)
		e.arguments[i] = "\xe5\x85\x85"[i % 3];
	e.arguments[sizeof(e.arguments) - 2] = '\0';
	assert_int_equal(audit_add(f->store, &e, NULL, &f->err), FC_OK);
	assert_int_equal(list(f, 0, 1), 1);
	assert_int_equal(strlen(f->first.arguments), (sizeof(e.arguments) - 2) / 3 * 3);
}

#define T(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    T(a_row_is_there_after_a_restart),
	    T(the_newest_stay),
	    T(what_is_too_long_is_cut_between_characters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
