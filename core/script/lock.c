#include "script/lock.h"

#include <lauxlib.h>

enum { DEPTH_MAX = 4 };

/* Its address is the key, in the metatable of a locked table, of the true one. */
static const char true_table;

/* Pushes the true table of the one at index: 1; else nothing: 0. */
static int push_true(lua_State *L, int index)
{
	if (!lua_getmetatable(L, index))
		return 0;
	if (lua_rawgetp(L, -1, &true_table) == LUA_TNIL) {
		lua_pop(L, 2);
		return 0;
	}
	lua_remove(L, -2);
	return 1;
}

void lock_open(lua_State *L, int index)
{
	if (push_true(L, index))
		lua_replace(L, index);
}

int lock_is_on(lua_State *L, int index)
{
	int locked = push_true(L, index);

	lua_pop(L, locked);
	return locked;
}

static int refuse(lua_State *L, int key, const char *of)
{
	const char *name = lua_type(L, key) == LUA_TSTRING ? lua_tostring(L, key) : luaL_typename(L, key);

	return luaL_error(L, "%s%s%s belongs to the library: it can't be changed", of, *of ? "." : "", name);
}

/* __newindex of a table of the library; upvalue: its name. */
static int refuse_field(lua_State *L)
{
	return refuse(L, 2, lua_tostring(L, lua_upvalueindex(1)));
}

/* __newindex of the global table; upvalue: the table of what is the library's. */
static int set_global(lua_State *L)
{
	lua_settop(L, 3);
	lua_pushvalue(L, 2);
	if (lua_rawget(L, lua_upvalueindex(1)) != LUA_TNIL)
		return refuse(L, 2, "");
	lua_settop(L, 3);
	lua_rawset(L, 1);
	return 0;
}

static int locked_rawset(lua_State *L)
{
	luaL_checktype(L, 1, LUA_TTABLE);
	luaL_checkany(L, 2);
	luaL_checkany(L, 3);
	lua_settop(L, 3);
	if (push_true(L, 1)) {
		/* The global table is the one that may get new names. */
		(void)lua_rawgeti(L, LUA_REGISTRYINDEX, LUA_RIDX_GLOBALS);
		int global = lua_rawequal(L, -1, 1);
		lua_pushvalue(L, 2);
		if (!global || lua_rawget(L, 4) != LUA_TNIL)
			return refuse(L, 2, global ? "" : "this");
		lua_settop(L, 3);
	}
	lua_rawset(L, 1);
	return 1;
}

static int locked_rawget(lua_State *L)
{
	luaL_checktype(L, 1, LUA_TTABLE);
	luaL_checkany(L, 2);
	lua_settop(L, 2);
	lua_pushvalue(L, 2);
	if (lua_rawget(L, 1) != LUA_TNIL || !push_true(L, 1))
		return 1;
	lua_pushvalue(L, 2);
	(void)lua_rawget(L, -2);
	return 1;
}

/* Puts the metatable of a lock on the table at shown (absolute) for the one at truth. newindex is on the top and taken off. */
static void put_lock(lua_State *L, int shown, int truth)
{
	lua_createtable(L, 0, 4);
	lua_insert(L, -2);
	lua_setfield(L, -2, "__newindex");
	lua_pushvalue(L, truth);
	lua_setfield(L, -2, "__index");
	lua_pushboolean(L, 0);
	lua_setfield(L, -2, "__metatable");
	lua_pushvalue(L, truth);
	lua_rawsetp(L, -2, &true_table);
	lua_setmetatable(L, shown);
}

/* The table on the top is replaced by a locked one; tables in it are locked first. */
static void lock_table(lua_State *L, const char *name, int depth)
{
	int truth = lua_gettop(L);

	luaL_checkstack(L, 12, "too deep");
	if (depth > DEPTH_MAX)
		luaL_error(L, "%s: tables of the library are too deep", name);
	lua_pushnil(L);
	while (lua_next(L, truth)) {
		if (lua_type(L, -1) == LUA_TTABLE && lua_type(L, -2) == LUA_TSTRING && !lua_getmetatable(L, -1)) {
			const char *inner = lua_pushfstring(L, "%s.%s", name, lua_tostring(L, -2));

			lua_insert(L, -2);
			lock_table(L, inner, depth + 1);
			lua_pushvalue(L, -3);
			lua_insert(L, -2);
			/* A key that is there already: the walk goes on undisturbed. */
			lua_rawset(L, truth);
		}
		lua_settop(L, truth + 1);
	}
	lua_newtable(L);
	lua_pushstring(L, name);
	lua_pushcclosure(L, refuse_field, 1);
	put_lock(L, truth + 1, truth);
	lua_remove(L, truth);
}

void lock_globals(lua_State *L)
{
	static const luaL_Reg raw[] = {{"rawset", locked_rawset}, {"rawget", locked_rawget}, {NULL, NULL}};
	int top = lua_gettop(L);

	lua_pushglobaltable(L);
	luaL_setfuncs(L, raw, 0);
	lua_pushnil(L);
	while (lua_next(L, top + 1)) {
		if (lua_type(L, -1) == LUA_TTABLE && lua_type(L, -2) == LUA_TSTRING && !lua_rawequal(L, -1, top + 1) &&
		    !lua_getmetatable(L, -1)) {
			lock_table(L, lua_tostring(L, -2), 1);
			lua_pushvalue(L, -2);
			lua_insert(L, -2);
			lua_rawset(L, top + 1);
		}
		lua_settop(L, top + 2);
	}
	lua_newtable(L);
	lua_pushvalue(L, top + 1);
	lua_pushcclosure(L, set_global, 1);
	put_lock(L, top + 2, top + 1);
	lua_pushvalue(L, top + 2);
	lua_setfield(L, top + 1, "_G");
	lua_rawseti(L, LUA_REGISTRYINDEX, LUA_RIDX_GLOBALS);
	lua_settop(L, top);
}
