/* main/reload: who asks is told what came of it, once; what fails leaves everything as it was. The rooms are played by the
 * test, which takes policies from the shelf as they do. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

/* The daemon's files are in no library. */
#include "folder.h"
#include "main/reload.c"

enum { PATIENCE_MS = 120000, STATIONS = 3, PATH_SIZE = 200 };

static const char *const names[STATIONS] = {"a", "b", "c"};

/* What a caller was told. */
struct told {
	int count, code, items, taken, kept;
	char origin[ORIGIN_SIZE], error[ERROR_TEXT_MAX], item_error[ERROR_TEXT_MAX];
	enum reload_outcome outcome[STATIONS];
	char hash[STATIONS][13];
};

struct fixture {
	char root[64];
	struct loop *loop;
	struct script_host host;
	struct reload *reload;
	struct config *running;
	struct policy *held[STATIONS];
	const char *third; /* policy of the third station on the disk; NULL: the configuration is bad */
	int reads, applies, swaps, adopted, accepted;
	int fail_apply, fail_swap; /* so many more times */
	char origin[ORIGIN_SIZE];
	struct error err;
};

static struct config *make_config(const char *third)
{
	struct config *config = calloc(1, sizeof(*config));

	assert_non_null(config);
	arena_init(&config->arena, 1 << 16);
	config->stations = arena_alloc(&config->arena, STATIONS * sizeof(*config->stations));
	assert_non_null(config->stations);
	config->station_count = STATIONS;
	for (int i = 0; i < STATIONS; i++)
		config->stations[i].policy = i == 2 ? third : names[i];
	return config;
}

static const struct config *running(void *user)
{
	return ((struct fixture *)user)->running;
}

static struct config *read_config(void *user, int *touched, struct error *err)
{
	struct fixture *f = user;

	f->reads++;
	if (!f->third) {
		(void)error_set(err, FC_EINVAL, "config:1: nonsense");
		return NULL;
	}
	*touched = strcmp(f->third, f->running->stations[2].policy) != 0;
	return make_config(f->third);
}

static int take(struct fixture *f, const struct config *config, struct error *err)
{
	struct policy *next[STATIONS] = {0};
	int result = FC_OK;

	for (int i = 0; i < STATIONS && !result; i++) {
		next[i] = shelf_take(&f->host, &policy_kind, config->stations[i].policy, "", err);
		result = next[i] ? FC_OK : FC_ESCRIPT;
	}
	for (int i = 0; i < STATIONS; i++) {
		struct policy *old = result ? next[i] : f->held[i];

		if (!result)
			f->held[i] = next[i];
		shelf_return(&f->host, &policy_kind, old);
	}
	return result;
}

/* A room below has taken it when one above refuses. */
static int apply_config(void *user, const struct config *config, struct error *err)
{
	struct fixture *f = user;
	int result = take(f, config, err);

	f->applies++;
	if (!result && f->fail_apply-- > 0)
		return error_set(err, FC_EIO, "the port is taken");
	return result;
}

static int swap(void *user, struct error *err)
{
	struct fixture *f = user;
	int result = take(f, f->running, err);

	f->swaps++;
	if (!result && f->fail_swap-- > 0)
		return error_set(err, FC_ENOMEM, "no memory for it");
	return result;
}

static void adopt(void *user, struct config *config, int touched)
{
	struct fixture *f = user;

	(void)touched;
	config_free(f->running);
	f->running = config;
	f->adopted++;
}

static void accepted(void *user, const char *origin)
{
	struct fixture *f = user;

	f->accepted++;
	(void)snprintf(f->origin, sizeof(f->origin), "%s", origin);
}

static void save_text(const struct fixture *f, const char *name, const char *text)
{
	char path[PATH_SIZE];

	(void)snprintf(path, sizeof(path), "%s/policies/%s.lua", f->root, name);
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static void save(const struct fixture *f, const char *name, int cents)
{
	char text[200];

	(void)snprintf(text, sizeof(text),
		       "return { forecourt = 1, kind = 'policy', name = '%s',\n"
		       " prices = { { start = '00:00', elec = 0.%02d, service = 0.4 } } }",
		       name, cents);
	save_text(f, name, text);
}

/* Takes so long to load that the loop has a turn meanwhile. */
static void save_slow(const struct fixture *f, const char *name)
{
	char text[200];

	(void)snprintf(text, sizeof(text),
		       "for i = 1, 4000000 do end\n"
		       "return { forecourt = 1, kind = 'policy', name = '%s',\n"
		       " prices = { { start = '00:00', elec = 0.25, service = 0.4 } } }",
		       name);
	save_text(f, name, text);
}

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	char path[PATH_SIZE];
	const struct reload_hooks hooks = {f, running, read_config, apply_config, adopt, swap, NULL, accepted};

	assert_non_null(f);
	folder_make(f->root, sizeof(f->root), "reload");
	(void)snprintf(path, sizeof(path), "%s/policies", f->root);
	assert_int_equal(mkdir(path, 0700), 0);
	for (int i = 0; i < STATIONS; i++)
		save(f, names[i], 10);
	f->loop = loop_new(&f->err);
	assert_non_null(f->loop);
	f->host.lua_dir = f->root;
	f->third = "c";
	f->running = make_config("c");
	f->reload = reload_new(f->loop, &f->host, &hooks, &f->err);
	assert_non_null(f->reload);
	assert_int_equal(reload_first(f->reload, f->running, &f->err), FC_OK);
	assert_int_equal(take(f, f->running, &f->err), FC_OK);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < STATIONS; i++)
		shelf_return(&f->host, &policy_kind, f->held[i]);
	reload_free(f->reload);
	loop_free(f->loop);
	config_free(f->running);
	folder_remove(f->root);
	free(f);
	return 0;
}

static void on_done(void *user, const struct reload_result *result)
{
	struct told *told = user;

	told->count++;
	told->code = result->code;
	told->items = result->count;
	told->taken = result->taken;
	told->kept = result->kept;
	(void)snprintf(told->origin, sizeof(told->origin), "%s", result->origin);
	(void)snprintf(told->error, sizeof(told->error), "%s", result->error);
	for (int i = 0; i < result->count && i < STATIONS; i++) {
		assert_string_equal(result->items[i].kind, "policy");
		assert_string_equal(result->items[i].folder, "policies");
		told->outcome[i] = result->items[i].outcome;
		(void)snprintf(told->hash[i], sizeof(told->hash[i]), "%.12s", result->items[i].hash);
		if (*result->items[i].error)
			(void)snprintf(told->item_error, sizeof(told->item_error), "%s", result->items[i].error);
	}
}

static void wait_told(struct fixture *f, const struct told *told)
{
	for (int64_t end = clock_mono_ms() + PATIENCE_MS; !told->count;) {
		assert_true(clock_mono_ms() < end);
		assert_int_equal(loop_step(f->loop, 10), FC_OK);
	}
}

static struct told ask(struct fixture *f, int with_config, const char *origin)
{
	struct told told = {0};

	assert_non_null(reload_request(f->reload, with_config, origin, on_done, &told));
	assert_int_equal(told.count, 0);
	wait_told(f, &told);
	assert_int_equal(told.count, 1);
	return told;
}

static void every_script_has_its_outcome(void **state)
{
	struct fixture *f = *state;
	struct policy *const before[] = {f->held[0], f->held[1], f->held[2]};
	char hash[65];

	(void)snprintf(hash, sizeof(hash), "%s", policy_hash(f->held[1]));
	save(f, "a", 20);
	save_text(f, "b", "return {\n\n x = }");
	struct told told = ask(f, 0, "command");
	assert_int_equal(told.code, FC_OK);
	assert_string_equal(told.origin, "command");
	assert_int_equal(told.items, 3);
	assert_true(told.outcome[0] == RELOAD_TAKEN && told.outcome[1] == RELOAD_KEPT &&
		    told.outcome[2] == RELOAD_SAME);
	assert_true(told.taken == 1 && told.kept == 1);
	assert_non_null(strstr(told.item_error, "policies/b.lua:3:"));
	/* The hash is that of what is in force. */
	assert_memory_equal(told.hash[0], policy_hash(f->held[0]), 12);
	assert_memory_equal(told.hash[1], hash, 12);
	assert_ptr_not_equal(f->held[0], before[0]);
	assert_ptr_equal(f->held[1], before[1]);
	assert_ptr_equal(f->held[2], before[2]);
	assert_true(f->accepted == 1 && f->swaps == 1 && !f->applies && !f->reads);
	/* Nothing new: nobody is disturbed. */
	told = ask(f, 0, "command");
	assert_true(!told.code && !told.taken && told.kept == 1);
	assert_true(f->accepted == 1 && f->swaps == 1);
}

/* Whoever asks while one is under way is served by one more; who has left is not told. */
static void requests_are_gathered(void **state)
{
	struct fixture *f = *state;
	struct told first = {0}, second = {0}, third = {0}, gone = {0};
	struct reload_figures figures;

	save_slow(f, "a");
	assert_non_null(reload_request(f->reload, 0, "file", on_done, &first));
	while (!f->reload->served) {
		assert_int_equal(first.count, 0);
		assert_int_equal(loop_step(f->loop, 1), FC_OK);
	}
	save(f, "b", 20);
	assert_non_null(reload_request(f->reload, 0, "file", on_done, &second));
	assert_non_null(reload_request(f->reload, 0, "command", on_done, &third));
	struct reload_call *leaver = reload_request(f->reload, 0, "file", on_done, &gone);
	reload_forget(leaver);
	wait_told(f, &third);
	assert_true(first.count == 1 && second.count == 1 && third.count == 1 && !gone.count);
	assert_string_equal(second.origin, "file, command");
	reload_get_figures(f->reload, &figures);
	assert_int_equal(figures.reloads, 2);
	assert_int_equal(figures.taken, 2);
}

static void a_configuration_that_is_refused(void **state)
{
	struct fixture *f = *state;
	struct told told, scripts = {0};

	/* Bad by itself: who asked for scripts only gets them. */
	f->third = NULL;
	save(f, "a", 20);
	told = ask(f, 1, "signal");
	assert_int_equal(told.code, FC_EINVAL);
	assert_string_equal(told.error, "config:1: nonsense");
	assert_true(!told.items && !f->swaps && !f->accepted);
	struct told both = {0};
	assert_non_null(reload_request(f->reload, 1, "signal", on_done, &both));
	assert_non_null(reload_request(f->reload, 0, "file", on_done, &scripts));
	wait_told(f, &scripts);
	assert_true(both.count == 1 && both.code == FC_EINVAL && !scripts.code && scripts.taken == 1);
	/* A script that it needs is broken: the good ones stay out too. */
	struct policy *const before[] = {f->held[0], f->held[1], f->held[2]};
	f->third = "d";
	save(f, "b", 30);
	save_text(f, "d", "return 1");
	told = ask(f, 1, "signal");
	assert_true(told.code == FC_EINVAL && strstr(told.error, "d.lua"));
	assert_memory_equal(before, f->held, sizeof(before));
	/* A room refuses: those that took it are brought back, by the scripts that were in force. */
	save(f, "d", 30);
	f->fail_apply = 1;
	told = ask(f, 1, "signal");
	assert_true(told.code == FC_EIO && !strcmp(told.error, "the port is taken") && !told.taken);
	assert_memory_equal(before, f->held, sizeof(before));
	assert_int_equal(f->applies, 2);
	assert_int_equal(shelf_version_count(f->host.shelf), 3);
	assert_int_equal(f->adopted, 0);
	/* At last. */
	told = ask(f, 1, "signal");
	assert_true(!told.code && told.taken == 2 && f->adopted == 1);
	assert_string_equal(policy_name(f->held[2]), "d");
	assert_int_equal(shelf_version_count(f->host.shelf), 3);
}

/* With the configuration as it runs, a broken script holds up nobody. */
static void the_same_configuration_again(void **state)
{
	struct fixture *f = *state;

	save_text(f, "a", "return 1");
	save(f, "b", 20);
	struct told told = ask(f, 1, "signal");
	assert_true(!told.code && told.taken == 1 && told.kept == 1 && !f->applies);
	save(f, "a", 20);
	told = ask(f, 1, "signal");
	assert_true(!told.code && told.taken == 1 && f->applies == 1 && f->adopted == 1);
}

static void a_swap_that_fails(void **state)
{
	struct fixture *f = *state;
	struct policy *before = f->held[0];

	save(f, "a", 20);
	f->fail_swap = 1;
	struct told told = ask(f, 0, "command");
	assert_true(told.code == FC_ENOMEM && !strcmp(told.error, "no memory for it"));
	assert_true(told.outcome[0] == RELOAD_KEPT && !f->accepted);
	assert_ptr_equal(f->held[0], before);
	told = ask(f, 0, "command");
	assert_true(!told.code && told.taken == 1 && f->held[0] != before);
}

/* The end comes while something is loaded, and somebody waits. */
static void an_end_in_the_middle(void **state)
{
	struct fixture *f = *state;
	struct told told = {0};

	save_text(f, "a", "while true do end");
	save(f, "b", 20);
	assert_non_null(reload_request(f->reload, 1, "signal", on_done, &told));
	while (!f->reload->served)
		assert_int_equal(loop_step(f->loop, 10), FC_OK);
	assert_non_null(reload_request(f->reload, 0, "file", on_done, &told));
}

#define T(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    T(every_script_has_its_outcome), T(requests_are_gathered), T(a_configuration_that_is_refused),
	    T(the_same_configuration_again), T(a_swap_that_fails),     T(an_end_in_the_middle),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
