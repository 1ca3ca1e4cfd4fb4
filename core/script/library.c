#include "script/library.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include <lauxlib.h>
#include <lualib.h>

#include "base/log.h"
#include "script/list.h"
#include "script/lock.h"
#include "script/order.h"
#include "script/protect.h"
#include "script/sandbox.h"
#include "script/text.h"

enum { FIXED_DECIMALS_MAX = 9 };

/* Finalizers run without the hook; when an entry of a weak table goes is chance. */
static int bounded_setmetatable(lua_State *L)
{
	static const char *const refused[] = {"__gc", "__mode"};

	for (size_t i = 0; lua_istable(L, 2) && i < sizeof(refused) / sizeof(refused[0]); i++) {
		lua_pushstring(L, refused[i]);
		if (lua_rawget(L, 2) != LUA_TNIL)
			return luaL_error(L, "%s is not allowed", refused[i]);
		lua_pop(L, 1);
	}
	return lua_tocfunction(L, lua_upvalueindex(1))(L);
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

/* fixed(x, n): the number's text is made here, half up as everywhere (base/decimal.h does the same for integers). */
static int api_fixed(lua_State *L)
{
	char text[400];
	lua_Number x = luaL_checknumber(L, 1);
	lua_Integer n = luaL_checkinteger(L, 2);

	if (n < 0 || n > FIXED_DECIMALS_MAX)
		return luaL_error(L, "fixed: 0 to 9 decimals are allowed");
	if (!isfinite(x) || fabs(x) > 1e15)
		return luaL_error(L, "fixed: the number is out of range");
	/* A nudge far below the last decimal lifts values such as 0.285 that binary holds a hair too low. */
	double scale = pow(10, (double)n), scaled = round(x * scale * (1 + 4e-16));
	(void)snprintf(text, sizeof(text), "%.*f", (int)n, scaled / scale);
	lua_newtable(L);
	lua_pushstring(L, text);
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

/* In place of a module while it is loaded. */
static char loading;

/* Lua text from lib_dir, one run a state, the result kept in the registry. */
static int api_require(lua_State *L)
{
	struct sandbox *box = sandbox_of(L);
	const char *name = luaL_checkstring(L, 1);
	char path[512];

	if (!box->lib_dir || !*name || strlen(name) > 64 ||
	    strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_-") != strlen(name))
		return luaL_error(L, "require: there is no module \"%s\"", name);
	luaL_getsubtable(L, LUA_REGISTRYINDEX, "forecourt.loaded");
	if (lua_getfield(L, -1, name) == LUA_TLIGHTUSERDATA && lua_touserdata(L, -1) == &loading)
		return luaL_error(L, "require: module \"%s\" requires itself (or a module that does), or failed before",
				  name);
	if (!lua_isnil(L, -1))
		return 1;
	lua_pop(L, 1);
	(void)snprintf(path, sizeof(path), "%s/%s.lua", box->lib_dir, name);
	/* The loader works on the main state's stack; a coroutine that requires would mix the two. */
	if (L != box->L)
		return luaL_error(L, "require: not from a coroutine");
	lua_pushlightuserdata(L, &loading);
	lua_setfield(L, -2, name);
	if (sandbox_load_file(box, path, NULL, NULL))
		return lua_error(L);
	lua_call(L, 0, 1);
	lua_pushvalue(L, -1);
	lua_setfield(L, -3, name);
	return 1;
}

static void drop(lua_State *L, const char *table, const char *const *fields)
{
	if (table)
		lua_getglobal(L, table);
	else
		lua_pushglobaltable(L);
	for (; *fields; fields++) {
		lua_pushnil(L);
		lua_setfield(L, -2, *fields);
	}
	lua_pop(L, 1);
}

/* A metatable that scripts can't read or change. */
static void make_mark(lua_State *L, const char *name)
{
	luaL_newmetatable(L, name);
	lua_pushboolean(L, 0);
	lua_setfield(L, -2, "__metatable");
	lua_pop(L, 1);
}

static void open_standard(lua_State *L)
{
	static const luaL_Reg libraries[] = {{LUA_GNAME, luaopen_base},
					     {LUA_STRLIBNAME, luaopen_string},
					     {LUA_TABLIBNAME, luaopen_table},
					     {LUA_MATHLIBNAME, luaopen_math},
					     {LUA_UTF8LIBNAME, luaopen_utf8},
					     {LUA_COLIBNAME, luaopen_coroutine},
					     {NULL, NULL}};
	static const char *const unsafe_globals[] = {"dofile",         "load",  "loadfile", "loadstring",
						     "collectgarbage", "print", "warn",     NULL};
	static const char *const unsafe_string[] = {"dump", NULL};
	/* Time and chance come from the gateway only, so that a replay gives the same result. */
	static const char *const unsafe_math[] = {"random", "randomseed", NULL};

	for (const luaL_Reg *lib = libraries; lib->func; lib++) {
		luaL_requiref(L, lib->name, lib->func, 1);
		lua_pop(L, 1);
	}
	drop(L, NULL, unsafe_globals);
	drop(L, "string", unsafe_string);
	drop(L, "math", unsafe_math);
	lua_pushnil(L);
	lua_setfield(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
}

static void bound_standard(lua_State *L)
{
	text_open(L);
	list_open(L);
	order_open(L);
	lua_getglobal(L, "setmetatable");
	lua_pushcclosure(L, bounded_setmetatable, 1);
	lua_setglobal(L, "setmetatable");
	protect_open(L);
}

void library_open(lua_State *L)
{
	static const luaL_Reg api[] = {{"array", api_array}, {"object", api_object},   {"fixed", api_fixed},
				       {"log", api_log},     {"require", api_require}, {NULL, NULL}};

	open_standard(L);
	bound_standard(L);
	make_mark(L, LIBRARY_ARRAY);
	make_mark(L, LIBRARY_OBJECT);
	make_mark(L, LIBRARY_FIXED);
	luaL_getmetatable(L, LIBRARY_FIXED);
	lua_pushcfunction(L, fixed_tostring);
	lua_setfield(L, -2, "__tostring");
	lua_pop(L, 1);
	for (const luaL_Reg *f = api; f->func; f++) {
		lua_pushcfunction(L, f->func);
		lua_setglobal(L, f->name);
	}
	/* The null of lua-cjson is the same light userdata. */
	lua_pushlightuserdata(L, NULL);
	lua_setglobal(L, "null");
	/* Last: what is there now is the library's, and stays as it is. */
	lock_globals(L);
}
