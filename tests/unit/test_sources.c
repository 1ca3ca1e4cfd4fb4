/* script/sources: what a script was made of is its version; a text that is tried in place of a file. */
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

#include "folder.h"
#include "script/script.h"

struct fixture {
	char folder[64];
	struct script_host host;
	struct script *script;
	struct error err;
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	char path[128];

	assert_non_null(f);
	folder_make(f->folder, sizeof(f->folder), "sources");
	(void)snprintf(path, sizeof(path), "%s/lib", f->folder);
	assert_int_equal(mkdir(path, 0700), 0);
	(void)snprintf(path, sizeof(path), "%s/operators", f->folder);
	assert_int_equal(mkdir(path, 0700), 0);
	f->host.lua_dir = f->folder;
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	script_free(f->script);
	folder_remove(f->folder);
	free(f);
	return 0;
}

static void put(const struct fixture *f, const char *item, const char *text)
{
	char path[160];

	(void)snprintf(path, sizeof(path), "%s/%s.lua", f->folder, item);
	FILE *file = fopen(path, "wb");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static struct script *load(struct fixture *f)
{
	script_free(f->script);
	f->err = (struct error){0};
	f->script = script_load(&f->host, "operators", "x", NULL, &f->err);
	return f->script;
}

static void hash_of(struct fixture *f, char out[SOURCE_HASH])
{
	if (!load(f))
		fail_msg("%s", f->err.text);
	(void)snprintf(out, SOURCE_HASH, "%s", script_hash(f->script));
}

static void one_file(void **state)
{
	struct fixture *f = *state;
	char hash[SOURCE_HASH];

	put(f, "operators/x", "return {}");
	hash_of(f, hash);
	/* printf 'return {}' | sha256sum */
	assert_string_equal(hash, "7df8f0cd9e1cd0b204a760783671c0ccca4a3258dc7c51f59e9e2295c6c25315");
}

static void a_changed_module_is_a_new_version(void **state)
{
	struct fixture *f = *state;
	char alone[SOURCE_HASH], first[SOURCE_HASH], second[SOURCE_HASH], again[SOURCE_HASH];

	put(f, "lib/b", "return 1");
	put(f, "lib/a", "return require('b')");
	put(f, "operators/x", "local b, a = require('b'), require('a') return { n = b + a }");
	hash_of(f, first);
	assert_int_equal(script_source_count(f->script), 3);
	assert_string_equal(script_source_at(f->script, 0)->item, "operators/x");
	assert_string_equal(script_source_at(f->script, 1)->item, "lib/a");
	assert_string_equal(script_source_at(f->script, 2)->item, "lib/b");
	assert_string_equal(script_source_at(f->script, 2)->text, "return 1");
	assert_int_equal(script_source_at(f->script, 2)->len, 8);
	assert_null(script_source_at(f->script, 3));
	assert_null(script_source_at(f->script, -1));
	sources_digest("return 1", 8, alone);
	assert_string_equal(script_source_at(f->script, 2)->hash, alone);
	assert_string_not_equal(first, script_source_at(f->script, 0)->hash);
	put(f, "lib/b", "return 2");
	hash_of(f, second);
	assert_string_not_equal(first, second);
	put(f, "lib/b", "return 1");
	hash_of(f, again);
	assert_string_equal(first, again);
	/* The order in which they are asked for is the file's own business. */
	put(f, "lib/a", "return 1");
	hash_of(f, first);
	put(f, "lib/unused", "return 3");
	hash_of(f, again);
	assert_string_equal(first, again);
	put(f, "operators/x", "local a, b = require('a'), require('b') return { n = b + a }");
	hash_of(f, again);
	assert_string_not_equal(first, again);
	assert_string_equal(script_source_at(f->script, 1)->item, "lib/a");
}

static void later_modules_do_not_count(void **state)
{
	struct fixture *f = *state;
	struct value *out;
	struct arena arena;
	char before[SOURCE_HASH];

	put(f, "lib/late", "return 7");
	put(f, "operators/x", "return { f = function() return require('late') end }");
	hash_of(f, before);
	struct sources *sources = script_sources(f->script);
	arena_init(&arena, 1 << 16);
	assert_int_equal(script_call(f->script, "f", NULL, NULL, &arena, &out, &f->err), FC_OK);
	arena_fini(&arena);
	assert_string_equal(script_hash(f->script), before);
	assert_int_equal(sources_count(sources), 1);
	sources_forget(sources);
	assert_null(sources_at(sources, 0)->text);
	assert_string_equal(sources_at(sources, 0)->hash, before);
	sources = script_take_sources(f->script);
	script_free(f->script);
	f->script = NULL;
	assert_string_equal(sources_hash(sources), before);
	sources_free(sources);
}

static void a_text_in_place_of_a_file(void **state)
{
	struct fixture *f = *state;
	char x[160], m[160];
	const struct script_instead instead[] = {
	    {x, "return { n = require('m') + 1 }", 31}, {m, "return 'no' ..", 14}, {0}};
	const struct script_instead both[] = {instead[0], {m, "return 41", 9}, {0}};

	(void)snprintf(x, sizeof(x), "%s/operators/x.lua", f->folder);
	(void)snprintf(m, sizeof(m), "%s/lib/m.lua", f->folder);
	put(f, "operators/x", "return { n = 1 }");
	f->host.instead = both;
	assert_non_null(load(f));
	assert_string_equal(script_source_at(f->script, 0)->text, "return { n = require('m') + 1 }");
	int64_t n = 0;
	assert_int_equal(value_to_int(value_get(script_table(f->script), "n"), &n), 0);
	assert_int_equal(n, 42);
	f->host.instead = instead;
	assert_null(load(f));
	assert_non_null(strstr(f->err.text, "lib/m.lua:1:"));
	f->host.instead = NULL;
	assert_non_null(load(f));
	assert_int_equal(script_source_count(f->script), 1);
}

static void too_many_modules(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < SOURCES_MAX + 5; i++) {
		char item[32], text[64];

		(void)snprintf(item, sizeof(item), "lib/m%d", i);
		(void)snprintf(text, sizeof(text), "return %d", i);
		put(f, item, text);
	}
	put(f, "operators/x", "for i = 0, 62 do require('m' .. i) end return {}");
	assert_non_null(load(f));
	assert_int_equal(script_source_count(f->script), SOURCES_MAX);
	put(f, "operators/x", "for i = 0, 63 do require('m' .. i) end return {}");
	assert_null(load(f));
	assert_non_null(strstr(f->err.text, "more than 63 modules"));
	/* Nor does pcall help: half a version is none. */
	put(f, "operators/x", "for i = 0, 66 do pcall(require, 'm' .. i) end return {}");
	assert_null(load(f));
}

static void names_of_files(void **state)
{
	static const char *const paths[][2] = {{"/a/b/operators/x.lua", "operators/x"},
					       {"operators/x.lua", "operators/x"},
					       {"x.lua", "x"},
					       {"/x.lua", "/x"},
					       {"", ""},
					       {"/a/b/c/.lua", "c/"},
					       {"/a/lib/y.txt", "lib/y.txt"}};
	char item[SOURCE_ITEM];

	(void)state;
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		sources_item_of(paths[i][0], item);
		assert_string_equal(item, paths[i][1]);
	}
}

#define T(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    T(one_file),
	    T(a_changed_module_is_a_new_version),
	    T(later_modules_do_not_count),
	    T(a_text_in_place_of_a_file),
	    T(too_many_modules),
	    T(names_of_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
