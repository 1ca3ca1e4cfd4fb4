#include "script/text.h"

#include <string.h>

#include <lauxlib.h>

#include "script/sandbox.h"
#include "script/search.h"

/* How many bytes Lua's own functions handle in the time of a VM instruction: by copying, and one by one. */
enum { COPIED_A_UNIT = 64, SINGLE_A_UNIT = 8, VALUES_A_UNIT = 16 };

/* Calls the function that this one replaces, on the same arguments. */
static int call_original(lua_State *L)
{
	return lua_tocfunction(L, lua_upvalueindex(1))(L);
}

static size_t length_of_texts(lua_State *L)
{
	size_t len = 0;

	for (int i = lua_gettop(L); i; i--)
		if (lua_type(L, i) == LUA_TSTRING)
			len += (size_t)lua_rawlen(L, i);
	return len;
}

static int copies(lua_State *L)
{
	sandbox_charge(L, 1 + length_of_texts(L) / COPIED_A_UNIT);
	return call_original(L);
}

static int reads_each(lua_State *L)
{
	sandbox_charge(L, 1 + length_of_texts(L) / SINGLE_A_UNIT);
	return call_original(L);
}

/* For those that return or take many values. */
static int moves_values(lua_State *L)
{
	sandbox_charge(L, 1 + (size_t)lua_gettop(L) / VALUES_A_UNIT);
	int n = call_original(L);
	sandbox_charge(L, (size_t)n / VALUES_A_UNIT);
	return n;
}

/* select, as Lua's but counted. */
static int select_values(lua_State *L)
{
	int n = lua_gettop(L);

	sandbox_charge(L, 1 + (size_t)n / VALUES_A_UNIT);
	return call_original(L);
}

static int repeat(lua_State *L)
{
	size_t len, separator = 0;
	lua_Integer n = luaL_checkinteger(L, 2);

	(void)luaL_checklstring(L, 1, &len);
	(void)luaL_optlstring(L, 3, "", &separator);
	if (n > 0 && (len + separator) && (lua_Integer)(SANDBOX_TEXT_MAX / (len + separator)) < n)
		return luaL_error(L, "string.rep: the result would be larger than 1 MiB");
	sandbox_charge(L, n > 0 ? (size_t)n * (len + separator + 8) / COPIED_A_UNIT : 1);
	return call_original(L);
}

/* pack: "c1000000000" would be filled up to that size. */
static int pack(lua_State *L)
{
	const char *format = luaL_checkstring(L, 1);

	for (const char *c = format; (c = strchr(c, 'c')); c++) {
		const char *digits = c + 1;
		size_t size = 0;

		for (; *digits >= '0' && *digits <= '9' && size <= SANDBOX_TEXT_MAX; digits++)
			size = size * 10 + (size_t)(*digits - '0');
		if (size > SANDBOX_TEXT_MAX)
			return luaL_error(L, "string.pack: the result would be larger than 1 MiB");
		sandbox_charge(L, size / SINGLE_A_UNIT);
	}
	return reads_each(L);
}

/* The text of any value, without an address: the same script gives the same text in every run. */
static void push_text(lua_State *L, int index)
{
	if (luaL_callmeta(L, index, "__tostring")) {
		if (!lua_isstring(L, -1))
			luaL_error(L, "'__tostring' must return a string");
		return;
	}
	switch (lua_type(L, index)) {
	case LUA_TNIL:
	case LUA_TBOOLEAN:
	case LUA_TNUMBER:
	case LUA_TSTRING:
		(void)luaL_tolstring(L, index, NULL);
		return;
	case LUA_TLIGHTUSERDATA:
		lua_pushliteral(L, "null");
		return;
	default:
		if (luaL_getmetafield(L, index, "__name") == LUA_TSTRING)
			return;
		lua_pushstring(L, luaL_typename(L, index));
		return;
	}
}

static int any_to_text(lua_State *L)
{
	luaL_checkany(L, 1);
	push_text(L, 1);
	return 1;
}

/* Makes texts of what %s shows, refuses %p, and leaves the rest to Lua's own. */
static int format(lua_State *L)
{
	int top = lua_gettop(L), argument = 1;
	size_t len;
	const char *f = luaL_checklstring(L, 1, &len), *end = f + len;

	while ((f = memchr(f, '%', (size_t)(end - f)))) {
		f++;
		if (*f == '%') {
			f++;
			continue;
		}
		argument++;
		f += strspn(f, "-+ #0123456789.");
		if (*f == 'p')
			return luaL_error(L, "string.format: %%p is not allowed: an address is another in each run");
		if (*f == 's' && argument <= top && lua_type(L, argument) != LUA_TSTRING) {
			push_text(L, argument);
			lua_replace(L, argument);
		}
	}
	sandbox_charge(L, 1 + length_of_texts(L) / SINGLE_A_UNIT);
	return call_original(L);
}

struct replacement {
	const char *name;
	lua_CFunction by;
};

/* Each function gets the one that it replaces as its upvalue. */
static void replace(lua_State *L, const struct replacement *r)
{
	for (; r->name; r++) {
		lua_getfield(L, -1, r->name);
		lua_pushcclosure(L, r->by, 1);
		lua_setfield(L, -2, r->name);
	}
	lua_pop(L, 1);
}

void text_open(lua_State *L)
{
	static const luaL_Reg matchers[] = {{"find", search_find},
					    {"match", search_match},
					    {"gmatch", search_gmatch},
					    {"gsub", search_gsub},
					    {NULL, NULL}};
	static const struct replacement
	    strings[] = {{"byte", moves_values},
			 {"char", moves_values},
			 {"format", format},
			 {"len", copies},
			 {"lower", reads_each},
			 {"upper", reads_each},
			 {"reverse", reads_each},
			 {"sub", copies},
			 {"rep", repeat},
			 {"pack", pack},
			 {"unpack", reads_each},
			 {"packsize", reads_each},
			 {NULL, NULL}},
	    utf8[] = {{"char", moves_values}, {"codepoint", reads_each}, {"len", reads_each},
		      {"offset", reads_each}, {"codes", copies},         {NULL, NULL}},
	    globals[] = {{"tostring", any_to_text}, {"tonumber", reads_each}, {"select", select_values}, {NULL, NULL}},
	    arithmetic[] = {{"__add", reads_each}, {"__sub", reads_each},  {"__mul", reads_each},
			    {"__mod", reads_each}, {"__pow", reads_each},  {"__div", reads_each},
			    {"__unm", reads_each}, {"__idiv", reads_each}, {NULL, NULL}};

	lua_getglobal(L, "string");
	luaL_setfuncs(L, matchers, 0);
	replace(L, strings);
	lua_getglobal(L, "utf8");
	replace(L, utf8);
	lua_pushglobaltable(L);
	replace(L, globals);
	/* The metatable of texts: nobody gets at it, ("x"):rep() finds the functions above. */
	lua_pushliteral(L, "");
	if (lua_getmetatable(L, -1)) {
		lua_pushboolean(L, 0);
		lua_setfield(L, -2, "__metatable");
		replace(L, arithmetic);
	}
	lua_pop(L, 1);
}
