/* core/config/trial: whatever step the power fails at, there are the old files, or the new ones confirmed; nothing in between, and
 * never a file that is neither. Every call that changes the disk is counted, and the process ends at each of them in turn. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "config/trial.h"
#include "folder.h"

/* Steps until the power fails (-1: never), or until calls fail as on a full or broken disk. */
static int cut_in = -1, fail_in = -1;

static int step(void)
{
	if (cut_in >= 0 && !cut_in--)
		_exit(9);
	if (fail_in > 0)
		fail_in--;
	if (!fail_in) {
		errno = ENOSPC;
		return -1;
	}
	return 0;
}

static char folder[64], config[100], lua[100], fresh[100];
/* The configuration's folder takes no file of ours: a folder of our own is in it. */
static int is_closed;

int rename(const char *from, const char *to)
{
	if (is_closed && !strcmp(to, config)) {
		errno = EACCES;
		return -1;
	}
	return step() ? -1 : (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
}

int unlink(const char *path)
{
	/* Removing needs no room. */
	if (cut_in >= 0 && !cut_in--)
		_exit(9);
	return (int)syscall(SYS_unlinkat, AT_FDCWD, path, 0);
}

ssize_t write(int fd, const void *data, size_t len)
{
	/* A power cut leaves a part of it. */
	if (fd > 2 && !cut_in)
		(void)!syscall(SYS_write, fd, data, len / 2);
	return fd > 2 && step() ? -1 : (ssize_t)syscall(SYS_write, fd, data, len);
}

int ftruncate(int fd, off_t len)
{
	return step() ? -1 : (int)syscall(SYS_ftruncate, fd, len);
}

int fsync(int fd)
{
	return step() ? -1 : (int)syscall(SYS_fsync, fd);
}

static void put(const char *path, const char *text)
{
	FILE *to = fopen(path, "wb");

	assert_non_null(to);
	assert_true(fputs(text, to) >= 0);
	assert_int_equal(fclose(to), 0);
}

static int is(const char *path, const char *text)
{
	char have[200];
	FILE *in = fopen(path, "rb");

	if (!in)
		return !text;
	size_t n = fread(have, 1, sizeof(have) - 1, in);
	(void)fclose(in);
	have[n] = '\0';
	return text && !strcmp(have, text);
}

static int leftovers(void)
{
	char command[200], out[40] = "";

	(void)snprintf(command, sizeof(command), "ls -A %s | grep -c '^[.]'", folder);
	FILE *in = popen(command, "r");
	assert_non_null(in);
	(void)!fgets(out, sizeof(out), in);
	(void)pclose(in);
	return atoi(out);
}

static int begin(struct error *err)
{
	const struct trial_file files[] = {
	    {config, "new config", 10, 0600}, {lua, "new lua", 7, 0644}, {fresh, "new file", 8, 0640}};

	return trial_begin(config, files, 3, err);
}

static int all_old(void)
{
	return is(config, "old config") && is(lua, "old lua") && is(fresh, NULL);
}

static int all_new(void)
{
	return is(config, "new config") && is(lua, "new lua") && is(fresh, "new file");
}

static int set_up(void **state)
{
	(void)state;
	cut_in = fail_in = -1;
	folder_make(folder, sizeof(folder), "trial");
	(void)snprintf(config, sizeof(config), "%s/forecourt", folder);
	(void)snprintf(lua, sizeof(lua), "%s/x.lua", folder);
	(void)snprintf(fresh, sizeof(fresh), "%s/key.pem", folder);
	put(config, "old config");
	put(lua, "old lua");
	assert_int_equal(chmod(config, 0640), 0);
	if (is_closed) {
		char own[120];

		(void)snprintf(own, sizeof(own), "%s/.forecourt", folder);
		assert_int_equal(mkdir(own, 0700), 0);
	}
	return 0;
}

static int set_up_closed(void **state)
{
	is_closed = 1;
	return set_up(state);
}

static int tear_down(void **state)
{
	(void)state;
	cut_in = fail_in = -1;
	folder_remove(folder);
	return 0;
}

static int tear_down_closed(void **state)
{
	int result = tear_down(state);

	is_closed = 0;
	return result;
}

/* The file is the one that was there: its owner lets us write it, and no more. */
static void a_folder_that_is_not_ours(void **state)
{
	char own[120];
	struct stat before, after;

	(void)state;
	(void)snprintf(own, sizeof(own), "%s/.forecourt", folder);
	assert_int_equal(stat(config, &before), 0);
	assert_int_equal(begin(NULL), FC_OK);
	assert_true(all_new());
	(void)snprintf(own, sizeof(own), "%s/.forecourt/.forecourt.before", folder);
	assert_true(is(own, "old config"));
	assert_int_equal(trial_revert(config, NULL), FC_OK);
	assert_true(all_old());
	assert_int_equal(access(own, F_OK), -1);
	/* Longer, and shorter again. */
	const struct trial_file file = {config, "a configuration that is much longer than the old one", 51, 0600};
	assert_int_equal(trial_begin(config, &file, 1, NULL), FC_OK);
	assert_true(is(config, "a configuration that is much longer than the old on"));
	assert_int_equal(trial_recover(config, NULL), 1);
	assert_true(is(config, "old config"));
	assert_int_equal(stat(config, &after), 0);
	assert_int_equal(before.st_ino, after.st_ino);
	assert_int_equal(before.st_mode, after.st_mode);
	/* Beside the file itself stands nothing but the folder. */
	assert_int_equal(leftovers(), 1);
}

static void confirmed_stays(void **state)
{
	struct stat st;

	(void)state;
	assert_int_equal(trial_confirm(config, NULL), FC_ENOENT);
	assert_int_equal(trial_revert(config, NULL), FC_ENOENT);
	assert_int_equal(begin(NULL), FC_OK);
	assert_true(all_new());
	assert_true(trial_is_open(config));
	assert_int_equal(begin(NULL), FC_EBUSY);
	assert_int_equal(stat(config, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0640);
	assert_int_equal(stat(fresh, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0640);
	assert_int_equal(trial_confirm(config, NULL), FC_OK);
	assert_false(trial_is_open(config));
	assert_int_equal(trial_recover(config, NULL), 0);
	assert_true(all_new());
	assert_int_equal(leftovers(), 0);
}

static void not_confirmed_goes_back(void **state)
{
	(void)state;
	assert_int_equal(begin(NULL), FC_OK);
	assert_int_equal(trial_revert(config, NULL), FC_OK);
	assert_true(all_old());
	assert_int_equal(leftovers(), 0);
	assert_int_equal(begin(NULL), FC_OK);
	assert_int_equal(trial_recover(config, NULL), 1);
	assert_true(all_old());
	assert_int_equal(trial_recover(config, NULL), 0);
	assert_int_equal(leftovers(), 0);
}

/* In a process that ends at the n-th step; nonzero when it came to its end before. */
static int run_cut(int (*what)(void), int n)
{
	int status;
	pid_t child = fork();

	if (!child) {
		cut_in = n;
		_exit(what());
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_true(WEXITSTATUS(status) == 9 || WEXITSTATUS(status) == 0);
	return WEXITSTATUS(status) == 0;
}

static int do_begin(void)
{
	return begin(NULL) != FC_OK;
}

static int do_confirm(void)
{
	return trial_confirm(config, NULL) != FC_OK;
}

static int do_revert(void)
{
	return trial_revert(config, NULL) != FC_OK;
}

static int do_recover(void)
{
	return trial_recover(config, NULL) != 1;
}

static void a_power_cut_at_any_step_of_the_beginning(void **state)
{
	int ended = 0, n = 0;

	for (; !ended; n++) {
		ended = run_cut(do_begin, n);
		/* The next start. */
		assert_true(trial_recover(config, NULL) >= 0);
		assert_true(all_old());
		assert_false(trial_is_open(config));
		assert_int_equal(begin(NULL), FC_OK);
		assert_true(all_new());
		assert_int_equal(trial_revert(config, NULL), FC_OK);
		tear_down(state);
		set_up(state);
	}
	/* 6 files written, a list, and their renames: else this test counts nothing. */
	assert_true(n > 20);
}

static void a_power_cut_at_any_step_of_the_end(void **state)
{
	static int (*const what[])(void) = {do_confirm, do_revert, do_recover};

	for (size_t w = 0; w < 3; w++) {
		int ended = 0, n = 0;

		for (; !ended; n++) {
			assert_int_equal(begin(NULL), FC_OK);
			ended = run_cut(what[w], n);
			int recovered = trial_recover(config, NULL);
			assert_true(recovered >= 0);
			assert_false(trial_is_open(config));
			/* Confirmed or not: one of the two, never a mixture. */
			assert_true(all_old() || (w == 0 && all_new()));
			if (w == 0 && ended)
				assert_true(all_new());
			tear_down(state);
			set_up(state);
		}
		assert_true(n > 3);
	}
}

static void a_full_disk_changes_nothing(void **state)
{
	int done = 0;

	for (int n = 0; !done; n++) {
		struct error err = {0};

		fail_in = n;
		int result = begin(&err);
		int left = fail_in;
		fail_in = -1;
		done = !result;
		if (result) {
			assert_int_equal(result, FC_EIO);
			assert_true(*err.text != '\0');
			/* Going back failed, too, when the disk stays broken: then the next start does it. */
			assert_int_equal(left, 0);
			assert_true(trial_recover(config, NULL) >= 0);
			assert_true(all_old());
		} else {
			assert_true(all_new());
		}
		tear_down(state);
		set_up(state);
	}
}

static void a_link_stays_one(void **state)
{
	char link[100];
	const struct trial_file file = {link, "new", 3, 0600};
	struct stat st;

	(void)state;
	(void)snprintf(link, sizeof(link), "%s/link", folder);
	assert_int_equal(symlink(config, link), 0);
	assert_int_equal(trial_begin(link, &file, 1, NULL), FC_OK);
	assert_true(is(config, "new"));
	assert_true(trial_is_open(config));
	assert_int_equal(trial_recover(link, NULL), 1);
	assert_true(is(config, "old config"));
	assert_int_equal(lstat(link, &st), 0);
	assert_true(S_ISLNK(st.st_mode));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(confirmed_stays, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(not_confirmed_goes_back, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(a_power_cut_at_any_step_of_the_beginning, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(a_power_cut_at_any_step_of_the_end, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(a_full_disk_changes_nothing, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(a_link_stays_one, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(a_folder_that_is_not_ours, set_up_closed, tear_down_closed),
	    cmocka_unit_test_setup_teardown(a_power_cut_at_any_step_of_the_beginning, set_up_closed, tear_down_closed),
	    cmocka_unit_test_setup_teardown(a_power_cut_at_any_step_of_the_end, set_up_closed, tear_down_closed),
	    cmocka_unit_test_setup_teardown(a_full_disk_changes_nothing, set_up_closed, tear_down_closed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
