/* script/shelf: scripts are loaded beside the loop, put forward in one step, taken back as they were, and none is lost or freed
 * twice. Runs under the thread sanitizer too. FORECOURT_RELOADS: how often the last test reloads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
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
#include "script/digest.h"
#include "script/script.h"
#include "script/shelf.h"

enum { PATIENCE_MS = 120000, PATH_SIZE = 200 };

/* Objects are scripts as they are. Counted on whatever thread. */
static atomic_int loads, releases;

static void *load_one(const struct script_host *host, const char *name, const char *space, struct error *err)
{
	struct script *script = script_load(host, "policies", name, space, err);

	atomic_fetch_add(&loads, 1);
	if (script && script_run_examples(script, err)) {
		script_free(script);
		return NULL;
	}
	return script;
}

static void release_one(void *script)
{
	atomic_fetch_add(&releases, 1);
	script_free(script);
}

static const char *hash_one(const void *script)
{
	return script_hash(script);
}

static const struct shelf_kind kind = {"policy", "policies", load_one, release_one, hash_one};

struct fixture {
	char root[64];
	struct loop *loop;
	struct script_host host;
	struct shelf *shelf;
	int ready;
	struct error err;
};

static void on_ready(void *user)
{
	struct fixture *f = user;

	f->ready++;
}

static void save(const struct fixture *f, const char *name, const char *text)
{
	char path[PATH_SIZE];

	(void)snprintf(path, sizeof(path), "%s/%s.lua", f->root, name);
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

/* A policy that answers number, by the modules that it names. */
static void save_number(const struct fixture *f, const char *name, int number)
{
	char text[200];

	(void)snprintf(
	    text, sizeof(text),
	    "return { n = function() return { n = %d } end, examples = { { call = 'n', expect = { n = %d } } } }",
	    number, number);
	save(f, name, text);
}

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	char path[PATH_SIZE];

	assert_non_null(f);
	folder_make(f->root, sizeof(f->root), "shelf");
	(void)snprintf(path, sizeof(path), "%s/policies", f->root);
	assert_int_equal(mkdir(path, 0700), 0);
	(void)snprintf(path, sizeof(path), "%s/lib", f->root);
	assert_int_equal(mkdir(path, 0700), 0);
	f->loop = loop_new(&f->err);
	assert_non_null(f->loop);
	f->host.lua_dir = f->root;
	f->shelf = shelf_new(f->loop, &f->host, on_ready, f, &f->err);
	assert_non_null(f->shelf);
	f->host.shelf = f->shelf;
	atomic_store(&loads, 0);
	atomic_store(&releases, 0);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	shelf_free(f->shelf);
	loop_free(f->loop);
	folder_remove(f->root);
	free(f);
	return 0;
}

/* Turns the loop until it is ready; how often that was. */
static int wait_ready(struct fixture *f, int before)
{
	int turns = 0;

	for (int64_t end = clock_mono_ms() + PATIENCE_MS; f->ready == before; turns++) {
		assert_true(clock_mono_ms() < end);
		assert_int_equal(loop_step(f->loop, 5), FC_OK);
	}
	return turns;
}

static const struct shelf_item *want(struct fixture *f, int count, const char *const *names)
{
	struct shelf_want wants[8];
	int before = f->ready;

	for (int i = 0; i < count; i++)
		wants[i] = (struct shelf_want){&kind, names[i], ""};
	assert_int_equal(shelf_want(f->shelf, wants, count), FC_OK);
	assert_int_equal(shelf_want(f->shelf, wants, count), FC_EBUSY);
	wait_ready(f, before);
	return shelf_items(f->shelf, NULL);
}

static int64_t call(struct script *script)
{
	struct arena arena;
	struct value *out;
	struct error err = {0};
	int64_t n = -1;

	arena_init(&arena, 1 << 16);
	assert_int_equal(script_call(script, "n", NULL, NULL, &arena, &out, &err), FC_OK);
	assert_int_equal(value_to_int(value_get(out, "n"), &n), FC_OK);
	arena_fini(&arena);
	return n;
}

/* What the version in force answers; it is given back. */
static int64_t answer_of(struct fixture *f, const char *name)
{
	struct script *script = shelf_take(&f->host, &kind, name, "", &f->err);

	if (!script)
		return -1;
	int64_t n = call(script);
	shelf_return(&f->host, &kind, script);
	return n;
}

static void what_changed_is_loaded(void **state)
{
	struct fixture *f = *state;
	static const char *const names[] = {"plain", "uses", "dynamic"};

	save_number(f, "policies/plain", 1);
	save(f, "policies/uses", "local m = require('m')\nreturn { n = function() return { n = m.n } end }");
	save(f, "policies/dynamic",
	     "local m = require('o' .. 'ther')\nreturn { n = function() return { n = m.n } end }");
	save(f, "lib/m", "return require(\"deep\")");
	save(f, "lib/deep", "return { n = 10 }");
	save(f, "lib/other", "return { n = 20 }");
	assert_int_equal(answer_of(f, "plain"), -1);
	const struct shelf_item *items = want(f, 3, names);
	for (int i = 0; i < 3; i++)
		assert_int_equal(items[i].state, SHELF_LOADED);
	/* Nobody sees them before they are put forward. */
	assert_int_equal(answer_of(f, "plain"), -1);
	assert_int_equal(shelf_put_forward(f->shelf), FC_OK);
	shelf_accept(f->shelf);
	assert_int_equal(answer_of(f, "plain"), 1);
	assert_int_equal(answer_of(f, "uses"), 10);
	assert_int_equal(answer_of(f, "dynamic"), 20);
	assert_int_equal(atomic_load(&loads), 3);
	/* Nothing changed: nothing is loaded. */
	items = want(f, 3, names);
	for (int i = 0; i < 3; i++)
		assert_true(items[i].state == SHELF_SAME && items[i].running && !items[i].again);
	assert_int_equal(atomic_load(&loads), 3);
	/* A module of a module: those that require it, and who might. */
	save(f, "lib/deep", "return { n = 11 }");
	items = want(f, 3, names);
	assert_int_equal(items[0].state, SHELF_SAME);
	assert_int_equal(items[1].state, SHELF_LOADED);
	assert_int_equal(items[2].state, SHELF_LOADED);
	assert_int_equal(atomic_load(&loads), 5);
	assert_int_equal(shelf_put_forward(f->shelf), FC_OK);
	shelf_accept(f->shelf);
	assert_int_equal(answer_of(f, "uses"), 11);
	/* Other limits: tried again. */
	f->host.limits.time_ms = 150;
	items = want(f, 1, names);
	assert_int_equal(items[0].state, SHELF_LOADED);
}

static void a_broken_one_keeps_its_version(void **state)
{
	struct fixture *f = *state;
	static const char *const names[] = {"a", "b"};

	save_number(f, "policies/a", 1);
	save_number(f, "policies/b", 1);
	want(f, 2, names);
	assert_int_equal(shelf_put_forward(f->shelf), FC_OK);
	shelf_accept(f->shelf);
	save(f, "policies/a", "return {\n  n = }");
	save_number(f, "policies/b", 2);
	const struct shelf_item *items = want(f, 2, names);
	assert_true(items[0].state == SHELF_FAILED && items[0].running && !items[0].again);
	assert_non_null(strstr(items[0].error, "a.lua:2:"));
	assert_int_equal(items[1].state, SHELF_LOADED);
	assert_int_equal(shelf_put_forward(f->shelf), FC_OK);
	shelf_accept(f->shelf);
	assert_int_equal(answer_of(f, "a"), 1);
	assert_int_equal(answer_of(f, "b"), 2);
	/* The same once more is known. */
	items = want(f, 2, names);
	assert_true(items[0].state == SHELF_FAILED && items[0].again);
	assert_int_equal(items[1].state, SHELF_SAME);
	/* An example that is not kept; refused by who wanted it; gone; back as it was. */
	save(f, "policies/a", "return { n = function() return 1 end, examples = { { call = 'n', expect = 2 } } }");
	items = want(f, 2, names);
	assert_true(items[0].state == SHELF_FAILED && !items[0].again);
	assert_non_null(strstr(items[0].error, "examples[1]"));
	save_number(f, "policies/a", 3);
	items = want(f, 2, names);
	assert_int_equal(items[0].state, SHELF_LOADED);
	shelf_refuse(f->shelf, 0, &(struct error){FC_EINVAL, "does not fit"});
	assert_int_equal(shelf_put_forward(f->shelf), FC_OK);
	shelf_accept(f->shelf);
	assert_int_equal(answer_of(f, "a"), 1);
	char path[PATH_SIZE];
	(void)snprintf(path, sizeof(path), "%s/policies/a.lua", f->root);
	assert_int_equal(unlink(path), 0);
	items = want(f, 2, names);
	assert_true(items[0].state == SHELF_FAILED && strstr(items[0].error, "a.lua"));
	save_number(f, "policies/a", 1);
	items = want(f, 2, names);
	assert_true(items[0].state == SHELF_SAME && items[0].again);
	assert_int_equal(answer_of(f, "a"), 1);
}

static void forward_and_back(void **state)
{
	struct fixture *f = *state;
	static const char *const names[] = {"a", "b"};

	save_number(f, "policies/a", 1);
	want(f, 1, names);
	assert_int_equal(shelf_put_forward(f->shelf), FC_OK);
	shelf_accept(f->shelf);
	struct script *held = shelf_take(&f->host, &kind, "a", "", &f->err);
	assert_non_null(held);
	save_number(f, "policies/a", 2);
	save_number(f, "policies/b", 2);
	want(f, 2, names);
	assert_int_equal(shelf_put_forward(f->shelf), FC_OK);
	assert_int_equal(answer_of(f, "a"), 2);
	assert_int_equal(answer_of(f, "b"), 2);
	shelf_withdraw(f->shelf);
	assert_int_equal(answer_of(f, "a"), 1);
	assert_int_equal(answer_of(f, "b"), -1);
	/* It was not taken, so it is new again. */
	const struct shelf_item *items = want(f, 2, names);
	assert_int_equal(items[0].state, SHELF_LOADED);
	assert_int_equal(shelf_put_forward(f->shelf), FC_OK);
	shelf_accept(f->shelf);
	assert_int_equal(answer_of(f, "a"), 2);
	/* Who holds the old one may still call it. */
	assert_int_equal(call(held), 1);
	assert_int_equal(shelf_version_count(f->shelf), 3);
	shelf_return(&f->host, &kind, held);
	assert_int_equal(shelf_version_count(f->shelf), 2);
	/* What nobody wants any more goes. */
	want(f, 1, names);
	shelf_accept(f->shelf);
	assert_int_equal(shelf_version_count(f->shelf), 1);
	assert_int_equal(answer_of(f, "b"), -1);
	/* What was loaded and never put forward is dropped. */
	save_number(f, "policies/a", 3);
	want(f, 1, names);
	want(f, 1, names);
	assert_int_equal(answer_of(f, "a"), 2);
	shelf_free(f->shelf);
	f->shelf = f->host.shelf = NULL;
	assert_int_equal(atomic_load(&loads), atomic_load(&releases));
}

/* A script that never ends is ended by its limits; the loop goes on meanwhile, and so does whoever ends the gateway then. */
static void a_slow_one_holds_up_nobody(void **state)
{
	struct fixture *f = *state;
	const struct shelf_want wants[] = {{&kind, "slow", ""}};

	f->host.limits = (struct script_limits){.instructions = 200000000, .time_ms = 100};
	save(f, "policies/slow", "while true do end");
	assert_int_equal(shelf_want(f->shelf, wants, 1), FC_OK);
	int turns = wait_ready(f, f->ready);
	assert_true(turns > 20);
	const struct shelf_item *items = shelf_items(f->shelf, NULL);
	assert_int_equal(items[0].state, SHELF_FAILED);
	assert_non_null(strstr(items[0].error, "too long"));
	assert_int_equal(shelf_want(f->shelf, wants, 1), FC_OK);
}

static void without_a_shelf_it_is_loaded_here(void **state)
{
	struct fixture *f = *state;
	const struct script_host host = {.lua_dir = f->root};

	save_number(f, "policies/a", 7);
	struct script *script = shelf_take(&host, &kind, "a", "", &f->err);
	assert_non_null(script);
	assert_int_equal(call(script), 7);
	shelf_return(&host, &kind, script);
	assert_int_equal(atomic_load(&releases), 1);
	assert_null(shelf_take(&host, &kind, "none", "", &f->err));
	assert_non_null(strstr(f->err.text, "none.lua"));
}

static void digests(void **state)
{
	struct fixture *f = *state;
	struct digest a, b;

	save(f, "policies/a", "-- requires nothing\nlocal required = 1\nreturn {}");
	assert_int_equal(digest_script(f->root, "policies", "a", &a), FC_OK);
	save(f, "lib/m", "return 1");
	assert_int_equal(digest_script(f->root, "policies", "a", &b), FC_OK);
	assert_memory_equal(&a, &b, sizeof(a));
	/* A module that is not there yet counts when it comes; one that requires itself ends. */
	save(f, "policies/a", "return require 'n'");
	assert_int_equal(digest_script(f->root, "policies", "a", &a), FC_OK);
	save(f, "lib/n", "return require(\"n\")");
	assert_int_equal(digest_script(f->root, "policies", "a", &b), FC_OK);
	assert_memory_not_equal(&a, &b, sizeof(a));
	/* Nothing hides behind a zero byte. */
	char path[PATH_SIZE];
	(void)snprintf(path, sizeof(path), "%s/policies/a.lua", f->root);
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	assert_int_equal(fwrite("--\0\nreturn require('m')", 1, 23, file), 23);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(digest_script(f->root, "policies", "a", &a), FC_OK);
	save(f, "lib/m", "return 2");
	assert_int_equal(digest_script(f->root, "policies", "a", &b), FC_OK);
	assert_memory_not_equal(&a, &b, sizeof(a));
	assert_int_equal(digest_script(f->root, "policies", "absent", &b), FC_OK);
	assert_memory_not_equal(&a, &b, sizeof(a));
}

static int even(void *user, const void *object, struct error *err)
{
	(void)user;
	struct error why = {0};
	struct script *script = (struct script *)(uintptr_t)object;
	struct value *out;
	struct arena arena;
	int64_t n = 1;

	arena_init(&arena, 1 << 16);
	if (!script_call(script, "n", NULL, NULL, &arena, &out, &why))
		(void)value_to_int(value_get(out, "n"), &n);
	arena_fini(&arena);
	return n % 2 ? error_set(err, FC_EINVAL, "it is odd") : FC_OK;
}

/* At a start: texts in place of a broken file, and of its module; then the file is good again, as it was or otherwise. */
static void texts_instead(void **state)
{
	struct fixture *f = *state;
	const struct shelf_want wants[] = {{&kind, "a", ""}, {&kind, "b", ""}};
	static const char text[] = "return { n = function() return { n = require('m') } end }";
	char path[PATH_SIZE], module[PATH_SIZE], broken[ERROR_TEXT_MAX];
	int count;

	(void)snprintf(path, sizeof(path), "%s/policies/a.lua", f->root);
	(void)snprintf(module, sizeof(module), "%s/lib/m.lua", f->root);
	const struct script_instead odd[] = {{path, text, strlen(text)}, {module, "return 41", 9}, {0}};
	const struct script_instead good[] = {{path, text, strlen(text)}, {module, "return 42", 9}, {0}};
	const struct script_instead bad[] = {{path, "return", 6}, {0}};
	save(f, "policies/a", "return {");
	assert_int_equal(shelf_load(f->shelf, wants, 2), FC_OK);
	const struct shelf_item *item = shelf_items(f->shelf, &count);
	assert_int_equal(item->state, SHELF_FAILED);
	(void)snprintf(broken, sizeof(broken), "%s", item->error);
	assert_int_equal(shelf_load_instead(f->shelf, 0, bad, even, NULL, &f->err), FC_ESCRIPT);
	assert_int_equal(shelf_load_instead(f->shelf, 0, odd, even, NULL, &f->err), FC_EINVAL);
	assert_string_equal(f->err.text, "it is odd");
	assert_int_equal(item->state, SHELF_FAILED);
	assert_int_equal(shelf_load_instead(f->shelf, 0, good, even, NULL, &f->err), FC_OK);
	assert_int_equal(item->state, SHELF_LOADED);
	assert_string_equal(item->error, broken);
	assert_int_equal(strlen(item->hash), 64);
	assert_false(shelf_lacks(&f->host, &kind, "b", ""));
	shelf_do_without(f->shelf, 1);
	assert_int_equal(shelf_put_forward(f->shelf), FC_OK);
	shelf_accept(f->shelf);
	assert_true(shelf_lacks(&f->host, &kind, "b", ""));
	assert_false(shelf_lacks(&f->host, &kind, "a", ""));
	assert_false(shelf_lacks(&f->host, &kind, "c", ""));
	assert_int_equal(shelf_refused_count(f->shelf), 2);
	assert_int_equal(answer_of(f, "a"), 42);
	/* The broken file is no content of the version in force. */
	item = want(f, 2, (const char *const[]){"a", "b"});
	assert_int_equal(item->state, SHELF_FAILED);
	assert_true(item->again && item->running && !item[1].running && item[1].lacking);
	/* The good one is. */
	save(f, "policies/a", text);
	save(f, "lib/m", "return 42");
	save_number(f, "policies/b", 7);
	item = want(f, 2, (const char *const[]){"a", "b"});
	assert_int_equal(item->state, SHELF_SAME);
	assert_true(item->again && item[1].state == SHELF_LOADED && item[1].lacking);
	assert_int_equal(shelf_put_forward(f->shelf), FC_OK);
	assert_false(shelf_lacks(&f->host, &kind, "b", ""));
	shelf_withdraw(f->shelf);
	assert_true(shelf_lacks(&f->host, &kind, "b", ""));
	item = want(f, 2, (const char *const[]){"a", "b"});
	assert_int_equal(shelf_put_forward(f->shelf), FC_OK);
	shelf_accept(f->shelf);
	assert_false(shelf_lacks(&f->host, &kind, "b", ""));
	assert_int_equal(shelf_refused_count(f->shelf), 0);
	assert_int_equal(answer_of(f, "b"), 7);
}

/* All that Lua allows to nest fits the thread's stack. */
static void the_deepest_nesting(void **state)
{
	struct fixture *f = *state;

	save(f, "policies/a", "local function g(s) return (s:gsub('.', g)) end\nreturn { g('x') }");
	const struct shelf_item *item = want(f, 1, (const char *const[]){"a"});
	assert_int_equal(item->state, SHELF_FAILED);
	assert_non_null(strstr(item->error, "C stack overflow"));
}

struct work {
	int steps, done, finished; /* steps left */
	atomic_int *order;
	int place;
};

static int step(void *user)
{
	struct work *work = user;

	return --work->steps > 0;
}

static int endless(void *user)
{
	((struct work *)user)->steps++;
	return 1;
}

static void on_done(void *user, int finished)
{
	struct work *work = user;

	work->done++;
	work->finished = finished;
	work->place = atomic_fetch_add(work->order, 1);
}

/* Other work goes the same way: in its order, told once, ended with the shelf. */
static void other_work(void **state)
{
	struct fixture *f = *state;
	atomic_int order = 0;
	struct work works[] = {{.steps = 5, .order = &order}, {.steps = 1, .order = &order}};
	struct work last = {.order = &order}, never = {.steps = 1, .order = &order};

	for (int i = 0; i < 2; i++)
		assert_int_equal(shelf_run(f->shelf, step, on_done, &works[i]), FC_OK);
	assert_int_equal(works[0].done, 0);
	for (int64_t end = clock_mono_ms() + PATIENCE_MS; !works[1].done; assert_true(clock_mono_ms() < end))
		assert_int_equal(loop_step(f->loop, 5), FC_OK);
	for (int i = 0; i < 2; i++)
		assert_true(works[i].done == 1 && works[i].finished && !works[i].steps && works[i].place == i);
	assert_int_equal(shelf_run(f->shelf, endless, on_done, &last), FC_OK);
	assert_int_equal(shelf_run(f->shelf, step, on_done, &never), FC_OK);
	shelf_free(f->shelf);
	f->shelf = f->host.shelf = NULL;
	assert_true(last.done == 1 && !last.finished);
	assert_true(never.done == 1 && !never.finished && never.steps == 1);
}

/* The version in force is called while the next one is loaded and old ones are freed. */
static void reloads_under_load(void **state)
{
	struct fixture *f = *state;
	const char *wish = getenv("FORECOURT_RELOADS");
	int rounds = wish ? atoi(wish) : 200;
	static const char *const names[] = {"a", "b", "c"};
	struct shelf_want wants[3];

	for (int i = 0; i < 3; i++)
		wants[i] = (struct shelf_want){&kind, names[i], ""};
	for (int round = 0; round < rounds; round++) {
		char name[20];
		int before = f->ready;

		/* One of them is broken each time. */
		for (int i = 0; i < 3; i++) {
			(void)snprintf(name, sizeof(name), "policies/%s", names[i]);
			if (round % 3 == i && round)
				save(f, name, "return {\n\n!");
			else
				save_number(f, name, round);
		}
		assert_int_equal(shelf_want(f->shelf, wants, 3), FC_OK);
		while (f->ready == before) {
			if (round)
				for (int i = 0; i < 3; i++)
					assert_true(answer_of(f, names[i]) >= round - 5);
			assert_int_equal(loop_step(f->loop, 1), FC_OK);
		}
		assert_int_equal(shelf_put_forward(f->shelf), FC_OK);
		if (round % 7 == 6)
			shelf_withdraw(f->shelf);
		else
			shelf_accept(f->shelf);
		assert_true(shelf_version_count(f->shelf) <= 3);
		if (round % 7 == 6)
			continue;
		for (int i = 0; i < 3; i++)
			if (round % 3 != i || !round)
				assert_int_equal(answer_of(f, names[i]), round);
	}
	shelf_free(f->shelf);
	f->shelf = f->host.shelf = NULL;
	/* Broken ones are loads too, and nothing to release. */
	assert_true(atomic_load(&releases) < atomic_load(&loads));
	assert_true(atomic_load(&releases) >= 2 * rounds);
}

#define T(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    T(what_changed_is_loaded),
	    T(a_broken_one_keeps_its_version),
	    T(forward_and_back),
	    T(a_slow_one_holds_up_nobody),
	    T(without_a_shelf_it_is_loaded_here),
	    T(digests),
	    T(the_deepest_nesting),
	    T(texts_instead),
	    T(other_work),
	    T(reloads_under_load),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
