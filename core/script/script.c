#include "script/script.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "script/api.h"
#include "script/convert.h"
#include "script/inside.h"
#include "script/reshape.h"
#include "script/rest.h"
#include "script/sandbox.h"
#include "script/tables.h"
#include "script/world.h"

static const size_t memory_default = (size_t)4 << 20;
enum { INSTRUCTIONS_DEFAULT = 5000000, TIME_DEFAULT_MS = 200 };

/* A function of the file that needs no Lua. */
struct shape {
	const char *path;
	struct reshape reshape;
	struct shape *next;
};

struct script {
	struct sandbox box;
	struct script_host host;
	struct script_limits limits;
	char *path, *lib_dir, *space;
	struct sources *sources; /* of the very bytes that are compiled: the file may change between two readings */
	int table;               /* registry reference of the returned table */
	struct arena arena;
	struct value *data, *functions;
	struct shape *shapes;
	struct api api;
	int is_pinned; /* calls see pinned_wall and scratch tables */
	int64_t pinned_wall;
	const struct script_world *world; /* of the example that is run, or NULL */
	struct rest rest;
	int in_examples;           /* what is left is for all of them together */
	int64_t instructions_left; /* of them */
	int64_t deadline_us;       /* of them, monotonic */
};

static void push_path(lua_State *L, const struct script *script, const char *path);

static void keep_shape(lua_State *L, struct script *script, const char *path)
{
	struct error err = {0};

	push_path(L, script, path);
	if (!reshape_push_description(L, -1))
		return;
	struct shape *shape = arena_alloc(&script->arena, sizeof(*shape));
	if (!shape) {
		luaL_error(L, "%s: no memory", path);
		return;
	}
	const struct value *description = convert_read(L, -1, &script->arena, CONVERT_KEEP_FLOATS);
	if (reshape_compile(description, &script->arena, &shape->reshape, &err))
		luaL_error(L, "%s: %s", path, err.text);
	shape->path = path;
	shape->next = script->shapes;
	script->shapes = shape;
}

/* Keeps the table that the file returned, and its data as a tree. */
static int keep_result(lua_State *L)
{
	struct script *script = lua_touserdata(L, 1);

	if (!lua_istable(L, 2))
		return luaL_error(L, "%s: must return a table, not a %s", script->path, luaL_typename(L, 2));
	script->data = convert_read(L, 2, &script->arena, CONVERT_KEEP_FLOATS | CONVERT_SKIP_FUNCTIONS);
	script->functions = convert_functions(L, 2, &script->arena);
	lua_settop(L, 2);
	script->table = luaL_ref(L, LUA_REGISTRYINDEX);
	value_each (function, script->functions) {
		keep_shape(L, script, value_text(function));
		lua_settop(L, 1);
	}
	return 0;
}

static int failed(struct script *script, int code, struct error *err)
{
	char text[ERROR_TEXT_MAX];

	sandbox_error_text(&script->box, text, sizeof(text));
	/* Lua's own messages name file and line; those of the allocator name nothing. */
	if (strstr(text, script->path))
		return error_set(err, code, "%s", text);
	return error_set(err, code, "%s: %s", script->path, text);
}

static int load(struct script *script, struct error *err)
{
	lua_State *L = script->box.L;
	char item[SOURCE_ITEM];

	sources_item_of(script->path, item);
	/* Compiling counts as well. */
	sandbox_budget(&script->box, script->limits.instructions * SCRIPT_LOAD_FACTOR,
		       script->limits.time_ms * SCRIPT_LOAD_FACTOR);
	int result = sandbox_load_file(&script->box, script->path, sources_read,
				       &(struct source_reading){script->sources, item});
	if (!result)
		result = sandbox_call(&script->box, 0, 1);
	if (!result) {
		lua_pushcfunction(L, keep_result);
		lua_insert(L, -2);
		lua_pushlightuserdata(L, script);
		lua_insert(L, -2);
		result = sandbox_call(&script->box, 2, 0);
	}
	if (result)
		return failed(script, result, err);
	/* It may have caught the error of a module that was one too many. Half a version is none. */
	if (sources_failed(script->sources))
		return error_set(err, FC_ELIMIT, "%s: more than %d modules, 1 MiB in all, or no memory", script->path,
				 SOURCES_MAX - 1);
	return rest_init(&script->rest, script->functions)
		   ? error_set(err, FC_ENOMEM, "script: %s: no memory", script->path)
		   : FC_OK;
}

struct script *script_load_file(const struct script_host *host, const char *path, const char *space, struct error *err)
{
	struct script *script = calloc(1, sizeof(*script));
	char lib_dir[SCRIPT_PATH_MAX];

	if (script) {
		script->host = *host;
		script->limits = host->limits;
		script->path = strdup(path);
		(void)snprintf(lib_dir, sizeof(lib_dir), "%s/lib", host->lua_dir);
		script->lib_dir = strdup(lib_dir);
		script->space = strdup(space ? space : "");
		script->sources = sources_new();
	}
	if (!script || !script->path || !script->lib_dir || !script->space || !script->sources) {
		script_free(script);
		(void)error_set(err, FC_ENOMEM, "script: %s: no memory", path);
		return NULL;
	}
	if (!script->limits.memory)
		script->limits.memory = memory_default;
	if (!script->limits.instructions)
		script->limits.instructions = INSTRUCTIONS_DEFAULT;
	if (!script->limits.time_ms)
		script->limits.time_ms = TIME_DEFAULT_MS;
	arena_init(&script->arena, script->limits.memory);
	int result = FC_OK;
	if (sandbox_open(&script->box, script->limits.memory, 1))
		result = error_set(err, FC_ENOMEM, "script: %s: no memory for a Lua state", path);
	if (!result) {
		script->api =
		    (struct api){.services = host->services, .space = script->space, .wall = clock_wall(), .path = ""};
		script->box.lib_dir = script->lib_dir;
		script->box.api = &script->api;
		script->box.sources = script->sources;
		script->box.instead = script->host.instead;
		result = load(script, err);
	}
	if (result) {
		script_free(script);
		return NULL;
	}
	return script;
}

static int good_name(const char *name, size_t len)
{
	return len && len <= SCRIPT_NAME_MAX && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_-") >= len;
}

int script_name_of(const char *path, char name[SCRIPT_NAME_MAX + 1])
{
	static const char end[] = ".lua";
	const char *slash = strrchr(path, '/'), *file = slash ? slash + 1 : path;
	size_t len = strlen(file);

	if (len <= strlen(end) || strcmp(file + len - strlen(end), end) != 0 || !good_name(file, len - strlen(end)))
		return FC_EINVAL;
	(void)snprintf(name, SCRIPT_NAME_MAX + 1, "%.*s", (int)(len - strlen(end)), file);
	return FC_OK;
}

struct script *script_load(const struct script_host *host, const char *folder, const char *name, const char *space,
			   struct error *err)
{
	char path[SCRIPT_PATH_MAX], whose[SCRIPT_SPACE_MAX + 1];

	if (!good_name(name, strlen(name))) {
		(void)error_set(err, FC_EINVAL, "script: %s: \"%s\" is no usable name: a-z 0-9 _ -, at most %d", folder,
				name, SCRIPT_NAME_MAX);
		return NULL;
	}
	int n = snprintf(path, sizeof(path), "%s/%s/%s.lua", host->lua_dir, folder, name);
	if (n < 0 || (size_t)n >= sizeof(path)) {
		(void)error_set(err, FC_ELIMIT, "script: %s/%s: the folder's name is too long", folder, name);
		return NULL;
	}
	/* A platform and a policy may have the same name. */
	n = snprintf(whose, sizeof(whose), "%s/%s", folder, space ? space : "");
	if (n < 0 || (size_t)n >= sizeof(whose)) {
		(void)error_set(err, FC_ELIMIT, "script: %s/%s: %.80s... is too long a name", folder, name, space);
		return NULL;
	}
	return script_load_file(host, path, space ? whose : NULL, err);
}

void script_free(struct script *script)
{
	if (!script)
		return;
	sandbox_close(&script->box);
	arena_fini(&script->api.arena);
	rest_fini(&script->rest);
	arena_fini(&script->arena);
	free(script->path);
	free(script->lib_dir);
	free(script->space);
	sources_free(script->sources);
	free(script);
}

const char *script_path(const struct script *script)
{
	return script->path;
}

const char *script_hash(const struct script *script)
{
	return sources_hash(script->sources);
}

struct sources *script_sources(const struct script *script)
{
	sources_close(script->sources);
	return script->sources;
}

struct sources *script_take_sources(struct script *script)
{
	struct sources *sources = script_sources(script);

	script->sources = NULL;
	script->box.sources = NULL;
	return sources;
}

int script_source_count(const struct script *script)
{
	return sources_count(script->sources);
}

const struct script_source *script_source_at(const struct script *script, int index)
{
	return sources_at(script->sources, index);
}

const struct value *script_table(const struct script *script)
{
	return script->data;
}

/* Pushes what path names in the returned table, by raw access: no metamethod runs. nil when there is none. */
static void push_path(lua_State *L, const struct script *script, const char *path)
{
	lua_rawgeti(L, LUA_REGISTRYINDEX, script->table);
	while (*path) {
		size_t n = strcspn(path, ".");

		if (!lua_istable(L, -1)) {
			lua_pop(L, 1);
			lua_pushnil(L);
			return;
		}
		lua_pushlstring(L, path, n);
		lua_rawget(L, -2);
		lua_remove(L, -2);
		path += n + (path[n] == '.');
	}
}

struct call {
	struct script *script;
	const char *path;
	const struct value *arg1, *arg2;
	struct arena *arena;
	struct value *out;
	int found;
};

static int run(lua_State *L)
{
	struct call *call = lua_touserdata(L, 1);

	tables_begin(L);
	push_path(L, call->script, call->path);
	call->found = lua_isfunction(L, -1);
	if (!call->found)
		return 0;
	convert_push(L, call->arg1);
	convert_push(L, call->arg2);
	lua_call(L, 2, 1);
	call->out = convert_read(L, -1, call->arena, CONVERT_KEEP_FLOATS);
	/* Last of all: nothing can fail any more that would have to take it back. */
	tables_commit(L);
	return 0;
}

void script_begin_examples(struct script *script)
{
	script->in_examples = 1;
	script->instructions_left = (int64_t)script->limits.instructions * SCRIPT_LOAD_FACTOR;
	script->deadline_us = clock_mono_us() + (int64_t)script->limits.time_ms * SCRIPT_LOAD_FACTOR * 1000;
}

int script_examples_left(const struct script *script, int number, struct error *err)
{
	if (!script->in_examples || (script->instructions_left > 0 && clock_mono_us() <= script->deadline_us))
		return FC_OK;
	return error_set(
	    err, FC_ELIMIT,
	    "%s: examples[%d]: all examples together took too long (limit of instructions or time, %d times "
	    "a call's)",
	    script->path, number, SCRIPT_LOAD_FACTOR);
}

void script_end_examples(struct script *script)
{
	script->in_examples = 0;
}

int script_protected(struct script *script, lua_CFunction function, void *argument, int instructions, int time_ms)
{
	struct sandbox *box = &script->box;

	if (script->in_examples) {
		int64_t left_ms = (script->deadline_us - clock_mono_us()) / 1000;

		if (instructions > script->instructions_left)
			instructions = script->instructions_left > 0 ? (int)script->instructions_left : 1;
		if (time_ms > left_ms)
			time_ms = left_ms > 0 ? (int)left_ms : 1;
	}
	sandbox_budget(box, instructions, time_ms);
	lua_pushcfunction(box->L, function);
	lua_pushlightuserdata(box->L, argument);
	int result = sandbox_call(box, 1, 0);
	script->instructions_left -= instructions - box->instructions_left;
	return result;
}

static int enter(struct script *script, lua_CFunction function, void *argument)
{
	return script_protected(script, function, argument, script->limits.instructions, script->limits.time_ms);
}

/* What the API tells this call. */
static void set_scene(struct script *script, const char *path, const struct value *input)
{
	struct api *api = &script->api;

	api->mode = script->world || script->is_pinned ? API_SCRATCH : API_LIVE;
	api->wall = script->world ? script->world->wall : script->is_pinned ? script->pinned_wall : clock_wall();
	api->state = script->world ? script->world->state : NULL;
	api->path = path;
	api->input = input;
	api->is_seeded = 0;
}

void script_pin(struct script *script, int64_t wall)
{
	script->is_pinned = 1;
	script->pinned_wall = wall;
}

static int fill_tables(lua_State *L)
{
	tables_fill(L, lua_touserdata(L, 1));
	return 0;
}

static void empty_tables(struct script *script)
{
	if (enter(script, fill_tables, NULL))
		lua_pop(script->box.L, 1);
}

void script_unpin(struct script *script)
{
	script->is_pinned = 0;
	empty_tables(script);
}

int script_enter_world(struct script *script, const struct script_world *world, struct error *err)
{
	script->world = world;
	int result = enter(script, fill_tables, (void *)(uintptr_t)world->tables);
	return result ? failed(script, result, err) : FC_OK;
}

void script_leave_world(struct script *script)
{
	script->world = NULL;
	empty_tables(script);
}

struct reading {
	struct arena *arena;
	struct value *out;
};

static int read_tables(lua_State *L)
{
	struct reading *reading = lua_touserdata(L, 1);

	reading->out = tables_read(L, reading->arena);
	return 0;
}

int script_world_tables(struct script *script, struct arena *arena, struct value **out, struct error *err)
{
	struct reading reading = {.arena = arena};
	int result = enter(script, read_tables, &reading);

	*out = reading.out;
	return result ? failed(script, result, err) : FC_OK;
}

const struct value *script_functions(const struct script *script)
{
	return script->functions;
}

size_t script_memory(const struct script *script)
{
	return script->box.memory_most;
}

const char *script_function(const struct script *script, const char *path)
{
	value_each (function, script->functions)
		if (!strcmp(value_text(function), path))
			return value_text(function);
	return NULL;
}

int script_has(const struct script *script, const char *path)
{
	return script_function(script, path) != NULL;
}

static const struct reshape *find_shape(const struct script *script, const char *path)
{
	/* Who calls often has it by script_function. */
	for (const struct shape *s = script->shapes; s; s = s->next)
		if (s->path == path)
			return &s->reshape;
	for (const struct shape *s = script->shapes; s; s = s->next)
		if (!strcmp(s->path, path))
			return &s->reshape;
	return NULL;
}

int script_is_described(const struct script *script, const char *path)
{
	return find_shape(script, path) != NULL;
}

static int apply(const struct script *script, const struct reshape *reshape, const struct value *message,
		 struct arena *arena, struct value **out, struct error *err)
{
	*out = message ? reshape_apply(reshape, message, arena) : NULL;
	return *out || !message ? FC_OK : error_set(err, FC_ELIMIT, "%s: the message is too large", script->path);
}

int script_call(struct script *script, const char *path, const struct value *arg1, const struct value *arg2,
		struct arena *arena, struct value **out, struct error *err)
{
	struct call call = {.script = script, .path = path, .arg1 = arg1, .arg2 = arg2, .arena = arena};
	const struct reshape *reshape = find_shape(script, path);

	*out = NULL;
	if (reshape)
		return apply(script, reshape, arg1, arena, out, err);
	if (rest_left_s(&script->rest, path, clock_mono_ms()))
		return error_set(err, FC_ELIMIT, "%s: %s is left out: it hit its limits again and again", script->path,
				 path);
	set_scene(script, path, arg1);
	int result = enter(script, run, &call);
	set_scene(script, "", NULL);
	arena_fini(&script->api.arena);
	if (rest_note(&script->rest, path, result == FC_ELIMIT, clock_mono_ms()))
		log_warning("script: %s: %s hit its limits %d times in a row or more: it is left out for %d s",
			    script->path, path, REST_AFTER, REST_MS / 1000);
	if (result)
		return failed(script, result, err);
	if (!call.found)
		return error_set(err, FC_ENOENT, "%s: there is no function %s", script->path, path);
	*out = call.out;
	return FC_OK;
}

void script_push_path(lua_State *L, const struct script *script, const char *path)
{
	push_path(L, script, path);
}

int script_failed(struct script *script, int code, struct error *err)
{
	return failed(script, code, err);
}
