/* loop/watchdog: what a device gets to see, which is a FIFO here: how often it is fed, when it is not, and how it ends. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/stat.h>

#include <cmocka.h>

#include "base/clock.h"
#include "folder.h"
#include "loop/watchdog.h"

enum { PATIENCE_MS = 60000 };

struct fixture {
	struct loop *loop;
	struct watchdog *watchdog;
	char folder[64], path[96];
	int end; /* the FIFO's other */
	int fed, magic;
	/* what the check says */
	int stands_still, checks;
};

static int check(void *user, int64_t now_us, char *why, size_t size)
{
	struct fixture *f = user;

	(void)now_us;
	f->checks++;
	if (f->stands_still)
		(void)snprintf(why, size, "bus tcp0 stands still");
	return f->stands_still;
}

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct error err = {0};

	assert_non_null(f);
	folder_make(f->folder, sizeof(f->folder), "watchdog");
	(void)snprintf(f->path, sizeof(f->path), "%s/watchdog", f->folder);
	assert_int_equal(mkfifo(f->path, 0600), 0);
	f->end = open(f->path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	assert_true(f->end >= 0);
	f->loop = loop_new(&err);
	assert_non_null(f->loop);
	f->watchdog = watchdog_new(f->loop, check, f, &err);
	assert_non_null(f->watchdog);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	watchdog_free(f->watchdog);
	loop_free(f->loop);
	close(f->end);
	folder_remove(f->folder);
	free(f);
	return 0;
}

static void take(struct fixture *f)
{
	char bytes[64];
	ssize_t n;

	while ((n = read(f->end, bytes, sizeof(bytes))) > 0)
		for (ssize_t i = 0; i < n; i++) {
			f->fed += bytes[i] != 'V';
			f->magic += bytes[i] == 'V';
		}
}

static void turn_until(struct fixture *f, const int *value, int want)
{
	int64_t end = clock_mono_ms() + PATIENCE_MS;

	while (*value < want) {
		assert_true(clock_mono_ms() < end);
		assert_int_equal(loop_step(f->loop, 50), FC_OK);
		take(f);
	}
}

static struct watchdog_state state_of(const struct fixture *f)
{
	struct watchdog_state s;

	watchdog_get_state(f->watchdog, &s);
	return s;
}

/* A stand-in knows no time-out: it is fed all the same. */
static void it_is_fed_and_disarmed(void **state)
{
	struct fixture *f = *state;

	/* Looks are made without a device, too. */
	turn_until(f, &f->checks, 1);
	assert_false(state_of(f).is_open);
	watchdog_set(f->watchdog, f->path, 15);
	assert_true(state_of(f).is_open);
	assert_int_equal(state_of(f).timeout_s, 15);
	/* Several times within a time-out: looks are made once a second. */
	turn_until(f, &f->fed, 1);
	int looks = f->checks;
	turn_until(f, &f->fed, 3);
	assert_in_range(f->checks - looks, 4, 2 * 15 / 4 + 1);
	assert_int_equal(state_of(f).feeds, (uint64_t)f->fed);
	assert_string_equal(state_of(f).why, "");
	assert_int_equal(f->magic, 0);
	watchdog_end(f->watchdog);
	take(f);
	assert_int_equal(f->magic, 1);
	assert_false(state_of(f).is_open);
	/* It stays so. */
	int checks = f->checks, fed = f->fed;
	turn_until(f, &f->checks, checks + 3);
	assert_int_equal(f->fed, fed);
	assert_false(state_of(f).is_open);
}

static void what_stands_still_is_not_fed(void **state)
{
	struct fixture *f = *state;

	watchdog_set(f->watchdog, f->path, 15);
	turn_until(f, &f->fed, 1);
	f->stands_still = 1;
	int checks = f->checks;
	turn_until(f, &f->checks, checks + 1);
	int fed = f->fed;
	checks = f->checks;
	turn_until(f, &f->checks, checks + 7);
	assert_int_equal(f->fed, fed);
	assert_string_equal(state_of(f).why, "bus tcp0 stands still");
	/* It goes on: at once, since it is overdue. */
	f->stands_still = 0;
	turn_until(f, &f->fed, fed + 1);
	assert_string_equal(state_of(f).why, "");
	assert_int_equal(f->magic, 0);
}

/* A program that dies: what it held open is closed by the kernel, and nobody says V. */
static void without_an_end_it_stays_armed(void **state)
{
	struct fixture *f = *state;
	struct error err = {0};
	char byte;

	watchdog_set(f->watchdog, f->path, 15);
	turn_until(f, &f->fed, 1);
	watchdog_free(f->watchdog);
	take(f);
	assert_int_equal(f->magic, 0);
	assert_int_equal(read(f->end, &byte, 1), 0); /* closed all the same */
	f->watchdog = watchdog_new(f->loop, check, f, &err);
	assert_non_null(f->watchdog);
}

static void a_device_that_is_not_there_is_tried_again(void **state)
{
	struct fixture *f = *state;
	char late[128];

	(void)snprintf(late, sizeof(late), "%s/late", f->folder);
	watchdog_set(f->watchdog, late, 15);
	assert_false(state_of(f).is_open);
	assert_non_null(strstr(state_of(f).why, "open: "));
	assert_non_null(strstr(state_of(f).why, "No such file"));
	assert_int_equal(rename(f->path, late), 0);
	turn_until(f, &f->fed, 1);
	assert_string_equal(state_of(f).why, "");
	assert_int_equal(rename(late, f->path), 0);
}

static void a_file_is_none_and_stays_as_it_is(void **state)
{
	struct fixture *f = *state;
	char journal[128], text[16] = "";

	(void)snprintf(journal, sizeof(journal), "%s/journal", f->folder);
	FILE *file = fopen(journal, "w+");
	assert_non_null(file);
	assert_true(fputs("SQLite format 3", file) >= 0 && !fflush(file));
	watchdog_set(f->watchdog, journal, 15);
	assert_false(state_of(f).is_open);
	assert_non_null(strstr(state_of(f).why, "No such device"));
	watchdog_end(f->watchdog);
	rewind(file);
	assert_int_equal(fread(text, 1, 15, file), 15);
	assert_string_equal(text, "SQLite format 3");
	assert_int_equal(fclose(file), 0);
	assert_int_equal(unlink(journal), 0);
}

static void another_device_or_none_disarms_the_first(void **state)
{
	struct fixture *f = *state;

	watchdog_set(f->watchdog, f->path, 15);
	turn_until(f, &f->fed, 1);
	/* Another time-out alone does not. */
	watchdog_set(f->watchdog, f->path, 60);
	assert_int_equal(state_of(f).timeout_s, 60);
	take(f);
	assert_int_equal(f->magic, 0);
	watchdog_set(f->watchdog, "", 60);
	take(f);
	assert_int_equal(f->magic, 1);
	assert_false(state_of(f).is_open);
	watchdog_set(f->watchdog, f->path, 60);
	assert_true(state_of(f).is_open);
	turn_until(f, &f->fed, f->fed + 1);
}

/* Nobody takes the bytes: that is told, and over as soon as somebody does. */
static void a_device_that_takes_nothing_is_told(void **state)
{
	struct fixture *f = *state;
	static char filler[1 << 16];
	int full = open(f->path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);

	assert_true(full >= 0);
	watchdog_set(f->watchdog, f->path, 15);
	while (write(full, filler, sizeof(filler)) > 0)
		;
	while (write(full, filler, 1) > 0)
		;
	int64_t end = clock_mono_ms() + PATIENCE_MS;
	while (!*state_of(f).why) {
		assert_true(clock_mono_ms() < end);
		assert_int_equal(loop_step(f->loop, 50), FC_OK);
	}
	assert_non_null(strstr(state_of(f).why, "write: "));
	uint64_t feeds = state_of(f).feeds;
	end = clock_mono_ms() + PATIENCE_MS;
	while (state_of(f).feeds == feeds) {
		assert_true(clock_mono_ms() < end);
		take(f);
		assert_int_equal(loop_step(f->loop, 50), FC_OK);
	}
	assert_string_equal(state_of(f).why, "");
	close(full);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(it_is_fed_and_disarmed, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(what_stands_still_is_not_fed, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(without_an_end_it_stays_armed, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(a_device_that_is_not_there_is_tried_again, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(a_file_is_none_and_stays_as_it_is, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(another_device_or_none_disarms_the_first, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(a_device_that_takes_nothing_is_told, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
