#include "script/order.h"

#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>

#include "script/lock.h"
#include "script/sandbox.h"

enum { KEYS_A_UNIT = 4, BYTES_A_UNIT = 64 };

/* Places on the stack of pairs: the table as it was given, and what it shows when it is a locked one. */
enum { GIVEN = 1, TABLE = 2 };

enum rank { RANK_NUMBER, RANK_TEXT, RANK_BOOLEAN, RANK_NULL, RANK_OTHER };

struct key {
	enum rank rank;
	int is_float;     /* a number; or the value of a boolean */
	double number;    /* also of an integer */
	lua_Integer i;    /* of an integer */
	const char *text; /* Lua's own: lives while the table holds it */
	size_t len;
};

/* The key at index, which is not changed. */
static struct key read_key(lua_State *L, int index)
{
	struct key k = {.rank = RANK_OTHER};

	switch (lua_type(L, index)) {
	case LUA_TNUMBER:
		k.rank = RANK_NUMBER;
		k.is_float = !lua_isinteger(L, index);
		k.number = lua_tonumber(L, index);
		k.i = k.is_float ? 0 : lua_tointeger(L, index);
		break;
	case LUA_TSTRING:
		k.rank = RANK_TEXT;
		k.text = lua_tolstring(L, index, &k.len);
		break;
	case LUA_TBOOLEAN:
		k.rank = RANK_BOOLEAN;
		k.is_float = lua_toboolean(L, index);
		break;
	case LUA_TLIGHTUSERDATA:
		k.rank = RANK_NULL;
		break;
	default:
		break;
	}
	return k;
}

static void push_key(lua_State *L, const struct key *k)
{
	if (k->rank == RANK_TEXT)
		lua_pushlstring(L, k->text, k->len);
	else if (k->rank == RANK_BOOLEAN)
		lua_pushboolean(L, k->is_float);
	else if (k->rank == RANK_NULL)
		lua_pushlightuserdata(L, NULL);
	else if (k->is_float)
		lua_pushnumber(L, k->number);
	else
		lua_pushinteger(L, k->i);
}

static int compare(const void *a, const void *b)
{
	const struct key *x = a, *y = b;

	if (x->rank != y->rank)
		return x->rank < y->rank ? -1 : 1;
	if (x->rank == RANK_TEXT) {
		int order = memcmp(x->text, y->text, x->len < y->len ? x->len : y->len);

		return order ? order : (x->len > y->len) - (x->len < y->len);
	}
	if (x->number != y->number)
		return x->number < y->number ? -1 : 1;
	if (x->is_float != y->is_float)
		return x->is_float - y->is_float;
	return (x->i > y->i) - (x->i < y->i);
}

static void refuse_second(lua_State *L, const struct key *k, int *others)
{
	if (k->rank == RANK_OTHER && (*others)++)
		luaL_error(L, "pairs, next: two keys are no text, number or boolean: nothing tells which comes first");
}

/* Counts the keys of the table and their work. *sequence: they are 1 to n. */
static size_t count_keys(lua_State *L, int *sequence)
{
	size_t n = 0, bytes = 0, depth = 1;
	int others = 0;

	*sequence = 1;
	lua_pushnil(L);
	while (lua_next(L, TABLE)) {
		lua_pop(L, 1);
		n++;
		if (lua_isinteger(L, -1) && lua_tointeger(L, -1) == (lua_Integer)n)
			continue;
		struct key k = read_key(L, -1);
		*sequence = 0;
		bytes += k.len;
		refuse_second(L, &k, &others);
	}
	for (size_t i = n; i > 1; i /= 2)
		depth++;
	sandbox_charge(L, 1 + (n / KEYS_A_UNIT + bytes / BYTES_A_UNIT) * (*sequence ? 1 : depth));
	return n;
}

/* Pushes the list of the table's keys in their order. */
static void push_keys(lua_State *L, size_t n)
{
	int list = lua_gettop(L) + 1;
	size_t i = 0;

	lua_createtable(L, (int)n, 0);
	struct key *keys = lua_newuserdatauv(L, n * sizeof(*keys), 0);
	lua_pushnil(L);
	while (i < n && lua_next(L, TABLE)) {
		lua_pop(L, 1);
		keys[i] = read_key(L, -1);
		if (keys[i++].rank == RANK_OTHER) {
			/* There is one at most and it is the last. */
			lua_pushvalue(L, -1);
			lua_rawseti(L, list, (lua_Integer)n);
		}
	}
	lua_settop(L, list + 1);
	qsort(keys, n, sizeof(*keys), compare);
	for (i = 0; i < n && keys[i].rank != RANK_OTHER; i++) {
		push_key(L, &keys[i]);
		lua_rawseti(L, list, (lua_Integer)i + 1);
	}
	lua_settop(L, list);
}

/* Upvalues: the table, the list of its keys or nil when they are 1 to n, n, how many were given. */
static int step(lua_State *L)
{
	lua_Integer n = lua_tointeger(L, lua_upvalueindex(3)), i = lua_tointeger(L, lua_upvalueindex(4));
	int plain = lua_isnil(L, lua_upvalueindex(2));

	while (i < n) {
		i++;
		if (plain)
			lua_pushinteger(L, i);
		else
			(void)lua_rawgeti(L, lua_upvalueindex(2), i);
		lua_pushvalue(L, -1);
		if (lua_rawget(L, lua_upvalueindex(1)) != LUA_TNIL) {
			lua_pushinteger(L, i);
			lua_replace(L, lua_upvalueindex(4));
			return 2;
		}
		lua_pop(L, 2);
	}
	lua_pushinteger(L, i);
	lua_replace(L, lua_upvalueindex(4));
	return 0;
}

static int order_pairs(lua_State *L)
{
	int sequence;

	luaL_checkany(L, 1);
	if (luaL_getmetafield(L, 1, "__pairs") != LUA_TNIL) {
		lua_pushvalue(L, 1);
		lua_call(L, 1, 3);
		return 3;
	}
	luaL_checktype(L, 1, LUA_TTABLE);
	lua_settop(L, 1);
	lua_pushvalue(L, 1);
	lock_open(L, TABLE);
	size_t n = count_keys(L, &sequence);
	lua_pushvalue(L, TABLE);
	if (sequence)
		lua_pushnil(L);
	else
		push_keys(L, n);
	lua_pushinteger(L, (lua_Integer)n);
	lua_pushinteger(L, 0);
	lua_pushcclosure(L, step, 4);
	lua_pushvalue(L, GIVEN);
	return 2;
}

/* The smallest key, or the smallest after a given one. A walk with it takes as many looks as the table has keys, each time: pairs
 * is the one for walks. */
static int order_next(lua_State *L)
{
	struct key after, best = {.rank = RANK_OTHER}, k;
	int others = 0, found = 0;
	size_t n = 0;

	luaL_checktype(L, 1, LUA_TTABLE);
	lua_settop(L, 2);
	lock_open(L, 1);
	int first = lua_isnil(L, 2);
	after = read_key(L, 2);
	lua_pushnil(L);
	lua_pushnil(L);
	/* 3: the best so far; 4: the key. */
	while (lua_next(L, 1)) {
		lua_pop(L, 1);
		k = read_key(L, 4);
		refuse_second(L, &k, &others);
		if (++n % 64 == 0)
			sandbox_charge(L, 64 / KEYS_A_UNIT);
		if ((!first && compare(&k, &after) <= 0) || (found && compare(&k, &best) >= 0))
			continue;
		found = 1;
		best = k;
		lua_copy(L, 4, 3);
	}
	sandbox_charge(L, 1);
	lua_settop(L, 3);
	if (!found) {
		lua_pushnil(L);
		return 1;
	}
	lua_pushvalue(L, 3);
	(void)lua_rawget(L, 1);
	return 2;
}

void order_open(lua_State *L)
{
	lua_pushcfunction(L, order_pairs);
	lua_setglobal(L, "pairs");
	lua_pushcfunction(L, order_next);
	lua_setglobal(L, "next");
}
