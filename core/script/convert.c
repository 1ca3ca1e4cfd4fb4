#include "script/convert.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>

#include "script/api.h"
#include "script/library.h"
#include "script/sandbox.h"

enum { DEPTH_MAX = 32, PATH_MAX_TEXT = 160 };

/* By the decimals that a value may have. */
static const double powers[] = {1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9};

void convert_push(lua_State *L, const struct value *v)
{
	luaL_checkstack(L, 4, "too deep");
	if (!v) {
		lua_pushnil(L);
		return;
	}
	switch (v->type) {
	case VALUE_NULL:
		lua_pushlightuserdata(L, NULL);
		return;
	case VALUE_BOOL:
		lua_pushboolean(L, (int)v->i);
		return;
	case VALUE_INT:
		lua_pushinteger(L, v->i);
		return;
	case VALUE_FLOAT:
		lua_pushnumber(L, v->f);
		return;
	case VALUE_DECIMAL:
		lua_pushnumber(L, (double)v->i / powers[v->decimals]);
		return;
	case VALUE_NUMBER:
		lua_pushnumber(L, strtod(v->text, NULL));
		return;
	case VALUE_STRING:
		lua_pushlstring(L, v->text, v->len);
		return;
	case VALUE_EMPTY:
		lua_newtable(L);
		return;
	case VALUE_ARRAY: {
		lua_Integer n = 0;

		lua_createtable(L, (int)v->count, 0);
		value_each (item, v) {
			convert_push(L, item);
			lua_rawseti(L, -2, ++n);
		}
		luaL_setmetatable(L, LIBRARY_ARRAY);
		return;
	}
	case VALUE_OBJECT:
		lua_createtable(L, 0, (int)v->count);
		value_each (member, v) {
			convert_push(L, member);
			lua_setfield(L, -2, member->key);
		}
		luaL_setmetatable(L, LIBRARY_OBJECT);
		return;
	}
}

/* A step from the root to the value being read, on the stack of the walk; its text is made only when it is needed. */
struct step {
	const struct step *up;
	const char *key; /* NULL: the item i */
	lua_Integer i;
};

struct reader {
	lua_State *L;
	struct arena *arena;
	int flags;
	int nodes;
	const struct step *at; /* NULL at the root */
	char path[PATH_MAX_TEXT];
};

static struct value *read_value(struct reader *r, int index, int depth);

static size_t write_path(const struct step *step, char *out, size_t size)
{
	size_t n = step->up ? write_path(step->up, out, size) : 0;
	int more;

	if (step->key)
		more = snprintf(out + n, size - n, "%s%s", n ? "." : "", step->key);
	else
		more = snprintf(out + n, size - n, "[%lld]", (long long)step->i);
	n += more > 0 ? (size_t)more : 0;
	return n < size ? n : size - 1;
}

static const char *place(struct reader *r)
{
	if (!r->at)
		return "the value";
	(void)write_path(r->at, r->path, sizeof(r->path));
	return r->path;
}

/* The text comes first: once the memory counts as exhausted there is none for it. */
static void refuse_size(struct reader *r, const char *why)
{
	lua_pushfstring(r->L, "%s: is too large: %s", place(r), why);
	sandbox_of(r->L)->exhausted = SANDBOX_MEMORY;
	(void)lua_error(r->L);
}

static void *checked(struct reader *r, void *made)
{
	if (!made)
		refuse_size(r, "no memory");
	return made;
}

static int has_mark(lua_State *L, int index, const char *name)
{
	if (!lua_getmetatable(L, index))
		return 0;
	luaL_getmetatable(L, name);
	int same = lua_rawequal(L, -1, -2);
	lua_pop(L, 2);
	return same;
}

static struct value *read_number(struct reader *r, int index)
{
	if (lua_isinteger(r->L, index))
		return checked(r, value_int(r->arena, lua_tointeger(r->L, index)));
	double f = lua_tonumber(r->L, index);
	if (!isfinite(f))
		luaL_error(r->L, "%s: is not a finite number", place(r));
	if (!(r->flags & CONVERT_KEEP_FLOATS) && f == floor(f) && fabs(f) < 9007199254740992.0)
		return checked(r, value_int(r->arena, (int64_t)f));
	return checked(r, value_float(r->arena, f));
}

/* 1 when the keys are exactly 1..n. */
static int is_sequence(lua_State *L, int index, size_t *count)
{
	size_t n = 0;
	int sequence = 1;
	lua_Unsigned len = lua_rawlen(L, index);

	lua_pushnil(L);
	while (lua_next(L, index)) {
		n++;
		if (!lua_isinteger(L, -2) || lua_tointeger(L, -2) < 1 || (lua_Unsigned)lua_tointeger(L, -2) > len)
			sequence = 0;
		lua_pop(L, 1);
	}
	*count = n;
	return sequence && n == len;
}

static struct value *read_list(struct reader *r, int index, int depth)
{
	struct value *list = checked(r, value_array(r->arena));
	lua_Integer n = (lua_Integer)lua_rawlen(r->L, index);

	for (lua_Integer i = 1; i <= n; i++) {
		const struct step step = {.up = r->at, .i = i};

		r->at = &step;
		lua_rawgeti(r->L, index, i);
		struct value *item = read_value(r, lua_gettop(r->L), depth + 1);
		lua_pop(r->L, 1);
		/* A function that is left out, or a hole, leaves null: places must not move. */
		if (!item)
			item = checked(r, value_null(r->arena));
		(void)value_push(list, item);
		r->at = step.up;
	}
	return list;
}

struct key {
	const char *
	    text; /* Lua's own, which lives as long as the table is not changed; or made for an integer, in the arena */
	size_t len;
	int is_integer;
	lua_Integer i;
};

/* Integers by size, then texts: the order of a file's output must not depend on Lua's hashing. */
static int compare_keys(const void *a, const void *b)
{
	const struct key *x = a, *y = b;

	if (x->is_integer != y->is_integer)
		return x->is_integer ? -1 : 1;
	if (x->is_integer)
		return x->i < y->i ? -1 : x->i > y->i;
	return strcmp(x->text, y->text);
}

/* Nearly every table has few: no call for each comparison, and no memory. */
static void sort_keys(struct key *keys, size_t count)
{
	enum { FEW = 12 };

	if (count > FEW) {
		qsort(keys, count, sizeof(*keys), compare_keys);
		return;
	}
	for (size_t i = 1; i < count; i++) {
		const struct key k = keys[i];
		size_t at = i;

		for (; at && compare_keys(&k, &keys[at - 1]) < 0; at--)
			keys[at] = keys[at - 1];
		keys[at] = k;
	}
}

static struct key *read_keys(struct reader *r, int index, size_t count)
{
	lua_State *L = r->L;
	struct key *keys = checked(r, arena_alloc(r->arena, count * sizeof(*keys)));
	size_t n = 0;

	lua_pushnil(L);
	while (n < count && lua_next(L, index)) {
		struct key *k = &keys[n++];

		lua_pop(L, 1);
		if (lua_isinteger(L, -1)) {
			k->is_integer = 1;
			k->i = lua_tointeger(L, -1);
			k->text = checked(r, arena_printf(r->arena, "%lld", (long long)k->i));
			k->len = strlen(k->text);
		} else if (lua_type(L, -1) == LUA_TSTRING) {
			k->text = lua_tolstring(L, -1, &k->len);
			if (strlen(k->text) != k->len)
				luaL_error(L, "%s: a key holds a zero byte", place(r));
		} else {
			luaL_error(L, "%s: a key is a %s, not a text", place(r), luaL_typename(L, -1));
		}
	}
	sort_keys(keys, count);
	return keys;
}

static struct value *read_object(struct reader *r, int index, size_t count, int depth)
{
	struct value *object = checked(r, value_object(r->arena));
	const struct key *keys = read_keys(r, index, count);

	for (size_t i = 0; i < count; i++) {
		const struct step step = {.up = r->at, .key = keys[i].text};

		r->at = &step;
		if (keys[i].is_integer) {
			lua_rawgeti(r->L, index, keys[i].i);
		} else {
			lua_pushlstring(r->L, keys[i].text, keys[i].len);
			lua_rawget(r->L, index);
		}
		struct value *member = read_value(r, lua_gettop(r->L), depth + 1);
		lua_pop(r->L, 1);
		if (member && value_add(r->arena, object, keys[i].text, member))
			(void)checked(r, NULL);
		r->at = step.up;
	}
	return object;
}

static struct value *read_table(struct reader *r, int index, int depth)
{
	size_t count;

	if (depth > DEPTH_MAX)
		luaL_error(r->L, "%s: is nested deeper than %d (or holds itself)", place(r), DEPTH_MAX);
	if (has_mark(r->L, index, LIBRARY_FIXED)) {
		lua_rawgeti(r->L, index, 1);
		const char *text = lua_tostring(r->L, -1);
		struct value *number = checked(r, value_number(r->arena, text ? text : "0"));
		lua_pop(r->L, 1);
		return number;
	}
	int sequence = is_sequence(r->L, index, &count);
	if (!count) {
		if (has_mark(r->L, index, LIBRARY_ARRAY))
			return checked(r, value_array(r->arena));
		if (has_mark(r->L, index, LIBRARY_OBJECT))
			return checked(r, value_object(r->arena));
		return checked(r, value_empty(r->arena));
	}
	return sequence ? read_list(r, index, depth) : read_object(r, index, count, depth);
}

static struct value *read_value(struct reader *r, int index, int depth)
{
	lua_State *L = r->L;
	const char *text;
	size_t len;

	luaL_checkstack(L, 6, "too deep");
	if (++r->nodes > CONVERT_VALUES_MAX)
		refuse_size(r, "more values than a message may have");
	switch (lua_type(L, index)) {
	case LUA_TNIL:
		return NULL;
	case LUA_TBOOLEAN:
		return checked(r, value_bool(r->arena, lua_toboolean(L, index)));
	case LUA_TNUMBER:
		return read_number(r, index);
	case LUA_TSTRING:
		text = lua_tolstring(L, index, &len);
		return checked(r, value_string_len(r->arena, text, len));
	case LUA_TTABLE:
		return read_table(r, index, depth);
	case LUA_TLIGHTUSERDATA:
		if (!lua_touserdata(L, index))
			return checked(r, value_null(r->arena));
		break;
	case LUA_TUSERDATA:
		if (api_push_decimal_text(L, index)) {
			struct value *number = checked(r, value_number(r->arena, lua_tostring(L, -1)));

			lua_pop(L, 1);
			return number;
		}
		break;
	case LUA_TFUNCTION:
		if (r->flags & CONVERT_SKIP_FUNCTIONS)
			return NULL;
		break;
	default:
		break;
	}
	luaL_error(L, "%s: a %s can't be part of a message", place(r), luaL_typename(L, index));
	return NULL;
}

struct value *convert_read(lua_State *L, int index, struct arena *arena, int flags)
{
	struct reader r = {.L = L, .arena = arena, .flags = flags};

	return read_value(&r, lua_absindex(L, index), 0);
}

static void list_functions(struct reader *r, int index, int depth, struct value *list)
{
	lua_State *L = r->L;

	luaL_checkstack(L, 6, "too deep");
	if (depth > DEPTH_MAX)
		luaL_error(L, "%s: is nested deeper than %d (or holds itself)", place(r), DEPTH_MAX);
	lua_pushnil(L);
	while (lua_next(L, index)) {
		int is_text = lua_type(L, -2) == LUA_TSTRING;
		const struct step step = {r->at, is_text ? lua_tostring(L, -2) : NULL,
					  is_text ? 0 : lua_tointeger(L, -2)};

		r->at = &step;
		if (lua_isfunction(L, -1))
			(void)value_push(list, checked(r, value_string(r->arena, place(r))));
		else if (lua_istable(L, -1))
			list_functions(r, lua_gettop(L), depth + 1, list);
		lua_pop(L, 1);
		r->at = step.up;
	}
}

struct value *convert_functions(lua_State *L, int index, struct arena *arena)
{
	struct reader r = {.L = L, .arena = arena};
	struct value *list = checked(&r, value_array(arena));

	list_functions(&r, lua_absindex(L, index), 0, list);
	return list;
}
