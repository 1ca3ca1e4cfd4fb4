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

/* A tree with the fields of the schema: all of them, or the required ones only. */
static struct value *fill(const struct schema *schema, int all, struct arena *a)
{
	struct value *o = value_object(a);

	for (int i = 0; i < schema->count; i++) {
		const struct field *f = &schema->fields[i];
		struct value *v = NULL, *list = value_array(a);

		if (!all && !f->required)
			continue;
		switch (f->type) {
		case FIELD_TEXT:
			v = value_string(a, "11010500010012");
			break;
		case FIELD_INT:
			v = value_int(a, 1);
			break;
		case FIELD_DECIMAL:
			v = value_decimal(a, 1250, f->size);
			break;
		case FIELD_DATETIME:
			v = value_string(a, "2026-03-01 10:20:30");
			break;
		case FIELD_DATE:
			v = value_string(a, "2026-03-01");
			break;
		case FIELD_OBJECT:
			v = fill(f->child, all, a);
			break;
		case FIELD_OBJECTS:
			(void)value_push(list, fill(f->child, all, a));
			v = list;
			break;
		case FIELD_TEXTS:
			(void)value_push(list, value_string(a, "110105000100001"));
			v = list;
			break;
		}
		assert_int_equal(value_put(a, o, f->name, v), FC_OK);
	}
	return o;
}

/* Whether the part of a message goes that way; query_token goes both. */
static int goes(const struct message *message, enum message_part part, enum mapping_direction direction)
{
	int out = (message->caller == MESSAGE_WE_CALL) == (part == MESSAGE_REQUEST);

	return message->caller == MESSAGE_BOTH || out == (direction == MAPPING_OUT);
}

/* Every message of the standard, full and with no more than it must have, is shaped without a failure. */
static void check_all_messages(const char *folder, const char *name)
{
	const struct script_host host = {.lua_dir = lua_dir()};
	const struct mapping_context context = {"MA1234567", "123456789", "city"};
	struct error err = {0};
	struct mapping *mapping = mapping_load(&host, name, NULL, &err);
	const struct message *message;

	(void)folder;
	assert_non_null(mapping);
	for (int i = 0; (message = message_at(i)); i++) {
		for (int way = 0; way < 8; way++) {
			enum message_part part = way & 1 ? MESSAGE_ANSWER : MESSAGE_REQUEST;
			enum mapping_direction direction = way & 2 ? MAPPING_IN : MAPPING_OUT;
			struct arena arena;
			struct value *out = NULL;

			arena_init(&arena, 1 << 20);
			struct value *in = fill(message_schema(message, part), way & 4, &arena);
			if (goes(message, part, direction) &&
			    mapping_apply(mapping, message, part, direction, in, &context, &arena, &out, &err))
				fail_msg("operators/%s.lua: %s %s: %s", name, message->method, message_part_name(part),
					 err.text);
			if (out)
				message_shape(message_schema(message, part), out);
			arena_fini(&arena);
		}
	}
	assert_int_equal(mapping_failures(mapping), 0);
	mapping_free(mapping);
}

static void every_message(void **state)
{
	char folder[256];

	(void)state;
	(void)snprintf(folder, sizeof(folder), "%s/operators", lua_dir());
	(void)each_file(folder, check_all_messages);
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
	    cmocka_unit_test(every_message),
	    cmocka_unit_test(modules),
	    cmocka_unit_test(methods_are_all_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
