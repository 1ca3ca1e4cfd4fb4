/* control: the commands about Lua files: what people type, what is refused, what is written, one answer, now or later. */
#include <sys/stat.h>

#include <sqlite3.h>

#include "control/lua.h"
#include "control/put_file.h"
#include "control_fixture.h"

/* Room for a module and for what makes a text another one. */
#define MAPPING(more)                                                                                     \
	"local m = require('one')\nreturn { forecourt = 1, kind = \"operator\", name = \"m\", " more      \
	"\n examples = { { call = \"map.query_token.answer\", input = { a = 1 }, expect = { a = m } } }," \
	"\n map = { query_token = { answer = function(t) t.a = m return t end } } }\n"

static void told(void *user, const struct control_result *result)
{
	struct fixture *f = user;

	f->answers++;
	f->code = result->code;
	(void)snprintf(f->error, sizeof(f->error), "%s", result->error);
	buffer_clear(&f->text);
	f->result = NULL;
	if (!result->result)
		return;
	assert_int_equal(json_write(&f->text, result->result), FC_OK);
	arena_fini(&f->arena);
	assert_int_equal(json_read(f->reader, f->text.data, f->text.len, &f->arena, &f->result, &f->err), FC_OK);
}

static struct control_reply *begin(struct fixture *f, enum control_right right, const char *name, const char *item,
				   const char *version, const char *flag)
{
	const struct control_caller caller = {.name = "test", .right = right};
	struct arena a;

	arena_init(&a, 1 << 20);
	struct value *tree = value_object(&a);
	if (item)
		assert_int_equal(value_add(&a, tree, "item", value_string(&a, item)), FC_OK);
	if (version)
		assert_int_equal(value_add(&a, tree, "version", value_string(&a, version)), FC_OK);
	if (flag)
		assert_int_equal(value_add(&a, tree, flag, value_bool(&a, 1)), FC_OK);
	struct control_reply *reply = control_call(f->control, &caller, name, tree, told, f);
	arena_fini(&a);
	return reply;
}

static int call(struct fixture *f, const char *name, const char *item, const char *version, const char *flag)
{
	assert_null(begin(f, CONTROL_ADMINISTER, name, item, version, flag));
	return f->code;
}

static const char *text_of(const struct value *object, const char *key)
{
	const char *text = value_text(value_get(object, key));

	return text ? text : "(nothing)";
}

static int flag_of(const struct value *object, const char *key)
{
	int b = -1;

	(void)value_to_bool(value_get(object, key), &b);
	return b;
}

static void path_of(const struct fixture *f, const char *item, char path[160])
{
	(void)snprintf(path, 160, "%s/%s.lua", f->folder, item);
}

static void put(const struct fixture *f, const char *item, const char *text)
{
	char path[160];

	path_of(f, item, path);
	FILE *file = fopen(path, "wb");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static void file_is(const struct fixture *f, const char *item, const char *expected)
{
	char path[160], text[2000];

	path_of(f, item, path);
	FILE *file = fopen(path, "rb");
	assert_non_null(file);
	text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
	assert_int_equal(fclose(file), 0);
	assert_string_equal(text, expected);
}

static int nothing_is_kept(void *user, const struct version *version)
{
	(void)user, (void)version;
	return 0;
}

/* What main does (core/main/versions.c), for the one mapping. */
static void note(struct fixture *f, int64_t wall)
{
	struct sources *sources = mapping_sources(world.mapping);
	const struct script_source *source;

	for (int i = 0; (source = sources_at(sources, i)); i++) {
		struct version v = {.at_wall = wall}, last;

		(void)snprintf(v.item, sizeof(v.item), "%s", source->item);
		(void)snprintf(v.hash, sizeof(v.hash), "%s", source->hash);
		(void)snprintf(v.whole, sizeof(v.whole), "%s", in_force_version(sources, i));
		(void)snprintf(v.origin, sizeof(v.origin), "%s", *world.origin ? world.origin : "start");
		if (!version_last(f->store, v.item, &last) && !strcmp(last.whole, v.whole))
			continue;
		assert_int_equal(version_add(f->store, &v, source->text, source->len, &f->err), FC_OK);
		if (i)
			assert_int_equal(version_add_part(f->store, sources_hash(sources), v.item, v.hash, &f->err),
					 FC_OK);
		assert_int_equal(version_trim(f->store, v.item, wall, nothing_is_kept, NULL, &f->err), FC_OK);
	}
}

static void load(struct fixture *f, const char *mapping, const char *module, char version[SOURCE_HASH])
{
	static int64_t wall = 1800000000;

	put(f, "lib/one", module);
	put(f, "operators/m", mapping);
	world_load(NULL, NULL);
	assert_non_null(world.mapping);
	note(f, wall++);
	if (version)
		(void)snprintf(version, SOURCE_HASH, "%s", mapping_hash(world.mapping));
}

static int lua_set_up(void **state)
{
	static const char *const folders[] = {"lib", "operators"};
	char path[128];

	assert_int_equal(set_up(state), 0);
	struct fixture *f = *state;
	for (size_t i = 0; i < 2; i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", f->folder, folders[i]);
		assert_int_equal(mkdir(path, 0700), 0);
	}
	return 0;
}

static void listed_and_shown(void **state)
{
	struct fixture *f = *state;
	char first[SOURCE_HASH], second[SOURCE_HASH], prefix[SOURCE_HASH];

	load(f, MAPPING(""), "return 1", first);
	load(f, MAPPING("description = \"b\","), "return 1", second);
	load(f, MAPPING(""), "return 1", NULL);
	assert_int_equal(call(f, "lua_versions", "operators/m", NULL, NULL), FC_OK);
	const struct value *list = value_get(f->result, "versions");
	assert_int_equal(list->count, 3);
	assert_string_equal(text_of(list->first, "version"), first);
	assert_string_equal(text_of(list->first->next, "version"), second);
	/* It came into force twice; now is the last time. */
	assert_int_equal(flag_of(list->first, "in_force"), 1);
	assert_int_equal(flag_of(list->first->next, "in_force"), 0);
	assert_int_equal(flag_of(list->first->next->next, "in_force"), 0);
	assert_int_equal(call(f, "lua_versions", NULL, NULL, NULL), FC_OK);
	assert_int_equal(value_get(f->result, "versions")->count, 4);
	assert_int_equal(call(f, "lua_versions", "operators/none", NULL, NULL), FC_ENOENT);

	assert_int_equal(call(f, "lua_show", "operators/m", NULL, NULL), FC_OK);
	assert_string_equal(text_of(f->result, "text"), MAPPING(""));
	assert_string_equal(text_of(value_get(f->result, "modules")->first, "item"), "lib/one");
	assert_int_equal(call(f, "lua_show", "operators/m", NULL, "before"), FC_OK);
	assert_string_equal(text_of(f->result, "text"), MAPPING("description = \"b\","));
	(void)snprintf(prefix, sizeof(prefix), "%.6s", second);
	assert_int_equal(call(f, "lua_show", "operators/m", prefix, NULL), FC_OK);
	assert_string_equal(text_of(f->result, "version"), second);
	/* By the hash of its text alone, too. */
	(void)snprintf(prefix, sizeof(prefix), "%.9s", text_of(f->result, "hash"));
	assert_int_equal(call(f, "lua_show", "operators/m", prefix, NULL), FC_OK);
	assert_string_equal(text_of(f->result, "version"), second);
	assert_int_equal(call(f, "lua_show", "lib/one", NULL, "before"), FC_ENOENT);
	assert_int_equal(call(f, "lua_show", "operators/m", "ffffffffff", NULL), FC_ENOENT);
	assert_int_equal(call(f, "lua_show", "operators/m", "%_%_%_", NULL), FC_EINVAL);
	assert_int_equal(call(f, "lua_show", "operators/m", "12345", NULL), FC_EINVAL);
}

/* Two texts that begin alike: nobody guesses. */
static void ambiguous(void **state)
{
	struct fixture *f = *state;
	struct version v = {.item = "lib/one", .at_wall = 1};

	for (int i = 0; i < 2; i++) {
		(void)snprintf(v.hash, sizeof(v.hash), "abcdef%d", i);
		(void)snprintf(v.whole, sizeof(v.whole), "abcdef%d", i);
		assert_int_equal(version_add(f->store, &v, "return 1", 8, &f->err), FC_OK);
	}
	assert_int_equal(call(f, "lua_show", "lib/one", "abcdef", NULL), FC_EINVAL);
	assert_non_null(strstr(f->error, "ambiguous: abcdef1, abcdef0"));
	assert_int_equal(call(f, "lua_show", "lib/one", "abcdef0", NULL), FC_OK);
}

static void back(void **state)
{
	struct fixture *f = *state;
	char first[SOURCE_HASH], second[SOURCE_HASH], expected[80];
	struct stat st;
	char path[160];

	load(f, MAPPING(""), "return 1", first);
	load(f, MAPPING("description = \"b\","), "return 1", second);
	path_of(f, "operators/m", path);
	assert_int_equal(chmod(path, 0640), 0);
	assert_null(begin(f, CONTROL_VIEW, "lua_rollback", "operators/m", NULL, NULL));
	assert_int_equal(f->code, FC_EAUTH);
	assert_int_equal(call(f, "lua_rollback", "operators/m", NULL, NULL), FC_OK);
	file_is(f, "operators/m", MAPPING(""));
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0640);
	assert_string_equal(mapping_hash(world.mapping), first);
	(void)snprintf(expected, sizeof(expected), "rollback to %.12s", first);
	assert_string_equal(world.origin, expected);
	assert_string_equal(text_of(f->result, "before"), second);
	assert_int_equal(flag_of(f->result, "in_force"), 1);
	assert_int_equal(call(f, "lua_rollback", "operators/m", first, NULL), FC_EEXIST);
	/* The same while somebody has spoilt the file: it is put right. */
	put(f, "operators/m", "return {");
	assert_int_equal(call(f, "lua_rollback", "operators/m", first, NULL), FC_OK);
	file_is(f, "operators/m", MAPPING(""));
	assert_int_equal(call(f, "lua_rollback", "operators/../../x", NULL, NULL), FC_ENOENT);
}

/* What a version needs has changed: its example fails now, and the way out is told and works. */
static void back_with_its_module(void **state)
{
	struct fixture *f = *state;
	char first[SOURCE_HASH], hint[120], one[SOURCE_HASH];

	load(f, "assert(require('one') == 1)\n" MAPPING(""), "return 1", first);
	sources_digest("return 1", 8, one);
	load(f, MAPPING(""), "return 2", NULL);
	assert_int_equal(call(f, "lua_rollback", "operators/m", first, NULL), FC_ESCRIPT);
	assert_non_null(strstr(f->error, "operators/m.lua:1: assertion failed"));
	(void)snprintf(hint, sizeof(hint), "lib/one has changed since: lua rollback lib/one %.12s", one);
	if (!strstr(f->error, hint))
		fail_msg("%s", f->error);
	file_is(f, "operators/m", MAPPING(""));
	assert_int_equal(call(f, "lua_rollback", "operators/m", first, "modules"), FC_OK);
	assert_string_equal(mapping_hash(world.mapping), first);
	file_is(f, "lib/one", "return 1");
	file_is(f, "operators/m", "assert(require('one') == 1)\n" MAPPING(""));
	assert_int_equal(value_get(f->result, "written")->count, 2);
}

/* A power cut between the two files: made up for at the next start, unless somebody was there first. */
static void cut_in_the_middle(void **state)
{
	struct fixture *f = *state;
	char first[SOURCE_HASH], texts[4][SOURCE_HASH], pending[600];
	static const char *const contents[] = {"return 1", "return 2", MAPPING(""), MAPPING("description = \"b\",")};

	load(f, contents[2], contents[0], first);
	load(f, contents[3], contents[1], NULL);
	for (int i = 0; i < 4; i++)
		sources_digest(contents[i], strlen(contents[i]), texts[i]);
	(void)snprintf(pending, sizeof(pending), "operators/m %s %s\nlib/one %s %s\n", texts[2], texts[3], texts[0],
		       texts[1]);
	for (int edited = 0; edited < 2; edited++) {
		char left[8];

		assert_int_equal(store_value_set(f->store, "lua_rollback", pending, &f->err), FC_OK);
		put(f, "lib/one", contents[0]);
		put(f, "operators/m", edited ? "-- mine" : contents[3]);
		control_end_rollback(f->store, &world.host);
		file_is(f, "operators/m", edited ? "-- mine" : contents[2]);
		file_is(f, "lib/one", contents[0]);
		assert_int_equal(store_value_get(f->store, "lua_rollback", left, sizeof(left)), FC_OK);
		assert_string_equal(left, "");
	}
	/* Nothing to be done, and nonsense. */
	control_end_rollback(f->store, &world.host);
	assert_int_equal(store_value_set(f->store, "lua_rollback", "../../x y z\n\nq", &f->err), FC_OK);
	control_end_rollback(f->store, &world.host);
	file_is(f, "operators/m", "-- mine");
}

/* A module on its way back is tried with those that use it. */
static void a_module_back(void **state)
{
	struct fixture *f = *state;

	load(f, MAPPING(""), "return 1", NULL);
	load(f, "assert(require('one') == 2)\n" MAPPING(""), "return 2", NULL);
	assert_int_equal(call(f, "lua_rollback", "lib/one", NULL, NULL), FC_ESCRIPT);
	assert_non_null(strstr(f->error, "operators/m.lua:1:"));
	file_is(f, "lib/one", "return 2");
	load(f, MAPPING(""), "return 2", NULL);
	assert_int_equal(call(f, "lua_rollback", "lib/one", NULL, NULL), FC_OK);
	file_is(f, "lib/one", "return 1");
}

static void no_room(void **state)
{
	struct fixture *f = *state;
	char path[200];

	load(f, MAPPING(""), "return 1", NULL);
	load(f, MAPPING("description = \"b\","), "return 2", NULL);
	/* Of two files the second can't be written: neither is. */
	(void)snprintf(path, sizeof(path), "%s/lib/one.lua.rollback", f->folder);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(call(f, "lua_rollback", "operators/m", NULL, "modules"), FC_EIO);
	assert_non_null(strstr(f->error, "lib/one.lua: can't be written: "));
	file_is(f, "operators/m", MAPPING("description = \"b\","));
	file_is(f, "lib/one", "return 2");
	(void)snprintf(path, sizeof(path), "%s/operators/m.lua.rollback", f->folder);
	assert_int_not_equal(access(path, F_OK), 0);
}

static void the_text_is_lost(void **state)
{
	struct fixture *f = *state;
	sqlite3 *db;
	char path[128];

	load(f, MAPPING(""), "return 1", NULL);
	load(f, MAPPING("description = \"b\","), "return 1", NULL);
	(void)snprintf(path, sizeof(path), "%s/forecourt.db", f->folder);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "DELETE FROM script_text", NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
	assert_int_equal(call(f, "lua_show", "operators/m", NULL, NULL), FC_ENOENT);
	assert_int_equal(call(f, "lua_rollback", "operators/m", NULL, NULL), FC_ENOENT);
	assert_non_null(strstr(f->error, "was lost"));
}

static void loaded_again(void **state)
{
	struct fixture *f = *state;

	load(f, MAPPING(""), "return 1", NULL);
	assert_int_equal(call(f, "lua_reload", NULL, NULL, NULL), FC_OK);
	const struct value *script = value_get(f->result, "scripts")->first;
	assert_string_equal(text_of(script, "item"), "operators/m");
	assert_string_equal(text_of(script, "state"), "unchanged");
	assert_string_equal(world.origin, "command");
	put(f, "lib/one", "return 2");
	assert_int_equal(call(f, "lua_reload", NULL, NULL, NULL), FC_OK);
	script = value_get(f->result, "scripts")->first;
	assert_string_equal(text_of(script, "state"), "new version");
	assert_string_not_equal(text_of(script, "version"), text_of(script, "before"));
	put(f, "operators/m", "return { forecourt = 1,\n x = }");
	assert_int_equal(call(f, "lua_reload", NULL, NULL, NULL), FC_OK);
	script = value_get(f->result, "scripts")->first;
	assert_string_equal(text_of(script, "state"), "refused");
	assert_non_null(strstr(text_of(script, "reason"), "operators/m.lua:2:"));
	/* By way of a module. */
	put(f, "operators/m", MAPPING(""));
	put(f, "lib/one", "return ..");
	assert_int_equal(call(f, "lua_reload", NULL, NULL, NULL), FC_OK);
	script = value_get(f->result, "scripts")->first;
	assert_string_equal(text_of(script, "state"), "refused");
	assert_non_null(strstr(text_of(script, "reason"), "lib/one.lua:1:"));
	assert_null(script->next);
	/* What names no file of these is told beside them. */
	world.is_slow = 1;
	assert_non_null(begin(f, CONTROL_ADMINISTER, "lua_reload", NULL, NULL, NULL));
	world.reloaded(world.reloaded_user, (const char *const[]){"device: no memory"}, 1);
	script = value_get(f->result, "scripts")->first;
	assert_string_equal(text_of(script, "state"), "unchanged");
	assert_string_equal(text_of(script->next, "reason"), "device: no memory");
}

/* The reload takes its time: one answer when it ends, to whoever is still there. */
static void later(void **state)
{
	struct fixture *f = *state;

	load(f, MAPPING(""), "return 1", NULL);
	load(f, MAPPING("description = \"b\","), "return 1", NULL);
	world.is_slow = 1;
	assert_non_null(begin(f, CONTROL_ADMINISTER, "lua_reload", NULL, NULL, NULL));
	assert_int_equal(f->answers, 0);
	world_load(world.reloaded, world.reloaded_user);
	assert_int_equal(f->answers, 1);
	assert_int_equal(f->code, FC_OK);
	assert_non_null(begin(f, CONTROL_ADMINISTER, "lua_rollback", "operators/m", NULL, NULL));
	assert_int_equal(f->answers, 1);
	world_load(world.reloaded, world.reloaded_user);
	assert_int_equal(f->answers, 2);
	assert_int_equal(f->code, FC_OK);
	note(f, 1900000000);
	/* Whoever asked has gone: done all the same. */
	control_forget(begin(f, CONTROL_ADMINISTER, "lua_rollback", "operators/m", NULL, NULL));
	world_load(world.reloaded, world.reloaded_user);
	assert_int_equal(f->answers, 2);
	file_is(f, "operators/m", MAPPING("description = \"b\","));
	note(f, 1900000001);
	/* The room ends first. */
	assert_non_null(begin(f, CONTROL_ADMINISTER, "lua_rollback", "operators/m", NULL, NULL));
	control_free(f->control);
	f->control = NULL;
	world_load(world.reloaded, world.reloaded_user);
	assert_int_equal(f->answers, 2);
}

/* Written, and then another file spoils it: that is told, too. */
static void not_in_force_after_all(void **state)
{
	struct fixture *f = *state;

	load(f, MAPPING(""), "return 1", NULL);
	load(f, MAPPING("description = \"b\","), "return 1", NULL);
	world.is_slow = 1;
	assert_non_null(begin(f, CONTROL_ADMINISTER, "lua_rollback", "operators/m", NULL, NULL));
	put(f, "lib/one", "return ..");
	world_load(world.reloaded, world.reloaded_user);
	assert_int_equal(f->code, FC_ESCRIPT);
	assert_non_null(strstr(f->error, "is written, but not in force: "));
	assert_non_null(strstr(f->error, "lib/one.lua:1:"));
}

#define T(test) cmocka_unit_test_setup_teardown(test, lua_set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    T(listed_and_shown),
	    T(ambiguous),
	    T(back),
	    T(back_with_its_module),
	    T(cut_in_the_middle),
	    T(a_module_back),
	    T(no_room),
	    T(the_text_is_lost),
	    T(loaded_again),
	    T(later),
	    T(not_in_force_after_all),
	};

	/* The store is looked into from beside. */
	if (setenv("FORECOURT_SHARED_STORE", "1", 1))
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
