/* main/restarts: restarts of the box that were in vain are counted over starts, forgotten when all was calm for long enough, and
 * nothing in the file's place can do more than that nothing is counted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

/* The daemon's files are in no library. */
#include "folder.h"
#include "main/restarts.c"

enum { SECOND = 1000000 };
static const int64_t calm_us = (int64_t)RESTARTS_CALM_S * SECOND;

struct fixture {
	char folder[64], path[128];
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	folder_make(f->folder, sizeof(f->folder), "restarts");
	(void)snprintf(f->path, sizeof(f->path), "%s/watchdog-restarts", f->folder);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	folder_remove(f->folder);
	free(f);
	return 0;
}

static void write_file(const struct fixture *f, const char *text)
{
	FILE *out = fopen(f->path, "w");

	assert_non_null(out);
	assert_true(fputs(text, out) >= 0);
	assert_int_equal(fclose(out), 0);
}

static void expect_file(const struct fixture *f, const char *text)
{
	char have[16] = "";
	FILE *in = fopen(f->path, "r");

	if (!text) {
		assert_null(in);
		return;
	}
	assert_non_null(in);
	(void)fread(have, 1, sizeof(have) - 1, in);
	assert_int_equal(fclose(in), 0);
	assert_string_equal(have, text);
}

static struct restarts begin(const struct fixture *f)
{
	struct restarts r = {0};

	restarts_open(&r, f->folder);
	return r;
}

/* Each start finds the bus stuck; the fourth lets the others live. */
static void test_three_in_vain(void **state)
{
	const struct fixture *f = *state;
	static const char *const files[] = {"1\n", "2\n", "3\n"};

	for (int i = 0; i < RESTARTS_MOST; i++) {
		struct restarts r = begin(f);
		assert_int_equal(r.count, i);
		assert_true(restarts_look(&r, 0, 1, SECOND));
		assert_true(restarts_look(&r, 1, 1, 20 * SECOND));
		expect_file(f, files[i]);
		/* Once a start. */
		assert_true(restarts_look(&r, 1, 1, 21 * SECOND));
		assert_true(restarts_look(&r, 0, 1, 22 * SECOND));
		assert_true(restarts_look(&r, 1, 1, 40 * SECOND));
		expect_file(f, files[i]);
	}
	struct restarts r = begin(f);
	assert_false(restarts_look(&r, 0, 1, SECOND));
	assert_false(restarts_look(&r, 1, 1, 20 * SECOND));
	expect_file(f, "3\n");
}

static void test_calm_forgets(void **state)
{
	const struct fixture *f = *state;

	write_file(f, "3\n");
	struct restarts r = begin(f);
	assert_false(restarts_look(&r, 0, 1, 10 * SECOND));
	assert_false(restarts_look(&r, 0, 1, calm_us));
	/* Not quite: it begins anew. */
	assert_false(restarts_look(&r, 1, 1, calm_us + SECOND));
	assert_false(restarts_look(&r, 0, 1, calm_us + 2 * SECOND));
	assert_false(restarts_look(&r, 0, 1, 2 * calm_us + SECOND));
	expect_file(f, "3\n");
	(void)restarts_look(&r, 0, 1, 2 * calm_us + 2 * SECOND);
	expect_file(f, NULL);
	assert_true(restarts_look(&r, 1, 1, 2 * calm_us + 30 * SECOND));
	expect_file(f, "1\n");
	/* A driver that came back by itself was no restart. */
	assert_true(restarts_look(&r, 0, 1, 2 * calm_us + 31 * SECOND));
	assert_true(restarts_look(&r, 0, 1, 3 * calm_us + 31 * SECOND));
	expect_file(f, NULL);
}

/* Without a watchdog nobody restarts it, so nothing is in vain. */
static void test_unarmed(void **state)
{
	const struct fixture *f = *state;
	struct restarts r = begin(f);

	assert_true(restarts_look(&r, 1, 0, 20 * SECOND));
	expect_file(f, NULL);
	assert_true(restarts_look(&r, 1, 1, 21 * SECOND));
	expect_file(f, "1\n");
}

static void test_what_is_no_count(void **state)
{
	static const char *const texts[] = {"",        "0\n",   "4\n", "-1\n", "3", "3 \n", "99999999999999999999\n",
					    "three\n", "3\n3\n"};
	const struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		write_file(f, texts[i]);
		struct restarts r = begin(f);
		if (r.count)
			fail_msg("\"%s\" counts as %d", texts[i], r.count);
		assert_true(restarts_look(&r, 1, 1, 20 * SECOND));
		expect_file(f, "1\n");
	}
}

/* A folder, a link elsewhere, a pipe: neither followed nor waited for; the box is restarted as if it were the first time. */
static void test_in_its_place(void **state)
{
	const struct fixture *f = *state;
	char aim[160];
	struct stat about;

	assert_int_equal(mkdir(f->path, 0700), 0);
	struct restarts r = begin(f);
	assert_true(restarts_look(&r, 1, 1, 20 * SECOND));
	assert_int_equal(rmdir(f->path), 0);
	(void)snprintf(aim, sizeof(aim), "%s/aim", f->folder);
	assert_int_equal(symlink(aim, f->path), 0);
	r = begin(f);
	assert_true(restarts_look(&r, 1, 1, 20 * SECOND));
	assert_int_equal(stat(aim, &about), -1);
	assert_int_equal(unlink(f->path), 0);
	assert_int_equal(mkfifo(f->path, 0600), 0);
	r = begin(f);
	assert_true(restarts_look(&r, 1, 1, 20 * SECOND));
	assert_int_equal(unlink(f->path), 0);
	r = (struct restarts){0};
	restarts_open(&r, "/nowhere/at/all");
	assert_true(restarts_look(&r, 1, 1, 20 * SECOND));
	char longer[RESTARTS_PATH + 8];
	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	r = (struct restarts){0};
	restarts_open(&r, longer);
	assert_true(restarts_look(&r, 1, 1, 20 * SECOND));
	assert_string_equal(r.path, "");
}

#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {T(test_three_in_vain), T(test_calm_forgets), T(test_unarmed),
					   T(test_what_is_no_count), T(test_in_its_place)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
