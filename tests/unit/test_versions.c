/* store/versions: each version once, texts by content, bounded, and never one that an order refers to or that is in force. */
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
#include "store/versions.h"

enum { DAY_S = 86400, NOW = 1800000000 };

struct fixture {
	char folder[64], db[96];
	struct store *store;
	struct error err;
	/* What was told. */
	char seen[4096];
	int count;
	char *big;
	const char *kept; /* in force, whatever its age */
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	folder_make(f->folder, sizeof(f->folder), "versions");
	(void)snprintf(f->db, sizeof(f->db), "%s/forecourt.db", f->folder);
	f->store = store_open(f->folder, &f->err);
	assert_non_null(f->store);
	f->kept = "";
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	store_close(f->store);
	folder_remove(f->folder);
	free(f->big);
	free(f);
	return 0;
}

static int is_kept(void *user, const struct version *version)
{
	const struct fixture *f = user;

	return !strcmp(version->whole, f->kept);
}

/* A version named by its hash; its text is size bytes of it. */
static void add(struct fixture *f, const char *item, const char *hash, const char *whole, int64_t at, size_t size)
{
	struct version v = {.at_wall = at};

	(void)snprintf(v.item, sizeof(v.item), "%s", item);
	(void)snprintf(v.hash, sizeof(v.hash), "%s", hash);
	(void)snprintf(v.whole, sizeof(v.whole), "%s", whole);
	(void)snprintf(v.origin, sizeof(v.origin), "file");
	free(f->big);
	f->big = malloc(size + 1);
	assert_non_null(f->big);
	memset(f->big, hash[0], size);
	assert_int_equal(store_begin(f->store, &f->err), FC_OK);
	assert_int_equal(version_add(f->store, &v, f->big, size, &f->err), FC_OK);
	assert_int_equal(version_trim(f->store, item, at, is_kept, f, &f->err), FC_OK);
	assert_int_equal(store_commit(f->store, &f->err), FC_OK);
}

static void tell(void *user, const struct version *v)
{
	struct fixture *f = user;
	size_t n = strlen(f->seen);

	f->count++;
	(void)snprintf(f->seen + n, sizeof(f->seen) - n, "%s ", v->whole);
}

static const char *list(struct fixture *f, const char *item, int64_t before, int most)
{
	f->seen[0] = '\0';
	f->count = 0;
	int told = version_each(f->store, item, before, most, tell, f);

	assert_int_equal(told, f->count);
	return f->seen;
}

static void keep_text(void *user, const char *text, size_t len)
{
	struct fixture *f = user;

	(void)snprintf(f->seen, sizeof(f->seen), "%zu %.*s", len, (int)len, text);
}

static void tell_part(void *user, const char *item, const char *hash)
{
	struct fixture *f = user;
	size_t n = strlen(f->seen);

	(void)snprintf(f->seen + n, sizeof(f->seen) - n, "%s=%s ", item, hash);
}

static void what_came_when(void **state)
{
	struct fixture *f = *state;
	struct version v;

	assert_int_equal(version_last(f->store, "operators/x", &v), FC_ENOENT);
	add(f, "operators/x", "a", "a", NOW, 3);
	add(f, "policies/y", "b", "b", NOW + 1, 3);
	add(f, "operators/x", "c", "C", NOW + 2, 0);
	add(f, "operators/x", "a", "a", NOW + 3, 3);
	assert_string_equal(list(f, "operators/x", 0, 10), "a C a ");
	assert_string_equal(list(f, NULL, 0, 10), "a C b a ");
	assert_string_equal(list(f, NULL, 0, 2), "a C ");
	assert_int_equal(version_last(f->store, "operators/x", &v), FC_OK);
	assert_true(v.at_wall == NOW + 3 && !strcmp(v.origin, "file") && !strcmp(v.item, "operators/x"));
	assert_string_equal(list(f, NULL, v.id, 10), "C b a ");
	assert_string_equal(list(f, "operators/z", 0, 10), "");
	assert_true(version_is_known(f->store, "operators/x", "C"));
	assert_false(version_is_known(f->store, "operators/x", "c"));
	assert_int_equal(version_text(f->store, "a", keep_text, f), FC_OK);
	assert_string_equal(f->seen, "3 aaa");
	assert_int_equal(version_text(f->store, "c", keep_text, f), FC_OK);
	assert_string_equal(f->seen, "0 ");
	assert_int_equal(version_text(f->store, "d", keep_text, f), FC_ENOENT);
	assert_true(version_has_text(f->store, "b"));
	assert_false(version_has_text(f->store, "d"));
}

static const char all_kinds[] = "a\0b\xFF\xFE\r\n\t'\"";

static void compare_text(void *user, const char *text, size_t len)
{
	struct fixture *f = user;

	assert_int_equal(len, sizeof(all_kinds));
	assert_memory_equal(text, all_kinds, sizeof(all_kinds));
	f->count++;
}

/* Bytes of all kinds come back as they are. */
static void any_text(void **state)
{
	struct fixture *f = *state;
	struct version v = {.item = "lib/m", .hash = "h", .whole = "h", .at_wall = NOW};

	assert_int_equal(version_add(f->store, &v, all_kinds, sizeof(all_kinds), &f->err), FC_OK);
	assert_int_equal(version_text(f->store, "h", compare_text, f), FC_OK);
	assert_int_equal(f->count, 1);
}

static void at_most_so_many(void **state)
{
	struct fixture *f = *state;
	char name[16];

	/* The first is in force, the third was used by an order lately, the fourth long ago. */
	for (int i = 0; i < 4; i++) {
		(void)snprintf(name, sizeof(name), "%03d", i);
		add(f, "policies/p", name, name, NOW + i, 8);
	}
	f->kept = "000";
	version_used(f->store, "002", NOW);
	version_used(f->store, "003", NOW - (VERSION_KEPT_DAYS + 1) * (int64_t)DAY_S);
	for (int i = 4; i < VERSIONS_MAX + 50; i++) {
		(void)snprintf(name, sizeof(name), "%03d", i);
		add(f, "policies/p", name, name, NOW + i, 8);
	}
	(void)list(f, "policies/p", 0, 10000);
	assert_int_equal(f->count, VERSIONS_MAX);
	assert_true(version_is_known(f->store, "policies/p", "000"));
	assert_false(version_is_known(f->store, "policies/p", "001"));
	assert_true(version_is_known(f->store, "policies/p", "002"));
	assert_false(version_is_known(f->store, "policies/p", "003"));
	assert_false(version_is_known(f->store, "policies/p", "051"));
	assert_true(version_is_known(f->store, "policies/p", "052"));
	assert_false(version_has_text(f->store, "001"));
	assert_true(version_has_text(f->store, "002"));
	/* Nobody refers to it any more. */
	add(f, "policies/p", "new", "new", NOW + (VERSION_KEPT_DAYS + 1) * (int64_t)DAY_S, 8);
	assert_false(version_is_known(f->store, "policies/p", "002"));
	assert_true(version_is_known(f->store, "policies/p", "000"));
}

/* The bytes of all texts; what is there twice counts once, and the two newest of each stay. */
static void at_most_so_large(void **state)
{
	enum { SIZE = 300000, FIT = VERSION_TEXTS_MAX / SIZE };
	struct fixture *f = *state;
	char name[16];

	add(f, "lib/rare", "r1", "r1", NOW, 100);
	add(f, "lib/rare", "r2", "r2", NOW, 100);
	add(f, "lib/rare", "r3", "r3", NOW, 100);
	for (int i = 0; i < 40; i++)
		add(f, "profiles/q", "same", "same", NOW + i, SIZE);
	(void)list(f, "profiles/q", 0, 1000);
	assert_int_equal(f->count, 40);
	for (int i = 0; i < 30; i++) {
		(void)snprintf(name, sizeof(name), "%02d", i);
		add(f, "policies/p", name, name, NOW + 100 + i, SIZE);
		if (!i)
			version_used(f->store, "00", NOW + 100);
	}
	int texts = 0;
	for (int i = 0; i < 30; i++) {
		(void)snprintf(name, sizeof(name), "%02d", i);
		texts += version_has_text(f->store, name);
		assert_int_equal(version_has_text(f->store, name), version_is_known(f->store, "policies/p", name));
	}
	print_message("%d texts of %d bytes kept, %d fit\n", texts, SIZE, FIT);
	assert_true(texts == FIT || texts == FIT - 1);
	assert_true(version_has_text(f->store, "00"));
	assert_true(version_has_text(f->store, "29"));
	assert_false(version_has_text(f->store, "r1"));
	assert_true(version_has_text(f->store, "r2"));
	assert_true(version_has_text(f->store, "r3"));
}

/* A module stays as long as a version that it is a part of. */
static void modules(void **state)
{
	struct fixture *f = *state;
	char name[16];

	add(f, "lib/m", "m1", "m1", NOW, 8);
	add(f, "operators/x", "x1", "W1", NOW, 8);
	assert_int_equal(version_add_part(f->store, "W1", "lib/m", "m1", &f->err), FC_OK);
	assert_int_equal(version_add_part(f->store, "W1", "lib/n", "n1", &f->err), FC_OK);
	assert_int_equal(version_add_part(f->store, "W1", "lib/n", "n1", &f->err), FC_OK);
	f->seen[0] = '\0';
	assert_int_equal(version_each_part(f->store, "W1", tell_part, f), 2);
	assert_string_equal(f->seen, "lib/m=m1 lib/n=n1 ");
	assert_int_equal(version_each_part(f->store, "x1", tell_part, f), 0);
	for (int i = 0; i < VERSIONS_MAX + 10; i++) {
		(void)snprintf(name, sizeof(name), "k%d", i);
		add(f, "lib/m", name, name, NOW + i, 8);
	}
	assert_true(version_has_text(f->store, "m1"));
	assert_true(version_is_known(f->store, "lib/m", "m1"));
	assert_false(version_has_text(f->store, "k0"));
	/* The one that it was a part of goes; then it may go too. */
	for (int i = 0; i < VERSIONS_MAX + 10; i++) {
		(void)snprintf(name, sizeof(name), "y%d", i);
		add(f, "operators/x", name, name, NOW + i, 8);
	}
	assert_false(version_is_known(f->store, "operators/x", "W1"));
	assert_int_equal(version_each_part(f->store, "W1", tell_part, f), 0);
	add(f, "lib/m", "last", "last", NOW, 8);
	assert_false(version_has_text(f->store, "m1"));
}

/* An order a second refers to its versions; the flash sees one write a day. */
static void use_is_written_once_a_day(void **state)
{
	struct fixture *f = *state;
	char wal[128];
	long before, after;

	add(f, "policies/p", "a", "a", NOW, 8);
	(void)snprintf(wal, sizeof(wal), "%s-wal", f->db);
	version_used(f->store, "a", NOW);
	FILE *file = fopen(wal, "rb");
	assert_non_null(file);
	assert_int_equal(fseek(file, 0, SEEK_END), 0);
	before = ftell(file);
	for (int i = 0; i < 1000; i++)
		version_used(f->store, i % 2 ? "a" : "", NOW + i);
	assert_int_equal(fseek(file, 0, SEEK_END), 0);
	after = ftell(file);
	assert_int_equal(after, before);
	version_used(f->store, "a", NOW + 2 * DAY_S);
	assert_int_equal(fseek(file, 0, SEEK_END), 0);
	assert_true(ftell(file) > after);
	assert_int_equal(fclose(file), 0);
}

/* The file is taken away: the new one has all of them. */
static void a_rescue_takes_them_over(void **state)
{
	struct fixture *f = *state;
	char name[16];

	for (int i = 0; i < 50; i++) {
		(void)snprintf(name, sizeof(name), "%02d", i);
		add(f, "operators/x", name, name, NOW + i, 5000);
	}
	assert_int_equal(version_add_part(f->store, "49", "lib/m", "00", &f->err), FC_OK);
	assert_int_equal(unlink(f->db), 0);
	store_tend(f->store);
	assert_int_equal(store_health(f->store)->replaced, 1);
	(void)list(f, "operators/x", 0, 100);
	assert_int_equal(f->count, 50);
	assert_int_equal(version_text(f->store, "07", keep_text, f), FC_OK);
	assert_memory_equal(f->seen, "5000 0000", 9);
	f->seen[0] = '\0';
	assert_int_equal(version_each_part(f->store, "49", tell_part, f), 1);
}

#define T(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    T(what_came_when),           T(any_text), T(at_most_so_many),
	    T(at_most_so_large),         T(modules),  T(use_is_written_once_a_day),
	    T(a_rescue_takes_them_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
