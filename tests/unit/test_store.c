/* store/: what was committed is there again, a damaged file is set aside, a newer one refused. */
#include <dirent.h>
#include <errno.h>
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
#include <sqlite3.h>

#include "folder.h"
#include "store/internal.h"

struct fixture {
	char folder[64];
	char data[96];
	char db[128];
};

static int make_folder(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	folder_make(f->folder, sizeof(f->folder), "store");
	(void)snprintf(f->data, sizeof(f->data), "%s/a/data", f->folder);
	(void)snprintf(f->db, sizeof(f->db), "%s/forecourt.db", f->data);
	*state = f;
	return 0;
}

static int remove_folder(void **state)
{
	struct fixture *f = *state;

	folder_remove(f->folder);
	free(f);
	return 0;
}

static struct store *open_store(struct fixture *f)
{
	struct error err = {0};
	struct store *store = store_open(f->data, &err);

	if (!store)
		fail_msg("%s", err.text);
	return store;
}

static void energy_survives(void **state)
{
	struct fixture *f = *state;
	struct error err = {0};
	int64_t meter = 0;

	struct store *store = open_store(f);
	assert_int_equal(store_energy_meter(store, "c1", &meter), FC_ENOENT);
	assert_int_equal(store_energy_sum(store, "c1", 0, 100000), 0);
	assert_int_equal(store_begin(store, &err), FC_OK);
	assert_int_equal(store_energy_add(store, "c1", 20000, 1500, 9000, &err), FC_OK);
	assert_int_equal(store_energy_add(store, "c1", 20000, 500, 9500, &err), FC_OK);
	assert_int_equal(store_energy_add(store, "c1", 20001, 7, 9507, &err), FC_OK);
	assert_int_equal(store_energy_add(store, "c2", 20000, 99, 1, &err), FC_OK);
	assert_int_equal(store_commit(store, &err), FC_OK);
	store_close(store);

	store = open_store(f);
	assert_int_equal(store_energy_sum(store, "c1", 20000, 20000), 2000);
	assert_int_equal(store_energy_sum(store, "c1", 20000, 20001), 2007);
	assert_int_equal(store_energy_sum(store, "c1", 20002, 30000), 0);
	assert_int_equal(store_energy_meter(store, "c1", &meter), FC_OK);
	assert_int_equal(meter, 9507);
	store_close(store);
}

static void a_rolled_back_transaction_leaves_nothing(void **state)
{
	struct error err = {0};
	struct store *store = open_store(*state);

	assert_int_equal(store_begin(store, &err), FC_OK);
	assert_int_equal(store_energy_add(store, "c1", 1, 5, 5, &err), FC_OK);
	store_rollback(store);
	assert_int_equal(store_energy_sum(store, "c1", 0, 10), 0);
	store_close(store);
}

static void named_values(void **state)
{
	struct error err = {0};
	struct store *store = open_store(*state);
	char out[8];

	assert_int_equal(store_value_get(store, "k", out, sizeof(out)), FC_ENOENT);
	assert_int_equal(store_value_set(store, "k", "one", &err), FC_OK);
	assert_int_equal(store_value_set(store, "k", "two", &err), FC_OK);
	assert_int_equal(store_value_get(store, "k", out, sizeof(out)), FC_OK);
	assert_string_equal(out, "two");
	assert_int_equal(store_value_set(store, "k", "far too long", &err), FC_OK);
	assert_int_equal(store_value_get(store, "k", out, sizeof(out)), FC_ELIMIT);
	store_close(store);
}

static void a_damaged_file_is_set_aside(void **state)
{
	struct fixture *f = *state;
	struct error err = {0};
	char aside[160];

	struct store *store = open_store(f);
	for (int i = 0; i < 500; i++) {
		char id[16];

		(void)snprintf(id, sizeof(id), "c%d", i);
		assert_int_equal(store_energy_add(store, id, 1, 5, 5, &err), FC_OK);
	}
	store_close(store);
	FILE *file = fopen(f->db, "r+b");
	assert_non_null(file);
	assert_int_equal(fseek(file, 4096, SEEK_SET), 0);
	for (int i = 0; i < 12000; i++)
		assert_int_not_equal(fputc(i * 7 & 0xFF, file), EOF);
	assert_int_equal(fclose(file), 0);

	store = open_store(f);
	assert_int_equal(store_energy_sum(store, "c1", 0, 10), 0);
	assert_int_equal(store_energy_add(store, "c1", 1, 5, 5, &err), FC_OK);
	store_close(store);
	(void)snprintf(aside, sizeof(aside), "%s.damaged-1", f->db);
	assert_int_equal(access(aside, F_OK), 0);

	/* Not a database at all. */
	file = fopen(f->db, "wb");
	assert_non_null(file);
	assert_true(fputs("this is no database, it is a sentence that somebody wrote", file) >= 0);
	assert_int_equal(fclose(file), 0);
	store = open_store(f);
	store_close(store);
	(void)snprintf(aside, sizeof(aside), "%s.damaged-2", f->db);
	assert_int_equal(access(aside, F_OK), 0);
}

/* How many of our open files are SQLite's own, in the folder. */
static int put_aside(const char *folder)
{
	DIR *open_files = opendir("/proc/self/fd");
	int count = 0;

	assert_non_null(open_files);
	for (const struct dirent *e; (e = readdir(open_files));) {
		char path[300], to[300];
		(void)snprintf(path, sizeof(path), "/proc/self/fd/%.200s", e->d_name);
		ssize_t n = readlink(path, to, sizeof(to) - 1);
		to[n > 0 ? n : 0] = '\0';
		count += !strncmp(to, folder, strlen(folder)) && strstr(to, "/etilqs_");
	}
	(void)closedir(open_files);
	return count;
}

/* In its sandbox the daemon may write nowhere but there: a sort that is larger than its memory failed, and with it the query. */
static void what_is_put_aside_is_beside_the_file(void **state)
{
	struct fixture *f = *state;
	struct store *store = open_store(f);
	sqlite3_stmt *s =
	    store_prepare(store_db(store), "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 20000)"
					   " SELECT i, hex(randomblob(50)) AS r FROM n ORDER BY r");

	assert_non_null(s);
	assert_int_equal(sqlite3_step(s), SQLITE_ROW);
	assert_true(put_aside(f->data) > 0);
	sqlite3_finalize(s);
	assert_int_equal(put_aside(f->data), 0);
	store_close(store);
}

static void a_newer_file_is_refused(void **state)
{
	struct fixture *f = *state;
	struct error err = {0};
	sqlite3 *db = NULL;

	store_close(open_store(f));
	assert_int_equal(sqlite3_open(f->db, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "PRAGMA user_version = 999", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	assert_null(store_open(f->data, &err));
	assert_non_null(strstr(err.text, "newer version"));
}

static void an_unusable_folder_is_named(void **state)
{
	struct fixture *f = *state;
	struct error err = {0};
	char path[96];

	(void)snprintf(path, sizeof(path), "%s/file", f->folder);
	FILE *file = fopen(path, "wb");
	assert_non_null(file);
	assert_int_equal(fclose(file), 0);
	(void)snprintf(path, sizeof(path), "%s/file/data", f->folder);
	assert_null(store_open(path, &err));
	assert_non_null(strstr(err.text, "/file"));
	assert_null(store_open("", &err));
}

static int pragma(struct store *store, const char *text)
{
	sqlite3_stmt *s = store_prepare(store_db(store), text);

	assert_non_null(s);
	assert_int_equal(sqlite3_step(s), SQLITE_ROW);
	int n = sqlite3_column_int(s, 0);
	sqlite3_finalize(s);
	return n;
}

/* Small pages spare flash; a file of an earlier version gets them at its first start. */
static int others_may(const char *path, const char *tail)
{
	struct stat st;
	char name[600];

	(void)snprintf(name, sizeof(name), "%s%s", path, tail);
	if (stat(name, &st))
		fail_msg("%s: %s", name, strerror(errno));
	return (st.st_mode & 0077) != 0;
}

/* A folder that an administrator has made, and a mask that lets others read. */
static void the_file_is_its_owners_alone(void **state)
{
	struct fixture *f = *state;
	mode_t mask = umask(0022);
	struct error err = {0};
	char command[600];

	(void)snprintf(command, sizeof(command), "mkdir -p '%s' && chmod 755 '%s'", f->data, f->data);
	assert_int_equal(system(command), 0);
	struct store *store = open_store(f);
	assert_int_equal(store_energy_add(store, "c1", 1, 5, 5, &err), FC_OK);
	assert_false(others_may(f->db, ""));
	assert_false(others_may(f->db, "-wal"));
	assert_false(others_may(f->db, "-shm"));
	store_close(store);
	/* One of a version that did not look at it. */
	assert_int_equal(chmod(f->db, 0664), 0);
	(void)snprintf(command, sizeof(command), "rm -f '%s-wal' '%s-shm'", f->db, f->db);
	assert_int_equal(system(command), 0);
	store = open_store(f);
	assert_int_equal(store_energy_add(store, "c1", 1, 5, 5, &err), FC_OK);
	assert_false(others_may(f->db, ""));
	assert_false(others_may(f->db, "-wal"));
	store_close(store);
	(void)umask(mask);
}

static void pages_are_small_and_the_wal_is_bounded(void **state)
{
	struct fixture *f = *state;
	struct error err = {0};
	sqlite3 *db = NULL;
	char command[600];

	struct store *store = open_store(f);
	assert_int_equal(pragma(store, "PRAGMA page_size"), 512);
	assert_int_equal(pragma(store, "PRAGMA wal_autocheckpoint"), 8000);
	store_close(store);
	(void)snprintf(command, sizeof(command), "rm -f '%s'*", f->db);
	assert_int_equal(system(command), 0);

	assert_int_equal(sqlite3_open(f->db, &db), SQLITE_OK);
	assert_int_equal(
	    sqlite3_exec(db, "PRAGMA page_size = 4096; PRAGMA user_version = 0; CREATE TABLE t(x);", NULL, NULL, NULL),
	    SQLITE_OK);
	sqlite3_close(db);
	store = open_store(f);
	assert_int_equal(pragma(store, "PRAGMA page_size"), 512);
	assert_int_equal(pragma(store, "PRAGMA wal_autocheckpoint"), 8000);
	assert_int_equal(pragma(store, "PRAGMA synchronous"), 2);
	assert_int_equal(store_energy_add(store, "c1", 1, 5, 5, &err), FC_OK);
	/* The file for the index of the WAL is there for a disk that becomes read-only, and nothing is written to it. */
	(void)snprintf(command, sizeof(command), "test -s '%s-wal' && test -e '%s-shm' && test ! -s '%s-shm'", f->db,
		       f->db, f->db);
	assert_int_equal(system(command), 0);
	store_close(store);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(energy_survives, make_folder, remove_folder),
	    cmocka_unit_test_setup_teardown(a_rolled_back_transaction_leaves_nothing, make_folder, remove_folder),
	    cmocka_unit_test_setup_teardown(named_values, make_folder, remove_folder),
	    cmocka_unit_test_setup_teardown(a_damaged_file_is_set_aside, make_folder, remove_folder),
	    cmocka_unit_test_setup_teardown(the_file_is_its_owners_alone, make_folder, remove_folder),
	    cmocka_unit_test_setup_teardown(pages_are_small_and_the_wal_is_bounded, make_folder, remove_folder),
	    cmocka_unit_test_setup_teardown(what_is_put_aside_is_beside_the_file, make_folder, remove_folder),
	    cmocka_unit_test_setup_teardown(a_newer_file_is_refused, make_folder, remove_folder),
	    cmocka_unit_test_setup_teardown(an_unusable_folder_is_named, make_folder, remove_folder),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
