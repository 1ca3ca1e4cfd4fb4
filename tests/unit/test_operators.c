/* The shipped mappings and the modules that they share: each file loads as on a station, and keeps its word. */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "script/script.h"
#include "upstream/mapping.h"

static const char *lua_dir(void)
{
	const char *dir = getenv("FORECOURT_LUA");

	return dir ? dir : "lua";
}

/* Calls fn for each NAME.lua of a folder; how many there were. */
static int each_file(const char *folder, void (*fn)(const char *folder, const char *name))
{
	DIR *dir = opendir(folder);
	int count = 0;

	if (!dir)
		fail_msg("%s can't be read", folder);
	for (const struct dirent *entry; (entry = readdir(dir));) {
		char name[SCRIPT_NAME_MAX + 1];
		size_t len = strlen(entry->d_name);

		if (len < 5 || strcmp(entry->d_name + len - 4, ".lua") != 0)
			continue;
		(void)snprintf(name, sizeof(name), "%.*s", (int)len - 4, entry->d_name);
		fn(folder, name);
		count++;
	}
	(void)closedir(dir);
	return count;
}

/* An example for whatever a file shapes: at least one, so that who copies it sees what comes out. */
static void check_operator(const char *folder, const char *name)
{
	const struct script_host host = {.lua_dir = lua_dir()};
	struct error err = {0};
	struct mapping *mapping = mapping_load(&host, name, NULL, &err);

	(void)folder;
	if (!mapping)
		fail_msg("%s", err.text);
	mapping_free(mapping);
	struct script *script = script_load(&host, "operators", name, NULL, &err);
	assert_non_null(script);
	const struct value *examples = value_get(script_table(script), "examples");
	if (script_functions(script)->count && (!examples || !examples->count))
		fail_msg("operators/%s.lua: shapes messages and has no example", name);
	if (!value_text(value_get(script_table(script), "description")))
		fail_msg("operators/%s.lua: has no description", name);
	script_free(script);
}

static void operators(void **state)
{
	char folder[256];

	(void)state;
	(void)snprintf(folder, sizeof(folder), "%s/operators", lua_dir());
	assert_true(each_file(folder, check_operator) >= 5);
}

/* tests/unit/lib/NAME.lua tests lua/lib/NAME.lua by examples. */
static void check_module(const char *folder, const char *name)
{
	const struct script_host host = {.lua_dir = lua_dir()};
	struct error err = {0};
	char path[256];

	(void)folder;
	(void)snprintf(path, sizeof(path), "tests/unit/lib/%s.lua", name);
	struct script *script = script_load_file(&host, path, NULL, &err);
	if (!script || script_run_examples(script, &err))
		fail_msg("%s", err.text);
	const struct value *examples = value_get(script_table(script), "examples");
	assert_true(examples && examples->count);
	/* Each function of the test is called by an example. */
	value_each (function, script_functions(script)) {
		int called = 0;

		value_each (example, examples)
			called |= !strcmp(value_text(value_get(example, "call")), function->text);
		if (!called)
			fail_msg("%s: no example calls %s", path, function->text);
	}
	script_free(script);
}

static void modules(void **state)
{
	char folder[256];

	(void)state;
	(void)snprintf(folder, sizeof(folder), "%s/lib", lua_dir());
	assert_true(each_file(folder, check_module) >= 5);
}

/* messages.methods of lua/lib is the standard's list. */
static void methods_are_all_there(void **state)
{
	const struct script_host host = {.lua_dir = lua_dir()};
	struct error err = {0};
	struct script *script = script_load(&host, "lib", "messages", NULL, &err);
	const struct message *message;
	size_t standard = 0;

	(void)state;
	assert_non_null(script);
	const struct value *list = value_get(script_table(script), "methods");
	for (int i = 0; (message = message_at(i)); i++) {
		int found = 0;

		value_each (method, list)
			found |= !strcmp(value_text(method), message->method);
		assert_int_equal(found, message->set != MESSAGE_CITY);
		standard += message->set != MESSAGE_CITY;
	}
	assert_int_equal(list->count, standard);
	script_free(script);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(operators),
	    cmocka_unit_test(modules),
	    cmocka_unit_test(methods_are_all_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
