/* store/lookup: what scripts put is there again after a restart, all of a call or nothing, bounded, and costs no flash when it says
 * nothing new. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/log.h"
#include "folder.h"
#include "store/lookup.h"

struct fixture {
	char folder[64], db[96], wal[104];
	struct store *store;
	struct error err;
};

static void open_it(struct fixture *f)
{
	store_close(f->store);
	f->err = (struct error){0};
	f->store = store_open(f->folder, &f->err);
	if (!f->store)
		fail_msg("%s", f->err.text);
}

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	folder_make(f->folder, sizeof(f->folder), "lookup");
	(void)snprintf(f->db, sizeof(f->db), "%s/forecourt.db", f->folder);
	(void)snprintf(f->wal, sizeof(f->wal), "%s-wal", f->db);
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

static int put(struct fixture *f, const char *name, const char *key, const char *value)
{
	const struct lookup_entry entry = {name, key, value};

	return lookup_put(f->store, "city", &entry, 1, &f->err);
}

static void expect_get(struct fixture *f, const char *name, const char *key, const char *value)
{
	char out[LOOKUP_TEXT_MAX + 1];

	if (!value) {
		assert_int_equal(lookup_get(f->store, "city", name, key, out, sizeof(out)), FC_ENOENT);
		return;
	}
	assert_int_equal(lookup_get(f->store, "city", name, key, out, sizeof(out)), FC_OK);
	assert_string_equal(out, value);
}

static void expect_key(struct fixture *f, const char *value, int rank, const char *key)
{
	char out[LOOKUP_TEXT_MAX + 1];

	if (!key) {
		assert_int_equal(lookup_key(f->store, "city", "ids", value, rank, out, sizeof(out)), FC_ENOENT);
		return;
	}
	assert_int_equal(lookup_key(f->store, "city", "ids", value, rank, out, sizeof(out)), FC_OK);
	assert_string_equal(out, key);
}

static void kept_over_a_restart(void **state)
{
	struct fixture *f = *state;
	char small[4];

	assert_int_equal(put(f, "ids", "K1", "9001"), FC_OK);
	assert_int_equal(put(f, "ids", "K2", "9002"), FC_OK);
	assert_int_equal(put(f, "ids", "K2", "9003"), FC_OK);
	assert_int_equal(put(f, "ids", "K3", "x"), FC_OK);
	assert_int_equal(put(f, "ids", "K3", NULL), FC_OK);
	assert_int_equal(put(f, "other", "K1", ""), FC_OK);
	open_it(f);
	expect_get(f, "ids", "K1", "9001");
	expect_get(f, "ids", "K2", "9003");
	expect_get(f, "ids", "K3", NULL);
	expect_get(f, "other", "K1", "");
	expect_get(f, "none", "K1", NULL);
	assert_int_equal(lookup_get(f->store, "town", "ids", "K1", small, sizeof(small)), FC_ENOENT);
	assert_int_equal(lookup_get(f->store, "city", "ids", "K1", small, sizeof(small)), FC_ELIMIT);
	assert_int_equal(lookup_count(f->store, "city", "ids"), 2);
}

static void the_key_of_a_value(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(put(f, "ids", "a", "1"), FC_OK);
	assert_int_equal(put(f, "ids", "b", "1"), FC_OK);
	assert_int_equal(put(f, "ids", "c", "1"), FC_OK);
	assert_int_equal(put(f, "ids", "b", "2"), FC_OK);
	assert_int_equal(put(f, "ids", "a", "1"), FC_OK);
	expect_key(f, "1", 0, "c");
	expect_key(f, "1", 1, "a");
	expect_key(f, "1", 2, NULL);
	expect_key(f, "2", 0, "b");
	expect_key(f, "3", 0, NULL);
}

/* The disk is told nothing when nothing is new. */
static void what_is_there_is_not_written_again(void **state)
{
	struct fixture *f = *state;
	struct stat before, after;

	assert_int_equal(put(f, "ids", "a", "1"), FC_OK);
	assert_int_equal(stat(f->wal, &before), 0);
	for (int i = 0; i < 100; i++) {
		assert_int_equal(put(f, "ids", "a", "1"), FC_OK);
		assert_int_equal(put(f, "ids", "gone", NULL), FC_OK);
	}
	assert_int_equal(stat(f->wal, &after), 0);
	assert_int_equal(after.st_size, before.st_size);
	assert_true(after.st_mtim.tv_sec == before.st_mtim.tv_sec && after.st_mtim.tv_nsec == before.st_mtim.tv_nsec);
	assert_int_equal(put(f, "ids", "a", "2"), FC_OK);
	assert_int_equal(stat(f->wal, &after), 0);
	assert_true(after.st_size > before.st_size);
}

static void all_or_nothing(void **state)
{
	struct fixture *f = *state;
	char longest[LOOKUP_TEXT_MAX + 2];

	memset(longest, 'x', sizeof(longest));
	longest[LOOKUP_TEXT_MAX] = '\0';
	assert_int_equal(put(f, "ids", longest, longest), FC_OK);
	expect_get(f, "ids", longest, longest);
	longest[LOOKUP_TEXT_MAX] = 'x';
	longest[LOOKUP_TEXT_MAX + 1] = '\0';
	const struct lookup_entry bad[][2] = {{{"ids", "a", "1"}, {"ids", "b", longest}},
					      {{"ids", "a", "1"}, {"ids", longest, "1"}},
					      {{"ids", "a", "1"}, {"ids", "", "1"}},
					      {{"ids", "a", "1"}, {"", "b", "1"}}};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(lookup_put(f->store, "city", bad[i], 2, &f->err), FC_ELIMIT);
		expect_get(f, "ids", "a", NULL);
	}
	/* Never a part of someone else's transaction, which may still be rolled back. */
	assert_int_equal(store_begin(f->store, &f->err), FC_OK);
	assert_int_equal(put(f, "ids", "a", "1"), FC_EBUSY);
	store_rollback(f->store);
	assert_false(store_health(f->store)->failing);
	assert_int_equal(put(f, "ids", "a", "1"), FC_OK);
}

static void the_oldest_goes(void **state)
{
	enum { MORE = LOOKUP_ENTRIES_MAX + 5 };
	struct fixture *f = *state;
	static char keys[MORE][16];
	static struct lookup_entry entries[MORE];

	assert_int_equal(put(f, "other", "a", "1"), FC_OK);
	for (int i = 0; i < MORE; i++) {
		(void)snprintf(keys[i], sizeof(keys[i]), "k%d", i);
		entries[i] = (struct lookup_entry){"ids", keys[i], "v"};
	}
	assert_int_equal(lookup_put(f->store, "city", entries, LOOKUP_ENTRIES_MAX, &f->err), FC_OK);
	assert_int_equal(lookup_count(f->store, "city", "ids"), LOOKUP_ENTRIES_MAX);
	expect_get(f, "ids", "k0", "v");
	/* A change makes k0 young, what is put as it was stays old. */
	assert_int_equal(put(f, "ids", "k0", "w"), FC_OK);
	assert_int_equal(put(f, "ids", "k1", "v"), FC_OK);
	assert_int_equal(lookup_put(f->store, "city", entries + LOOKUP_ENTRIES_MAX, 5, &f->err), FC_OK);
	assert_int_equal(lookup_count(f->store, "city", "ids"), LOOKUP_ENTRIES_MAX);
	expect_get(f, "ids", "k0", "w");
	for (int i = 1; i <= 5; i++)
		expect_get(f, "ids", keys[i], NULL);
	expect_get(f, "ids", "k6", "v");
	expect_get(f, "other", "a", "1");
}

static void so_many_tables(void **state)
{
	struct fixture *f = *state;
	char name[16];

	for (int i = 0; i < LOOKUP_TABLES_MAX; i++) {
		(void)snprintf(name, sizeof(name), "t%d", i);
		assert_int_equal(put(f, name, "a", "1"), FC_OK);
		assert_int_equal(put(f, name, "b", "1"), FC_OK);
	}
	assert_int_equal(put(f, "more", "a", "1"), FC_ELIMIT);
	assert_non_null(strstr(f->err.text, "more"));
	expect_get(f, "more", "a", NULL);
	assert_int_equal(put(f, "t3", "c", "1"), FC_OK);
	/* An empty one makes room. */
	assert_int_equal(put(f, "t5", "a", NULL), FC_OK);
	assert_int_equal(put(f, "t5", "b", NULL), FC_OK);
	assert_int_equal(put(f, "more", "a", "1"), FC_OK);
}

/* A file that can't grow stands for a disk that is full. Returns a bit for each thing that was wrong. */
static int on_a_full_disk(struct fixture *f)
{
	const struct rlimit room = {RLIM_INFINITY, RLIM_INFINITY};
	char out[LOOKUP_TEXT_MAX + 1];
	struct stat st;
	int bad = 0;

	open_it(f);
	bad |= put(f, "ids", "a", "1") != FC_OK || stat(f->wal, &st) != 0;
	const struct rlimit full = {(rlim_t)st.st_size, RLIM_INFINITY};
	bad |= (setrlimit(RLIMIT_FSIZE, &full) != 0) << 1;
	bad |= (put(f, "ids", "a", "2") != FC_EIO || !*f->err.text || !store_health(f->store)->failing) << 2;
	bad |= (lookup_get(f->store, "city", "ids", "a", out, sizeof(out)) != 0 || strcmp(out, "1") != 0) << 3;
	bad |= (setrlimit(RLIMIT_FSIZE, &room) != 0) << 4;
	bad |= (put(f, "ids", "a", "2") != FC_OK) << 5;
	bad |= (lookup_get(f->store, "city", "ids", "a", out, sizeof(out)) != 0 || strcmp(out, "2") != 0) << 6;
	bad |= store_health(f->store)->failing << 7;
	return bad;
}

/* In a process of its own: the limit is the process's, and it ends as by a power cut. */
static void a_full_disk_and_a_crash(void **state)
{
	struct fixture *f = *state;
	int status = 0;

	store_close(f->store);
	f->store = NULL;
	pid_t child = fork();
	assert_true(child >= 0);
	if (!child) {
		(void)signal(SIGXFSZ, SIG_IGN);
		_exit(on_a_full_disk(f));
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	open_it(f);
	expect_get(f, "ids", "a", "2");
}

enum { ENTRIES = 2000, PAGE = 4096 };

static void shell(const struct fixture *f, const char *what)
{
	char command[256];

	(void)snprintf(command, sizeof(command), "cd '%s' && %s", f->folder, what);
	assert_int_equal(system(command), 0);
}

static int count_unchanged(struct fixture *f, char (*keys)[16])
{
	char out[LOOKUP_TEXT_MAX + 1];
	int found = 0;

	for (int i = 0; i < ENTRIES; i++) {
		int result = lookup_get(f->store, "city", "ids", keys[i], out, sizeof(out));

		assert_true(result == FC_ENOENT || (!result && !strcmp(out, keys[i])));
		found += !result;
	}
	return found;
}

/* A damaged file: what can be read of it is taken over, this table too. */
static void rescued(void **state)
{
	struct fixture *f = *state;
	static char keys[ENTRIES][16];
	static struct lookup_entry entries[ENTRIES];
	struct stat st;
	char page[PAGE];
	int worst = ENTRIES, some = 0;

	for (int i = 0; i < ENTRIES; i++) {
		(void)snprintf(keys[i], sizeof(keys[i]), "k%d", i);
		entries[i] = (struct lookup_entry){"ids", keys[i], keys[i]};
	}
	assert_int_equal(lookup_put(f->store, "city", entries, ENTRIES, &f->err), FC_OK);
	store_close(f->store);
	f->store = NULL;
	assert_int_equal(stat(f->db, &st), 0);
	shell(f, "mv forecourt.db good");
	log_set_level(LOG_LEVEL_ERROR);
	memset(page, 0xA5, sizeof(page));
	long pages = (long)(st.st_size / PAGE);
	for (long n = pages - 12; n < pages; n++) {
		shell(f, "rm -f forecourt.db* && cp good forecourt.db");
		FILE *file = fopen(f->db, "r+b");
		assert_non_null(file);
		assert_int_equal(fseek(file, n * PAGE, SEEK_SET), 0);
		assert_int_equal(fwrite(page, 1, PAGE, file), PAGE);
		assert_int_equal(fclose(file), 0);
		open_it(f);
		assert_int_equal(store_health(f->store)->replaced, 1);
		int found = count_unchanged(f, keys);
		worst = found < worst ? found : worst;
		some += found < ENTRIES;
		store_close(f->store);
		f->store = NULL;
	}
	log_set_level(LOG_LEVEL_NOTICE);
	print_message("of %d entries at least %d were there after a page was spoiled; %d of 12 pages cost any\n",
		      ENTRIES, worst, some);
	/* A block of the flash is eight pages, and one of them may be near the top of the table's tree. */
	assert_true(worst > ENTRIES / 2);
	assert_true(some > 0);
}

#define T(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    T(kept_over_a_restart),
	    T(the_key_of_a_value),
	    T(what_is_there_is_not_written_again),
	    T(all_or_nothing),
	    T(the_oldest_goes),
	    T(so_many_tables),
	    T(a_full_disk_and_a_crash),
	    T(rescued),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
