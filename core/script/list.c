#include "script/list.h"

#include <limits.h>

#include <lauxlib.h>

#include "script/sandbox.h"

enum { BATCH = 64, BYTES_A_UNIT = 64 };

/* Work that is counted in batches. */
struct work {
	lua_State *L;
	size_t done;
};

static void count(struct work *work, size_t n)
{
	work->done += n;
	if (work->done < BATCH)
		return;
	n = work->done;
	work->done = 0;
	sandbox_charge(work->L, n);
}

/* Of the table that is the first argument. May call __len. */
static lua_Integer length(lua_State *L)
{
	luaL_checktype(L, 1, LUA_TTABLE);
	sandbox_charge(L, 1);
	return luaL_len(L, 1);
}

static int list_insert(lua_State *L)
{
	struct work work = {.L = L};
	lua_Integer at = (lua_Integer)((lua_Unsigned)length(L) + 1), last = at;

	switch (lua_gettop(L)) {
	case 2:
		break;
	case 3:
		at = luaL_checkinteger(L, 2);
		luaL_argcheck(L, (lua_Unsigned)at - 1u < (lua_Unsigned)last, 2, "position out of bounds");
		for (lua_Integer i = last; i > at; i--) {
			count(&work, 1);
			(void)lua_geti(L, 1, i - 1);
			lua_seti(L, 1, i);
		}
		break;
	default:
		return luaL_error(L, "wrong number of arguments to 'insert'");
	}
	lua_seti(L, 1, at);
	return 0;
}

static int list_remove(lua_State *L)
{
	struct work work = {.L = L};
	lua_Integer size = length(L), at = luaL_optinteger(L, 2, size);

	if (!lua_isnone(L, 2))
		luaL_argcheck(L, at == size || (lua_Unsigned)at - 1u <= (lua_Unsigned)size, 2,
			      "position out of bounds");
	(void)lua_geti(L, 1, at);
	for (; at < size; at++) {
		count(&work, 1);
		(void)lua_geti(L, 1, at + 1);
		lua_seti(L, 1, at);
	}
	lua_pushnil(L);
	lua_seti(L, 1, at);
	return 1;
}

static int list_move(lua_State *L)
{
	struct work work = {.L = L};
	lua_Integer from = luaL_checkinteger(L, 2), last = luaL_checkinteger(L, 3), to = luaL_checkinteger(L, 4);
	int target = lua_isnoneornil(L, 5) ? 1 : 5;

	luaL_checktype(L, 1, LUA_TTABLE);
	luaL_checktype(L, target, LUA_TTABLE);
	sandbox_charge(L, 1);
	lua_settop(L, 5);
	if (last >= from) {
		luaL_argcheck(L, from > 0 || last < LUA_MAXINTEGER + from, 3, "too many elements to move");
		lua_Integer n = last - from + 1;
		luaL_argcheck(L, to <= LUA_MAXINTEGER - n + 1, 4, "destination wrap around");
		/* Backwards where what is still to be moved would be overwritten. */
		int backwards = to > from && to <= last && (target == 1 || lua_compare(L, 1, target, LUA_OPEQ));
		for (lua_Integer i = 0; i < n; i++) {
			lua_Integer k = backwards ? n - 1 - i : i;

			count(&work, 1);
			(void)lua_geti(L, 1, from + k);
			lua_seti(L, target, to + k);
		}
	}
	lua_pushvalue(L, target);
	return 1;
}

static int list_concat(lua_State *L)
{
	struct work work = {.L = L};
	luaL_Buffer out;
	lua_Integer size = length(L), first = luaL_optinteger(L, 3, 1), last = luaL_optinteger(L, 4, size);
	size_t separator_len, len;
	const char *separator = luaL_optlstring(L, 2, "", &separator_len);

	luaL_buffinit(L, &out);
	for (lua_Integer i = first; i <= last; i++) {
		(void)lua_geti(L, 1, i);
		if (!lua_isstring(L, -1))
			return luaL_error(L, "invalid value (at index %I) in table for 'concat'", (LUAI_UACINT)i);
		(void)lua_tolstring(L, -1, &len);
		count(&work, 1 + (len + separator_len) / BYTES_A_UNIT);
		luaL_addvalue(&out);
		if (i == last)
			break;
		luaL_addlstring(&out, separator, separator_len);
	}
	luaL_pushresult(&out);
	return 1;
}

static int list_unpack(lua_State *L)
{
	struct work work = {.L = L};
	lua_Integer first = luaL_optinteger(L, 2, 1), last = luaL_opt(L, luaL_checkinteger, 3, luaL_len(L, 1));

	sandbox_charge(L, 1);
	if (first > last)
		return 0;
	lua_Unsigned n = (lua_Unsigned)last - (lua_Unsigned)first;
	if (n >= (lua_Unsigned)INT_MAX || !lua_checkstack(L, (int)n + 1))
		return luaL_error(L, "too many results to unpack");
	for (lua_Integer i = first; i < last; i++) {
		count(&work, 1);
		(void)lua_geti(L, 1, i);
	}
	(void)lua_geti(L, 1, last);
	return (int)n + 1;
}

/* Is the value at b to stand before the one at a? The function at 2, or nil there for the operator <. */
static int comes_first(struct work *work, int b, int a)
{
	lua_State *L = work->L;

	if (lua_isnil(L, 2)) {
		size_t len = lua_type(L, a) == LUA_TSTRING ? (size_t)lua_rawlen(L, a) : 0;

		count(work, 1 + len / BYTES_A_UNIT);
		return lua_compare(L, b, a, LUA_OPLT);
	}
	count(work, 1);
	lua_pushvalue(L, 2);
	lua_pushvalue(L, b - (b < 0));
	lua_pushvalue(L, a - 2 * (a < 0));
	lua_call(L, 2, 1);
	int first = lua_toboolean(L, -1);
	lua_pop(L, 1);
	return first;
}

/* Merges from[low..middle) and from[middle..high) into to[low..high); from and to are the tables' places on the stack. */
static void merge(struct work *work, int from, int to, lua_Integer low, lua_Integer middle, lua_Integer high)
{
	lua_State *L = work->L;
	lua_Integer a = low, b = middle, out = low;

	while (a < middle && b < high) {
		(void)lua_rawgeti(L, from, a);
		(void)lua_rawgeti(L, from, b);
		if (comes_first(work, -1, -2)) {
			lua_rawseti(L, to, out++);
			lua_pop(L, 1);
			b++;
		} else {
			lua_pop(L, 1);
			lua_rawseti(L, to, out++);
			a++;
		}
	}
	for (; a < middle; a++) {
		(void)lua_rawgeti(L, from, a);
		lua_rawseti(L, to, out++);
	}
	for (; b < high; b++) {
		(void)lua_rawgeti(L, from, b);
		lua_rawseti(L, to, out++);
	}
	count(work, (size_t)(high - low) / 4 + 1);
}

/* Merge sort in two tables of its own: equal elements stay in their order, and an error leaves the list as it was. */
static int list_sort(lua_State *L)
{
	struct work work = {.L = L};
	lua_Integer n = length(L);
	int from = 3, to = 4;

	if (n < 2)
		return 0;
	luaL_argcheck(L, n < INT_MAX, 1, "array too big");
	if (!lua_isnoneornil(L, 2))
		luaL_checktype(L, 2, LUA_TFUNCTION);
	lua_settop(L, 2);
	lua_newtable(L);
	lua_newtable(L);
	for (lua_Integer i = 1; i <= n; i++) {
		count(&work, 1);
		(void)lua_geti(L, 1, i);
		lua_rawseti(L, from, i);
	}
	for (lua_Integer width = 1; width < n; width *= 2) {
		for (lua_Integer low = 1; low <= n; low += 2 * width) {
			lua_Integer middle = low + width <= n ? low + width : n + 1;

			merge(&work, from, to, low, middle, middle + width <= n ? middle + width : n + 1);
		}
		from = 7 - from;
		to = 7 - to;
	}
	for (lua_Integer i = 1; i <= n; i++) {
		count(&work, 1);
		(void)lua_rawgeti(L, from, i);
		lua_seti(L, 1, i);
	}
	return 0;
}

void list_open(lua_State *L)
{
	static const luaL_Reg functions[] = {
	    {"concat", list_concat}, {"insert", list_insert}, {"move", list_move}, {"remove", list_remove},
	    {"sort", list_sort},     {"unpack", list_unpack}, {NULL, NULL}};

	lua_getglobal(L, "table");
	luaL_setfuncs(L, functions, 0);
	lua_pop(L, 1);
}
