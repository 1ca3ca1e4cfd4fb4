#include "script/library.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include <lauxlib.h>
#include <lualib.h>

#include "base/log.h"
#include "script/protect.h"
#include "script/sandbox.h"
#include "script/sources.h"

enum {
	TEXT_MAX = 1 << 20, /* most bytes string.rep and friends may make */
	LIST_MAX = 1000000, /* most elements the table functions may walk */
	PATTERN_MAX = 256,
	FIXED_DECIMALS_MAX = 9,
	BYTES_A_STEP = 64, /* a C function handles so many bytes in the time of a VM instruction */
};

/* Most steps a pattern match may be thought to take: (length of the text) ^ (number of repetitions in the pattern). */
static const double pattern_work_max = 1e9;

static int call_upvalue(lua_State *L)
{
	int n = lua_gettop(L);

	lua_pushvalue(L, lua_upvalueindex(1));
	lua_insert(L, 1);
	lua_call(L, n, LUA_MULTRET);
	return lua_gettop(L);
}

static int bounded_rep(lua_State *L)
{
	size_t len, separator = 0;
	lua_Integer n = luaL_checkinteger(L, 2);

	(void)luaL_checklstring(L, 1, &len);
	(void)luaL_optlstring(L, 3, "", &separator);
	if (n > 0 && (len + separator) && (lua_Integer)(TEXT_MAX / (len + separator)) < n)
		return luaL_error(L, "string.rep: the result would be larger than 1 MiB");
	sandbox_charge(L, n > 0 ? (size_t)n * (len + separator) / BYTES_A_STEP : 0);
	return call_upvalue(L);
}

/* Repetitions that can backtrack over the text. */
static int count_repetitions(const char *pattern, size_t len)
{
	int n = 0, in_set = 0;

	for (size_t i = 0; i < len; i++) {
		char c = pattern[i];

		if (c == '%') {
			i++;
			continue;
		}
		if (c == '[')
			in_set = 1;
		else if (c == ']')
			in_set = 0;
		else if (!in_set && i && (c == '*' || c == '+' || c == '-'))
			n++;
	}
	return n;
}

/* A count hook does not reach into the C matcher, so what could run for long is refused before it starts. */
static int bounded_match(lua_State *L)
{
	size_t text_len, pattern_len;

	(void)luaL_checklstring(L, 1, &text_len);
	const char *pattern = luaL_checklstring(L, 2, &pattern_len);
	int plain = lua_toboolean(L, 4) && lua_isinteger(L, 3); /* string.find(s, p, i, true) */
	if (!plain) {
		if (pattern_len > PATTERN_MAX)
			return luaL_error(L, "the pattern is longer than 256 characters");
		if (pow((double)text_len + 1, count_repetitions(pattern, pattern_len)) > pattern_work_max)
			return luaL_error(L, "the pattern has too many repetitions for a text of %d bytes",
					  (int)text_len);
	}
	sandbox_charge(L, text_len / BYTES_A_STEP);
	return call_upvalue(L);
}

/* A table can lie about its length by __len. */
static size_t bounded_length(lua_State *L)
{
	lua_Integer n = lua_istable(L, 1) ? luaL_len(L, 1) : 0;

	if (n > LIST_MAX)
		luaL_error(L, "the list has more than 1 000 000 elements");
	return n > 0 ? (size_t)n : 0;
}

static int bounded_list(lua_State *L)
{
	sandbox_charge(L, bounded_length(L));
	return call_upvalue(L);
}

/* At the end of a list these two touch one element, anywhere else they move all that follow. */
static int bounded_insert(lua_State *L)
{
	size_t n = bounded_length(L);

	sandbox_charge(L, lua_gettop(L) > 2 ? n : 1);
	return call_upvalue(L);
}

static int bounded_remove(lua_State *L)
{
	size_t n = bounded_length(L);

	sandbox_charge(L, lua_gettop(L) > 1 ? n : 1);
	return call_upvalue(L);
}

static int bounded_move(lua_State *L)
{
	lua_Integer from = luaL_checkinteger(L, 2), to = luaL_checkinteger(L, 3);

	if (to >= from && (from < 0 ? to > LIST_MAX + from : to - from > LIST_MAX))
		return luaL_error(L, "table.move: more than 1 000 000 elements");
	sandbox_charge(L, to >= from ? (size_t)(to - from) : 0);
	return call_upvalue(L);
}

/* Finalizers run without the hook: none are allowed. */
static int bounded_setmetatable(lua_State *L)
{
	if (lua_istable(L, 2)) {
		lua_pushliteral(L, "__gc");
		if (lua_rawget(L, 2) != LUA_TNIL)
			return luaL_error(L, "__gc is not allowed");
		lua_pop(L, 1);
	}
	return call_upvalue(L);
}

static int mark(lua_State *L, const char *name)
{
	if (lua_isnoneornil(L, 1)) {
		lua_settop(L, 0);
		lua_newtable(L);
	}
	luaL_checktype(L, 1, LUA_TTABLE);
	lua_settop(L, 1);
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

	const char *said = luaL_checkstring(L, 1);
	struct sandbox *box = sandbox_of(L);
	if (box->log_left <= 0)
		return 0;
	box->log_left--;
	(void)snprintf(text, sizeof(text), "%s", said);
	log_info("script: %s", text);
	return 0;
}

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
	if (lua_getfield(L, -1, name) != LUA_TNIL)
		return 1;
	lua_pop(L, 1);
	(void)snprintf(path, sizeof(path), "%s/%s.lua", box->lib_dir, name);
	/* The loader works on the main state's stack; a coroutine that requires would mix the two. */
	if (L != box->L)
		return luaL_error(L, "require: not from a coroutine");
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

/* Replaces global.field (or the global itself when table is NULL) by wrapper with the original as upvalue. */
static void wrap(lua_State *L, const char *table, const char *field, lua_CFunction wrapper)
{
	if (table)
		lua_getglobal(L, table);
	else
		lua_pushglobaltable(L);
	lua_getfield(L, -1, field);
	lua_pushcclosure(L, wrapper, 1);
	lua_setfield(L, -2, field);
	lua_pop(L, 1);
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
	static const char *const matchers[] = {"find", "match", "gmatch", "gsub"};
	static const char *const walkers[] = {"sort", "concat", "unpack"};

	for (size_t i = 0; i < sizeof(matchers) / sizeof(matchers[0]); i++)
		wrap(L, "string", matchers[i], bounded_match);
	for (size_t i = 0; i < sizeof(walkers) / sizeof(walkers[0]); i++)
		wrap(L, "table", walkers[i], bounded_list);
	wrap(L, "table", "insert", bounded_insert);
	wrap(L, "table", "remove", bounded_remove);
	wrap(L, "string", "rep", bounded_rep);
	wrap(L, "table", "move", bounded_move);
	wrap(L, NULL, "setmetatable", bounded_setmetatable);
	protect_open(L);
	/* The metatable of texts: ("x"):rep() finds the bounded functions, and nobody gets at it. */
	lua_pushliteral(L, "");
	lua_getmetatable(L, -1);
	lua_pushboolean(L, 0);
	lua_setfield(L, -2, "__metatable");
	lua_pop(L, 2);
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
}
