/* script/watch: whatever way a file comes to be another one, it is noticed, once things are quiet. */
#include <fcntl.h>
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

#include "base/clock.h"
#include "folder.h"
#include "loop/loop.h"
#include "script/watch.h"

enum { PATIENCE_MS = 60000, ROOT_SIZE = 64, PATH_SIZE = 200 };

struct fixture {
	char root[ROOT_SIZE];
	struct loop *loop;
	struct watch *watch;
	int told;
	int64_t begun_ms;
	struct error err;
};

static void on_change(void *user)
{
	struct fixture *f = user;

	f->told++;
}

static const char *path_of(const struct fixture *f, const char *name)
{
	static char paths[4][PATH_SIZE];
	static unsigned next;
	char *path = paths[next++ % 4];

	(void)snprintf(path, PATH_SIZE, "%s/%s", f->root, name);
	return path;
}

static void make_folder(const struct fixture *f, const char *name)
{
	assert_int_equal(mkdir(path_of(f, name), 0700), 0);
}

static void save(const struct fixture *f, const char *name, const char *text)
{
	FILE *file = fopen(path_of(f, name), "w");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static void run_for(struct fixture *f, int ms)
{
	for (int64_t end = clock_mono_ms() + ms; clock_mono_ms() < end;)
		assert_int_equal(loop_step(f->loop, 10), FC_OK);
}

static void until_told(struct fixture *f)
{
	int before = f->told;

	for (int64_t end = clock_mono_ms() + PATIENCE_MS; f->told == before;) {
		assert_true(clock_mono_ms() < end);
		assert_int_equal(loop_step(f->loop, 20), FC_OK);
	}
}

/* Nothing more is on its way. */
static void settle(struct fixture *f)
{
	for (int before = f->told - 1; before != f->told;) {
		before = f->told;
		run_for(f, 600);
	}
}

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	folder_make(f->root, sizeof(f->root), "watch");
	make_folder(f, "lua");
	make_folder(f, "lua/operators");
	f->loop = loop_new(&f->err);
	assert_non_null(f->loop);
	f->watch = watch_new(f->loop, on_change, f, &f->err);
	assert_non_null(f->watch);
	assert_int_equal(watch_add(f->watch, path_of(f, "lua/operators"), &f->err), FC_OK);
	f->begun_ms = clock_mono_ms();
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	watch_free(f->watch);
	loop_free(f->loop);
	folder_remove(f->root);
	free(f);
	return 0;
}

/* vim: 4913 to try the folder, the old file moved to x~, the new one written, the old one removed. */
static void editors(void **state)
{
	struct fixture *f = *state;

	save(f, "lua/operators/x.lua", "return 1");
	until_told(f);
	settle(f);
	int before = f->told;
	save(f, "lua/operators/4913", "");
	assert_int_equal(unlink(path_of(f, "lua/operators/4913")), 0);
	save(f, "lua/operators/.x.lua.swp", "");
	run_for(f, 500);
	assert_int_equal(f->told, before);
	assert_int_equal(rename(path_of(f, "lua/operators/x.lua"), path_of(f, "lua/operators/x.lua~")), 0);
	save(f, "lua/operators/x.lua", "return 2");
	assert_int_equal(unlink(path_of(f, "lua/operators/x.lua~")), 0);
	until_told(f);
	settle(f);
	/* By rename; several at once are told once. */
	before = f->told;
	for (int i = 0; i < 20; i++) {
		char name[40];

		(void)snprintf(name, sizeof(name), "lua/operators/m%d.lua", i);
		save(f, "lua/operators/.tmp", "return {}");
		assert_int_equal(rename(path_of(f, "lua/operators/.tmp"), path_of(f, name)), 0);
	}
	until_told(f);
	settle(f);
	assert_int_equal(f->told, before + 1);
	/* Gone, and back. */
	assert_int_equal(unlink(path_of(f, "lua/operators/x.lua")), 0);
	until_told(f);
	save(f, "lua/operators/x.lua", "return 2");
	until_told(f);
}

/* A file is told when it was closed, not while it is written; one that is written for ever does not keep the others waiting. */
static void half_written(void **state)
{
	struct fixture *f = *state;
	int slow = open(path_of(f, "lua/operators/slow.lua"), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

	assert_true(slow >= 0);
	for (int i = 0; i < 10; i++) {
		assert_int_equal(write(slow, "--\n", 3), 3);
		run_for(f, 60);
	}
	/* Unless this machine is so slow that the folder has been looked at meanwhile. */
	if (clock_mono_ms() - f->begun_ms < WATCH_LOOK_S * 1000 / 2)
		assert_int_equal(f->told, 0);
	f->told = 0;
	/* Another one is saved meanwhile: told within the patience, although the first goes on. */
	save(f, "lua/operators/x.lua", "return 1");
	int64_t begin = clock_mono_ms();
	while (!f->told) {
		assert_true(clock_mono_ms() - begin < PATIENCE_MS);
		assert_int_equal(write(slow, "--\n", 3), 3);
		assert_int_equal(loop_step(f->loop, 20), FC_OK);
	}
	settle(f);
	int before = f->told;
	assert_int_equal(close(slow), 0);
	until_told(f);
	assert_int_equal(f->told, before + 1);
}

static void a_folder_goes_and_comes_back(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(rmdir(path_of(f, "lua/operators")), 0);
	until_told(f);
	make_folder(f, "lua/operators");
	until_told(f);
	settle(f);
	save(f, "lua/operators/x.lua", "return 1");
	until_told(f);
	settle(f);
	/* The whole tree is put in the place of the old one. */
	make_folder(f, "new");
	make_folder(f, "new/operators");
	save(f, "new/operators/x.lua", "return 2");
	assert_int_equal(rename(path_of(f, "lua"), path_of(f, "old")), 0);
	assert_int_equal(rename(path_of(f, "new"), path_of(f, "lua")), 0);
	until_told(f);
	settle(f);
	int before = f->told;
	save(f, "old/operators/x.lua", "return 3");
	run_for(f, 500);
	assert_int_equal(f->told, before);
	save(f, "lua/operators/x.lua", "return 4");
	until_told(f);
}

static void turn_link(struct fixture *f, const char *target, const char *name)
{
	assert_int_equal(symlink(target, path_of(f, "link.new")), 0);
	assert_int_equal(rename(path_of(f, "link.new"), path_of(f, name)), 0);
}

/* Deployments turn a link: of the tree, of a folder, of a file. */
static void links_are_turned(void **state)
{
	struct fixture *f = *state;

	make_folder(f, "r1");
	make_folder(f, "r2");
	make_folder(f, "r1/operators");
	make_folder(f, "r2/operators");
	save(f, "r1/operators/x.lua", "return 1");
	save(f, "r2/operators/x.lua", "return 2");
	turn_link(f, "r1", "current");
	turn_link(f, "current", "site");
	assert_int_equal(watch_add(f->watch, path_of(f, "site/operators"), &f->err), FC_OK);
	settle(f);
	int before = f->told;
	/* The link behind the link. */
	turn_link(f, "r2", "current");
	until_told(f);
	settle(f);
	before = f->told;
	save(f, "r1/operators/x.lua", "return 3");
	run_for(f, 500);
	assert_int_equal(f->told, before);
	save(f, "r2/operators/x.lua", "return 4");
	until_told(f);
	settle(f);
	/* A file that is a link, turned; and written where it is, which only a look can find. */
	save(f, "elsewhere.lua", "return 5");
	turn_link(f, "../../elsewhere.lua", "r2/operators/y.lua");
	until_told(f);
	settle(f);
	save(f, "elsewhere.lua", "return 60");
	until_told(f);
}

/* More events than the kernel keeps while the loop does something else. */
static void a_flood(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 40000; i++) {
		save(f, "lua/operators/a", "1");
		save(f, "lua/operators/b", "2");
	}
	save(f, "lua/operators/x.lua", "return 1");
	until_told(f);
	settle(f);
	save(f, "lua/operators/x.lua", "return 22");
	until_told(f);
}

static void many_folders(void **state)
{
	struct fixture *f = *state;
	char name[40];

	for (int i = 0; i < 40; i++) {
		(void)snprintf(name, sizeof(name), "lua/f%d", i);
		make_folder(f, name);
		assert_int_equal(watch_add(f->watch, path_of(f, name), &f->err), FC_OK);
	}
	settle(f);
	save(f, "lua/f39/x.lua", "return 1");
	until_told(f);
	/* One that is not there yet. */
	assert_int_equal(watch_add(f->watch, path_of(f, "lua/late"), &f->err), FC_OK);
	make_folder(f, "lua/late");
	until_told(f);
	settle(f);
	save(f, "lua/late/x.lua", "return 1");
	until_told(f);
}

#define T(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    T(editors),          T(half_written), T(a_folder_goes_and_comes_back),
	    T(links_are_turned), T(a_flood),      T(many_folders),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
