#include "script/library.h"

#include <stdio.h>
#include <string.h>

#include <lauxlib.h>
#include <lualib.h>

#include "script/api.h"
#include "script/list.h"
#include "script/lock.h"
#include "script/order.h"
#include "script/protect.h"
#include "script/sandbox.h"
#include "script/sources.h"
#include "script/text.h"

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

/* In place of a module while it is loaded. */
static char loading;

/* Lua text from lib_dir, one run a state, the result kept in the registry. */
static int api_require(lua_State *L)
{
	struct sandbox *box = sandbox_of(L);
	const char *name = luaL_checkstring(L, 1);
	char path[512], item[SOURCE_ITEM];

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
	(void)snprintf(item, sizeof(item), "lib/%s", name);
	if (sandbox_load_file(box, path, sources_read, &(struct source_reading){box->sources, item}))
		return lua_error(L);
	if (sources_failed(box->sources))
		return luaL_error(L, "require: more than %d modules, or 1 MiB in all", SOURCES_MAX - 1);
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
	open_standard(L);
	bound_standard(L);
	api_open(L);
	lua_pushcfunction(L, api_require);
	lua_setglobal(L, "require");
	/* Last: what is there now is the library's, and stays as it is. */
	lock_globals(L);
}
