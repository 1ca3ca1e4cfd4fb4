/* script/: the corpus of hostile and broken scripts, tests/unit/hostile: each fails with the error that its head names, within its
 * memory, leaves its state usable and another script unharmed. */
#include <dirent.h>
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
#include "cpu_time.h"
#include "folder.h"
#include "script/script.h"

static const char corpus[] = "tests/unit/hostile";

/* The limit of steps is what ends them: a slow machine must not fail here. */
enum { MEMORY = 1 << 20, STEPS = 300000, TIME_MS = 60000, CORPUS_LEAST = 60 };

/* Where a single step takes long. */
enum { SHORT_TIME_MS = 100 };
static const struct script_host short_of_time = {
    .lua_dir = corpus, .limits = {.memory = MEMORY, .instructions = STEPS, .time_ms = SHORT_TIME_MS}};
static const struct script_host host = {.lua_dir = corpus,
					.limits = {.memory = MEMORY, .instructions = STEPS, .time_ms = TIME_MS}};

struct head {
	char fails[300], expect[300];
};

/* "-- fails: at call, limit" and "-- expect: :7: text": the first three lines. */
static void read_head(const char *path, struct head *head)
{
	FILE *file = fopen(path, "r");
	char line[300];

	assert_non_null(file);
	*head = (struct head){0};
	for (int i = 0; i < 3 && fgets(line, sizeof(line), file); i++) {
		line[strcspn(line, "\n")] = '\0';
		if (!strncmp(line, "-- fails: at ", 13))
			(void)snprintf(head->fails, sizeof(head->fails), "%s", line + 13);
		if (!strncmp(line, "-- expect: ", 11))
			(void)snprintf(head->expect, sizeof(head->expect), "%s", line + 11);
	}
	(void)fclose(file);
	if (!*head->fails || !*head->expect)
		fail_msg("%s: has no head", path);
}

static void must_be_clean(const char *path, const char *text)
{
	for (const char *c = text; *c; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			fail_msg("%s: a control character in \"%s\"", path, text);
}

/* Another script of the same program. */
static void bystander_works(struct script *bystander)
{
	struct arena arena;
	struct error err = {0};
	struct value *out = NULL;

	arena_init(&arena, 65536);
	assert_int_equal(script_call(bystander, "f", value_int(&arena, 20), NULL, &arena, &out, &err), FC_OK);
	assert_int_equal(out->i, 41);
	arena_fini(&arena);
}

static int run_file(const char *name, struct script *bystander, int64_t *us)
{
	char path[300], short_name[300];
	struct error err = {0};
	struct arena arena;
	struct value *out = NULL;
	struct head head;
	int code;

	(void)snprintf(path, sizeof(path), "%s/%s", corpus, name);
	(void)snprintf(short_name, sizeof(short_name), "/%s", name);
	read_head(path, &head);
	int at_load = !strncmp(head.fails, "load", 4), is_limit = strstr(head.fails, "limit") != NULL;
	arena_init(&arena, 1 << 20);
	int64_t begin = clock_mono_us();
	struct script *script = script_load_file(strstr(head.fails, "time") ? &short_of_time : &host, path, NULL, &err);
	if (at_load) {
		if (script)
			fail_msg("%s: was loaded", path);
		code = err.code;
	} else {
		if (!script)
			fail_msg("%s: was not loaded: %s", path, err.text);
		struct value *in = value_object(&arena);

		assert_int_equal(value_put(&arena, in, "a", value_int(&arena, 1)), FC_OK);
		code = script_call(script, "f", in, NULL, &arena, &out, &err);
	}
	*us = clock_mono_us() - begin;
	must_be_clean(path, err.text);
	int wrong = code != (is_limit ? FC_ELIMIT : FC_ESCRIPT) || !strstr(err.text, head.expect) ||
		    !strstr(err.text, short_name);
	if (wrong)
		print_message("MISMATCH %s: code %d: %s\n", name, code, err.text);
	if (script) {
		struct error again = {0};
		struct arena fresh;

		arena_init(&fresh, 1 << 20);
		assert_in_range(script_memory(script), 1, MEMORY);
		if (script_call(script, "ok", value_int(&fresh, 7), NULL, &fresh, &out, &again))
			fail_msg("%s: the state is of no use afterwards: %s", path, again.text);
		assert_int_equal(out->i, 7);
		/* The second time as the first. */
		if (script_call(script, "f", NULL, NULL, &fresh, &out, &again) != code)
			fail_msg("%s: and then: %s", path, again.text);
		arena_fini(&fresh);
	}
	script_free(script);
	arena_fini(&arena);
	bystander_works(bystander);
	return wrong;
}

static int is_lua(const struct dirent *entry)
{
	const char *dot = strrchr(entry->d_name, '.');

	return dot && !strcmp(dot, ".lua");
}

static struct script *load_with(const struct script_host *with, const char *folder, const char *text, size_t len,
				struct error *err)
{
	char path[200];

	(void)snprintf(path, sizeof(path), "%s/x.lua", folder);
	FILE *file = fopen(path, "wb");
	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, len, file), len);
	assert_int_equal(fclose(file), 0);
	struct script *script = script_load_file(with, path, NULL, err);
	assert_int_equal(unlink(path), 0);
	return script;
}

static struct script *load_text(const char *folder, const char *text, size_t len, struct error *err)
{
	return load_with(&host, folder, text, len, err);
}

static void every_file_fails_as_it_says(void **state)
{
	static const char good[] = "local n = 0\nreturn { f = function(v) n = n + 1 return 2 * v + #('x') end }";
	char folder[64];
	struct dirent **files;
	struct error err = {0};
	int64_t slowest = 0, total = 0;
	const char *slowest_name = "";
	int wrong = 0;

	(void)state;
	folder_make(folder, sizeof(folder), "hostile");
	struct script *bystander = load_text(folder, good, sizeof(good) - 1, &err);
	assert_non_null(bystander);
	int n = scandir(corpus, &files, is_lua, alphasort);
	if (n < CORPUS_LEAST)
		fail_msg("%s: %d files: run this from the project's folder", corpus, n);
	for (int i = 0; i < n; i++) {
		int64_t us;

		wrong += run_file(files[i]->d_name, bystander, &us);
		total += us;
		if (us > 300000)
			print_message("%s: %lld ms\n", files[i]->d_name, (long long)us / 1000);
		if (us > slowest) {
			slowest = us;
			slowest_name = files[i]->d_name;
		}
	}
	print_message("%d files in %lld ms; the slowest was %s with %lld ms\n", n, (long long)total / 1000,
		      slowest_name, (long long)slowest / 1000);
	for (int i = 0; i < n; i++)
		free(files[i]);
	free(files);
	script_free(bystander);
	assert_int_equal(rmdir(folder), 0);
	assert_int_equal(wrong, 0);
}

/* What is too large, or no text, and so not in the corpus as a file. */
static void files_that_are_made_here(void **state)
{
	enum { LARGE = 600 * 1024, LABELS = 30000 };
	static const struct script_host roomy = {.lua_dir = corpus,
						 .limits = {.memory = 16 << 20, .instructions = STEPS, .time_ms = 5}};
	char folder[64], path[200];
	struct error err = {0};
	char *text = malloc(LARGE + 32);
	size_t n = 0;

	(void)state;
	assert_non_null(text);
	folder_make(folder, sizeof(folder), "hostile");
	assert_null(load_text(folder, "\033Lua\124\000\031\223\r\n\032\n\004\010\010", 15, &err));
	assert_int_equal(err.code, FC_ESCRIPT);
	assert_non_null(strstr(err.text, "attempt to load a binary chunk"));
	must_be_clean("bytecode", err.text);
	assert_null(load_text(folder, "", 0, &err));
	assert_non_null(strstr(err.text, "must return a table, not a nil"));
	assert_null(load_text(folder, "return {}\0 evil", 15, &err));
	assert_non_null(strstr(err.text, "x.lua:1:"));
	assert_null(load_text(folder, "\xef\xbb\xbf\x1b[31m = 1", 12, &err));
	must_be_clean("escape", err.text);
	memset(text, ' ', LARGE);
	assert_null(load_text(folder, text, LARGE, &err));
	assert_int_equal(err.code, FC_ELIMIT);
	assert_non_null(strstr(err.text, "larger than 512 KiB"));
	/* The compiler compares each label with all before it; it runs no hook. */
	for (int i = 0; i < LABELS; i++)
		n += (size_t)snprintf(text + n, LARGE - n, "::l%x:: x = 1\n", (unsigned int)i);
	int64_t begin = clock_mono_us();
	assert_null(load_with(&roomy, folder, text, n, &err));
	print_message("%d labels: %lld ms: %s\n", LABELS, (long long)(clock_mono_us() - begin) / 1000, err.text);
	assert_int_equal(err.code, FC_ELIMIT);
	assert_non_null(strstr(err.text, "took too long"));
	/* Whatever has the name of a script and is none. */
	(void)snprintf(path, sizeof(path), "%s/p.lua", folder);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_null(script_load_file(&host, path, NULL, &err));
	assert_non_null(strstr(err.text, "p.lua: is not a file"));
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink("/dev/zero", path), 0);
	assert_null(script_load_file(&host, path, NULL, &err));
	assert_non_null(strstr(err.text, "p.lua: is not a file"));
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_null(script_load_file(&host, path, NULL, &err));
	assert_non_null(strstr(err.text, "p.lua: is not a file"));
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(symlink("p.lua", path), 0);
	assert_null(script_load_file(&host, path, NULL, &err));
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(folder), 0);
	free(text);
}

/* The other limit: steps enough, but not the time. */
static void time_ends_it_too(void **state)
{
	const struct script_host slow = {.lua_dir = corpus,
					 .limits = {.memory = MEMORY, .instructions = 2000000000 / 10, .time_ms = 20}};
	struct error err = {0};
	struct arena arena;
	struct value *out;

	(void)state;
	struct script *script = script_load_file(&slow, "tests/unit/hostile/loop.lua", NULL, &err);
	assert_non_null(script);
	arena_init(&arena, 4096);
	for (int i = 0; i < 3; i++) {
		int64_t begin = clock_mono_us();

		assert_int_equal(script_call(script, "f", NULL, NULL, &arena, &out, &err), FC_ELIMIT);
		assert_true(clock_mono_us() - begin >= 20000);
		assert_non_null(strstr(err.text, "loop.lua:"));
	}
	/* Three times in a row: now it rests, and takes no time. */
	int64_t begin = cpu_us();
	for (int i = 0; i < 100; i++) {
		assert_int_equal(script_call(script, "f", NULL, NULL, &arena, &out, &err), FC_ELIMIT);
		assert_non_null(strstr(err.text, "f is left out: it hit its limits again and again"));
	}
	int64_t took = cpu_us() - begin;
	print_message("100 calls of a resting function: %lld us\n", (long long)took);
	assert_true(took < 100 * 20000); /* each takes 20 ms that does not rest */
	assert_int_equal(script_call(script, "ok", NULL, NULL, &arena, &out, &err), FC_OK);
	script_free(script);
	arena_fini(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_file_fails_as_it_says),
	    cmocka_unit_test(files_that_are_made_here),
	    cmocka_unit_test(time_ends_it_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
