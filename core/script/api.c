#include "script/api.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include <lauxlib.h>

#include "base/log.h"
#include "script/describe.h"
#include "script/library.h"
#include "script/lock.h"
#include "script/sandbox.h"

enum { FIXED_DECIMALS_MAX = 9, NAME = 64 };

struct api *api_of(lua_State *L)
{
	struct api *api = sandbox_of(L)->api;

	if (!api)
		luaL_error(L, "nothing of the gateway is to be had here");
	return api;
}

int api_is_live(const struct api *api)
{
	return api->mode == API_LIVE && api->services;
}

static int mark(lua_State *L, const char *name)
{
	if (lua_isnoneornil(L, 1)) {
		lua_settop(L, 0);
		lua_newtable(L);
	}
	luaL_checktype(L, 1, LUA_TTABLE);
	lua_settop(L, 1);
	if (lock_is_on(L, 1))
		return luaL_error(L, "a table of the library can't be marked");
	luaL_setmetatable(L, name);
	return 1;
}

static int api_array(lua_State *L)
{
	return mark(L, LIBRARY_ARRAY);
}

static int api_object(lua_State *L)
{
	return mark(L, LIBRARY_OBJECT);
}

/* The number's text is made here, half up as everywhere. */
static void push_fixed_text(lua_State *L, int n)
{
	char text[400];

	if (api_push_fixed_text(L, 1, n))
		return;
	/* Beyond what a decimal holds. A nudge far below the last decimal lifts what binary holds a hair too low. */
	lua_Number x = luaL_checknumber(L, 1);
	if (!isfinite(x) || fabs(x) > 1e15)
		luaL_error(L, "fixed: the number is out of range");
	double scale = pow(10, (double)n), scaled = round(x * scale * (1 + 4e-16));
	(void)snprintf(text, sizeof(text), "%.*f", n, scaled / scale);
	lua_pushstring(L, text);
}

static int api_fixed(lua_State *L)
{
	lua_Integer n = luaL_checkinteger(L, 2);

	if (n < 0 || n > FIXED_DECIMALS_MAX)
		return luaL_error(L, "fixed: 0 to 9 decimals are allowed");
	lua_newtable(L);
	push_fixed_text(L, (int)n);
	lua_rawseti(L, -2, 1);
	luaL_setmetatable(L, LIBRARY_FIXED);
	return 1;
}

static int fixed_tostring(lua_State *L)
{
	lua_rawgeti(L, 1, 1);
	return 1;
}

static int api_log(lua_State *L)
{
	char text[256];
	size_t len;
	const char *said = luaL_checklstring(L, 1, &len);
	struct sandbox *box = sandbox_of(L);

	if (box->log_left <= 0)
		return 0;
	box->log_left--;
	sandbox_clean(text, sizeof(text), said, len);
	log_info("script: %s", text);
	return 0;
}

static const struct api_entry entries[] = {
    {"forecourt.api", "1", "the version of this interface; it grows without a new one, and never changes what is there",
     NULL},
    {"forecourt.log(text)", "", "a line in the gateway's log at level info; 20 a call (also the global `log`)",
     api_log},
    {"forecourt.array(t)", "table", "marks a table as a list, so that an empty one is written `[]` (also `array`)",
     api_array},
    {"forecourt.object(t)", "table", "marks a table as an object, so that an empty one is written `{}` (also `object`)",
     api_object},
    {"forecourt.fixed(x, n)", "number for a message",
     "written with exactly n decimals, rounded half up: `fixed(10, 3)` is `10.000` (also `fixed`)", api_fixed},
    {"forecourt.null", "null", "JSON null (also `null`)", NULL},
    {"require(name)", "what the module returns", "a module of `lib/`, loaded once a script", NULL},
    {NULL, NULL, NULL, NULL}};

static const struct api_subject message_subject = {
    .title = "Messages",
    .entries = entries,
    .example = "assert(forecourt.api >= 1)\n"
	       "local message = { Power = fixed(60, 3), Pictures = array({}), ParkNo = null }\n"
	       "assert(tostring(message.Power) == \"60.000\")",
};

const struct api_subject *const api_subjects[] = {
    &message_subject,  &api_reshape_subject, &api_decimal_subject, &api_time_subject,
    &api_hash_subject, &api_table_subject,   &api_state_subject,   NULL};

void api_new_metatable(lua_State *L, const char *name)
{
	luaL_newmetatable(L, name);
	lua_pushboolean(L, 0);
	lua_setfield(L, -2, "__metatable");
}

/* Pushes the table in which a name of the API belongs, and moves *name to its last part. root: the table forecourt. */
static void push_place(lua_State *L, int root, const char *metatable, const char **name)
{
	const char *dot;

	if (strchr(*name, ':')) {
		luaL_getmetatable(L, metatable);
		lua_getfield(L, -1, "__index");
		lua_remove(L, -2);
		*name = strchr(*name, ':') + 1;
		return;
	}
	lua_pushvalue(L, root);
	*name = strchr(*name, '.') + 1;
	while ((dot = strchr(*name, '.'))) {
		lua_pushlstring(L, *name, (size_t)(dot - *name));
		if (lua_rawget(L, -2) != LUA_TTABLE) {
			lua_pop(L, 1);
			lua_newtable(L);
			lua_pushlstring(L, *name, (size_t)(dot - *name));
			lua_pushvalue(L, -2);
			lua_rawset(L, -4);
		}
		lua_remove(L, -2);
		*name = dot + 1;
	}
}

static void add_entry(lua_State *L, int root, const char *metatable, const struct api_entry *entry)
{
	char text[NAME];
	const char *name = text;

	(void)snprintf(text, sizeof(text), "%.*s", (int)strcspn(entry->call, "("), entry->call);
	push_place(L, root, metatable, &name);
	lua_pushcfunction(L, entry->function);
	lua_setfield(L, -2, name);
	lua_pop(L, 1);
}

/* The old names, which are shorter in what a mapping writes most. */
static void add_globals(lua_State *L, int root)
{
	static const char *const names[] = {"array", "object", "fixed", "null", "log"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		lua_getfield(L, root, names[i]);
		lua_setglobal(L, names[i]);
	}
}

static void add_marks(lua_State *L)
{
	static const char *const names[] = {LIBRARY_ARRAY, LIBRARY_OBJECT, LIBRARY_FIXED};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		api_new_metatable(L, names[i]);
		lua_pop(L, 1);
	}
	luaL_getmetatable(L, LIBRARY_FIXED);
	lua_pushcfunction(L, fixed_tostring);
	lua_setfield(L, -2, "__tostring");
	lua_pop(L, 1);
}

void api_open(lua_State *L)
{
	add_marks(L);
	lua_newtable(L);
	int root = lua_gettop(L);
	lua_pushinteger(L, API_VERSION);
	lua_setfield(L, root, "api");
	/* JSON's null: nil can't stand in a table. */
	lua_pushlightuserdata(L, NULL);
	lua_setfield(L, root, "null");
	for (const struct api_subject *const *subject = api_subjects; *subject; subject++) {
		if ((*subject)->metatable) {
			api_new_metatable(L, (*subject)->metatable);
			lua_newtable(L);
			lua_setfield(L, -2, "__index");
			lua_pop(L, 1);
		}
		for (const struct api_entry *entry = (*subject)->entries; entry->call; entry++)
			if (entry->function)
				add_entry(L, root, (*subject)->metatable, entry);
	}
	api_decimal_open(L);
	add_globals(L, root);
	lua_setglobal(L, "forecourt");
}

void script_describe(FILE *to)
{
	for (const struct api_subject *const *s = api_subjects; *s; s++) {
		fprintf(to, "%s### %s\n", s == api_subjects ? "" : "\n", (*s)->title);
		if ((*s)->text)
			fprintf(to, "%s\n\n", (*s)->text);
		fprintf(to, "| call | gives | what |\n|---|---|---|\n");
		for (const struct api_entry *e = (*s)->entries; e->call; e++)
			fprintf(to, "| `%s` | %s | %s |\n", e->call, e->gives, e->what);
		fprintf(to, "\n```lua\n%s\n```\n", (*s)->example);
	}
}

void script_describe_each(void (*fn)(void *user, const char *subject, const char *call, const char *gives,
				     const char *what),
			  void *user)
{
	for (const struct api_subject *const *s = api_subjects; *s; s++)
		for (const struct api_entry *e = (*s)->entries; e->call; e++)
			fn(user, (*s)->title, e->call, e->gives, e->what);
}

const char *script_example(int index)
{
	for (int i = 0; api_subjects[i]; i++)
		if (i == index)
			return api_subjects[i]->example;
	return NULL;
}
