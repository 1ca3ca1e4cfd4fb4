#include "script/protect.h"

#include <lauxlib.h>

#include "script/sandbox.h"

/* Why none of Lua's own will do: Lua runs no hook while it handles an error that a hook raised. A handler of xpcall, or
 * a __close in coroutine.wrap and coroutine.close, would then run without any limit. And the count of a hook begins
 * anew in each coroutine, so starting one has a price: else a tree of short coroutines would run for ever. */
enum { COROUTINE_PRICE = 100 };

static int is_error(int status)
{
	return status != LUA_OK && status != LUA_YIELD;
}

/* After a protected call that failed, the error on the top: goes on only if a script may catch it. */
static void pass_limits(lua_State *L, int status)
{
	struct sandbox *box = sandbox_of(L);

	if (status == LUA_ERRMEM && !box->exhausted)
		box->exhausted = SANDBOX_MEMORY;
	if (box->exhausted)
		(void)lua_error(L);
}

/* skip: values below the results that are not theirs. */
static int finish_pcall(lua_State *L, int status, lua_KContext skip)
{
	if (!is_error(status))
		return lua_gettop(L) - (int)skip;
	pass_limits(L, status);
	lua_pushboolean(L, 0);
	lua_pushvalue(L, -2);
	return 2;
}

static int api_pcall(lua_State *L)
{
	luaL_checkany(L, 1);
	sandbox_charge(L, 1);
	lua_pushboolean(L, 1);
	lua_insert(L, 1);
	int status = lua_pcallk(L, lua_gettop(L) - 2, LUA_MULTRET, 0, 0, finish_pcall);
	return finish_pcall(L, status, 0);
}

/* Stack: function, handler, true, then results or the error. */
static int finish_xpcall(lua_State *L, int status, lua_KContext skip)
{
	if (!is_error(status))
		return lua_gettop(L) - (int)skip;
	pass_limits(L, status);
	lua_pushvalue(L, 2);
	lua_insert(L, -2);
	status = lua_pcall(L, 1, 1, 0);
	if (is_error(status))
		pass_limits(L, status);
	lua_pushboolean(L, 0);
	lua_insert(L, -2);
	return 2;
}

static int api_xpcall(lua_State *L)
{
	int n = lua_gettop(L);

	luaL_checktype(L, 2, LUA_TFUNCTION);
	sandbox_charge(L, 1);
	lua_pushboolean(L, 1);
	lua_pushvalue(L, 1);
	lua_rotate(L, 3, 2);
	int status = lua_pcallk(L, n - 2, LUA_MULTRET, 0, 2, finish_xpcall);
	return finish_xpcall(L, status, 2);
}

static lua_State *checked_coroutine(lua_State *L)
{
	lua_State *co = lua_tothread(L, 1);

	luaL_argexpected(L, co, 1, "coroutine");
	return co;
}

/* Runs co with the n values on the top of L. The results, or the error, are on the top of L; their number, or -1. */
static int resume(lua_State *L, lua_State *co, int n)
{
	int results;

	sandbox_charge(L, COROUTINE_PRICE);
	if (!lua_checkstack(co, n)) {
		lua_pushliteral(L, "too many arguments to resume");
		return -1;
	}
	lua_xmove(L, co, n);
	int status = lua_resume(co, L, n, &results);
	if (is_error(status)) {
		lua_xmove(co, L, 1);
		pass_limits(L, status);
		return -1;
	}
	if (!lua_checkstack(L, results + 1)) {
		lua_pop(co, results);
		lua_pushliteral(L, "too many results to resume");
		return -1;
	}
	lua_xmove(co, L, results);
	return results;
}

static int api_resume(lua_State *L)
{
	lua_State *co = checked_coroutine(L);
	int n = resume(L, co, lua_gettop(L) - 1);

	lua_pushboolean(L, n >= 0);
	if (n < 0)
		n = 1;
	lua_insert(L, -(n + 1));
	return n + 1;
}

static int api_create(lua_State *L)
{
	luaL_checktype(L, 1, LUA_TFUNCTION);
	sandbox_charge(L, COROUTINE_PRICE);
	lua_State *co = lua_newthread(L);
	lua_pushvalue(L, 1);
	lua_xmove(L, co, 1);
	return 1;
}

static int run_wrapped(lua_State *L)
{
	int n = resume(L, lua_tothread(L, lua_upvalueindex(1)), lua_gettop(L));

	if (n >= 0)
		return n;
	if (lua_type(L, -1) == LUA_TSTRING) {
		luaL_where(L, 1);
		lua_insert(L, -2);
		lua_concat(L, 2);
	}
	return lua_error(L);
}

static int api_wrap(lua_State *L)
{
	(void)api_create(L);
	lua_pushcclosure(L, run_wrapped, 1);
	return 1;
}

/* Only a coroutine that waits, or never began, is closed with all that belongs to it. */
static int api_close(lua_State *L)
{
	lua_State *co = checked_coroutine(L);
	lua_Debug frame;

	sandbox_charge(L, COROUTINE_PRICE);
	if (is_error(lua_status(co))) {
		lua_pushboolean(L, 0);
		lua_pushliteral(L, "the coroutine failed");
		return 2;
	}
	if (co == L || (lua_status(co) == LUA_OK && lua_getstack(co, 0, &frame)))
		return luaL_error(L, "cannot close a running coroutine");
	if (lua_resetthread(co) == LUA_OK) {
		lua_pushboolean(L, 1);
		return 1;
	}
	lua_xmove(co, L, 1);
	pass_limits(L, LUA_ERRRUN);
	lua_pushboolean(L, 0);
	lua_insert(L, -2);
	return 2;
}

void protect_open(lua_State *L)
{
	static const luaL_Reg globals[] = {{"pcall", api_pcall}, {"xpcall", api_xpcall}, {NULL, NULL}};
	static const luaL_Reg coroutines[] = {
	    {"create", api_create}, {"resume", api_resume}, {"wrap", api_wrap}, {"close", api_close}, {NULL, NULL}};

	lua_pushglobaltable(L);
	luaL_setfuncs(L, globals, 0);
	lua_getfield(L, -1, "coroutine");
	luaL_setfuncs(L, coroutines, 0);
	lua_pop(L, 2);
}
