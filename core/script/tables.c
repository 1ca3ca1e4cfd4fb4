#include "script/tables.h"

#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>

#include "script/api.h"
#include "script/sandbox.h"

/* Two layers in the registry, made of Lua tables so that the script's memory limit counts them: name -> { values, stamps, count },
 * values by key (false: removed), stamps by key. */
static const char overlay[] = "forecourt.overlay", scratch[] = "forecourt.scratch";

enum { VALUES = 1, STAMPS, COUNT };

enum {
	ASK_STEPS = 300, /* what a question to the store costs, in VM instructions */
	WALK_STEPS = 4,  /* entries walked over in the time of one */
};

/* Layers --------------------------------------------------------------------------------------------------------------- */

int tables_name_fits(const char *name)
{
	size_t len = strlen(name);

	return len && len <= TABLES_NAME_MAX && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_-") == len;
}

/* Pushes one of the three parts of a layer's table; 0 and nothing pushed when there is no such table. */
static int push_part(lua_State *L, const char *layer, const char *name, int part)
{
	int top = lua_gettop(L);
	int found = lua_getfield(L, LUA_REGISTRYINDEX, layer) == LUA_TTABLE && lua_getfield(L, -1, name) == LUA_TTABLE;

	if (found) {
		lua_rawgeti(L, -1, part);
		lua_replace(L, top + 1);
	}
	lua_settop(L, top + found);
	return found;
}

/* Pushes what a layer has under key: a text, false (removed), or nil. */
static int push_value(lua_State *L, const char *layer, const char *name, const char *key)
{
	if (!push_part(L, layer, name, VALUES)) {
		lua_pushnil(L);
		return LUA_TNIL;
	}
	int type = lua_getfield(L, -1, key);
	lua_remove(L, -2);
	return type;
}

static lua_Integer count_of(lua_State *L, const char *layer, const char *name)
{
	lua_Integer n = push_part(L, layer, name, COUNT) ? lua_tointeger(L, -1) : -1;

	if (n >= 0)
		lua_pop(L, 1);
	return n > 0 ? n : 0;
}

/* Pushes { values, stamps, count } of a table in a layer, made if need be. */
static void push_table(lua_State *L, const char *layer, const char *name)
{
	int tables = 0;

	luaL_getsubtable(L, LUA_REGISTRYINDEX, layer);
	if (lua_getfield(L, -1, name) == LUA_TTABLE) {
		lua_remove(L, -2);
		return;
	}
	lua_pop(L, 1);
	for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1))
		tables++;
	if (tables >= TABLES_MAX)
		luaL_error(L, "table: there are %d tables already, %s would be one more", TABLES_MAX, name);
	lua_createtable(L, COUNT, 0);
	for (int part = VALUES; part <= STAMPS; part++) {
		lua_newtable(L);
		lua_rawseti(L, -2, part);
	}
	lua_pushinteger(L, 0);
	lua_rawseti(L, -2, COUNT);
	lua_pushvalue(L, -1);
	lua_setfield(L, -3, name);
	lua_remove(L, -2);
}

/* The value is on the top of the stack (a text or false, or nil to take the key out of the layer), and is taken off. */
static void set(lua_State *L, const char *layer, const char *name, const char *key, int64_t stamp)
{
	int value = lua_gettop(L), is_there;

	push_table(L, layer, name);
	lua_rawgeti(L, -1, VALUES);
	is_there = lua_getfield(L, -1, key) != LUA_TNIL;
	lua_pop(L, 1);
	lua_pushvalue(L, value);
	lua_setfield(L, -2, key);
	lua_rawgeti(L, value + 1, STAMPS);
	if (lua_isnil(L, value))
		lua_pushnil(L);
	else
		lua_pushinteger(L, stamp);
	lua_setfield(L, -2, key);
	lua_rawgeti(L, value + 1, COUNT);
	lua_pushinteger(L, lua_tointeger(L, -1) + !lua_isnil(L, value) - is_there);
	lua_rawseti(L, value + 1, COUNT);
	lua_settop(L, value - 1);
}

/* Pushes the key that was put last, of those put before the stamp *before that have the value; 0 and nothing when
 * there is none. Sets *before to its stamp. */
static int push_newest(lua_State *L, const char *layer, const char *name, const char *value, int64_t *before)
{
	int64_t newest = 0;
	int top = lua_gettop(L);

	if (!push_part(L, layer, name, VALUES))
		return 0;
	(void)push_part(L, layer, name, STAMPS);
	sandbox_charge(L, 1 + (size_t)count_of(L, layer, name) / WALK_STEPS);
	lua_pushnil(L); /* the key found */
	for (lua_pushnil(L); lua_next(L, top + 1); lua_pop(L, 1)) {
		if (lua_type(L, -1) != LUA_TSTRING || strcmp(lua_tostring(L, -1), value) != 0)
			continue;
		lua_pushvalue(L, -2);
		lua_rawget(L, top + 2);
		int64_t stamp = lua_tointeger(L, -1);
		lua_pop(L, 1);
		if (stamp <= newest || stamp >= *before)
			continue;
		newest = stamp;
		lua_pushvalue(L, -2);
		lua_replace(L, top + 3);
	}
	lua_replace(L, top + 1);
	lua_settop(L, top + 1);
	*before = newest;
	if (!newest)
		lua_pop(L, 1);
	return newest != 0;
}

/* Below the overlay ---------------------------------------------------------------------------------------------------- */

/* The services' answer to a question, pushed; 0 and nothing when they know none. */
static int ask(lua_State *L, const char *name, const char *key, int reverse)
{
	const struct api *api = api_of(L);
	char text[TABLES_TEXT_MAX + 1];

	sandbox_charge(L, ASK_STEPS);
	int result = api->services->get(api->services->user, api->space, name, key, reverse, text, sizeof(text));
	if (!result)
		lua_pushstring(L, text);
	else if (result != FC_ENOENT)
		luaL_error(L, "table: %s can't be read", name);
	return !result;
}

static int push_kept(lua_State *L, const char *name, const char *key)
{
	if (api_is_live(api_of(L)))
		return ask(L, name, key, 0);
	if (push_value(L, scratch, name, key) == LUA_TSTRING)
		return 1;
	lua_pop(L, 1);
	return 0;
}

void tables_get(lua_State *L, const char *name, const char *key)
{
	switch (push_value(L, overlay, name, key)) {
	case LUA_TSTRING:
		return;
	case LUA_TBOOLEAN:
		lua_pop(L, 1);
		lua_pushnil(L);
		return;
	default:
		lua_pop(L, 1);
		break;
	}
	if (!push_kept(L, name, key))
		lua_pushnil(L);
}

void tables_key(lua_State *L, const char *name, const char *value)
{
	int live = api_is_live(api_of(L));
	int64_t before = INT64_MAX;

	if (push_newest(L, overlay, name, value, &before))
		return;
	before = INT64_MAX;
	/* Keys that this call has given another value, or removed, are passed over. */
	for (int rank = 1; live ? ask(L, name, value, rank) : push_newest(L, scratch, name, value, &before); rank++) {
		int is_under = push_value(L, overlay, name, lua_tostring(L, -1)) != LUA_TNIL;

		lua_pop(L, 1);
		if (!is_under)
			return;
		lua_pop(L, 1);
	}
	lua_pushnil(L);
}

/* How many entries this call has put. */
static lua_Integer count_puts(lua_State *L)
{
	lua_Integer n = 0;
	int top = lua_gettop(L);

	if (lua_getfield(L, LUA_REGISTRYINDEX, overlay) == LUA_TTABLE)
		for (lua_pushnil(L); lua_next(L, top + 1); lua_pop(L, 2)) {
			lua_rawgeti(L, -1, COUNT);
			n += lua_tointeger(L, -1);
		}
	lua_settop(L, top);
	return n;
}

void tables_put(lua_State *L, const char *name, const char *key, const char *value)
{
	struct api *api = api_of(L);

	if (api_is_live(api) && !*api->space)
		luaL_error(L, "table: this file has no tables of its own");
	tables_get(L, name, key);
	int is_same = value ? lua_isstring(L, -1) && !strcmp(lua_tostring(L, -1), value) : lua_isnil(L, -1);
	lua_pop(L, 1);
	if (is_same)
		return;
	if (push_value(L, overlay, name, key) == LUA_TNIL && count_puts(L) >= TABLES_PUTS_MAX)
		luaL_error(L, "table: more than %d puts in one call", TABLES_PUTS_MAX);
	lua_pop(L, 1);
	if (value)
		lua_pushstring(L, value);
	else
		lua_pushboolean(L, 0);
	set(L, overlay, name, key, ++api->stamp);
}

/* A call's end --------------------------------------------------------------------------------------------------------- */

void tables_begin(lua_State *L)
{
	lua_pushnil(L);
	lua_setfield(L, LUA_REGISTRYINDEX, overlay);
}

struct put {
	struct script_entry entry;
	int64_t stamp;
};

static int compare_puts(const void *a, const void *b)
{
	const struct put *x = a, *y = b;

	return x->stamp < y->stamp ? -1 : x->stamp > y->stamp;
}

/* The entries of one table of the overlay, on the top of the stack with its name below it. The texts are Lua's own, which live as
 * long as the overlay is not changed. */
static int list_table(lua_State *L, struct put *puts)
{
	int table = lua_gettop(L), n = 0;
	const char *name = lua_tostring(L, table - 1);

	lua_rawgeti(L, table, STAMPS);
	lua_rawgeti(L, table, VALUES);
	for (lua_pushnil(L); lua_next(L, table + 2); lua_pop(L, 1)) {
		lua_pushvalue(L, -2);
		lua_rawget(L, table + 1);
		puts[n].stamp = lua_tointeger(L, -1);
		lua_pop(L, 1);
		puts[n++].entry = (struct script_entry){
		    .table = name,
		    .key = lua_tostring(L, -2),
		    .value = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : NULL,
		};
	}
	lua_settop(L, table);
	return n;
}

static void keep_live(lua_State *L, const struct api *api, const struct put *puts, int count)
{
	struct script_entry *entries = lua_newuserdatauv(L, (size_t)count * sizeof(*entries), 0);
	struct error err = {0};

	for (int i = 0; i < count; i++)
		entries[i] = puts[i].entry;
	if (api->services->put(api->services->user, api->space, entries, count, &err))
		luaL_error(L, "table: what was put can't be kept: %s", err.text);
}

/* The youngest stay. */
static void evict(lua_State *L, const char *name)
{
	while (count_of(L, scratch, name) > TABLES_ENTRIES_MAX) {
		int64_t oldest = INT64_MAX;
		int top = lua_gettop(L);

		sandbox_charge(L, TABLES_ENTRIES_MAX / WALK_STEPS);
		(void)push_part(L, scratch, name, STAMPS);
		lua_pushnil(L); /* the key found */
		for (lua_pushnil(L); lua_next(L, top + 1); lua_pop(L, 1)) {
			if (lua_tointeger(L, -1) >= oldest)
				continue;
			oldest = lua_tointeger(L, -1);
			lua_pushvalue(L, -2);
			lua_replace(L, top + 2);
		}
		lua_pushnil(L);
		set(L, scratch, name, lua_tostring(L, top + 2), 0);
		lua_settop(L, top);
	}
}

static void keep_scratch(lua_State *L, const struct put *puts, int count)
{
	for (int i = 0; i < count; i++) {
		const struct script_entry *e = &puts[i].entry;

		lua_pushstring(L, e->value);
		set(L, scratch, e->table, e->key, puts[i].stamp);
		evict(L, e->table);
	}
}

void tables_commit(lua_State *L)
{
	const struct api *api = api_of(L);
	int count = 0, top = lua_gettop(L);
	lua_Integer most = count_puts(L);

	if (!most)
		return;
	(void)lua_getfield(L, LUA_REGISTRYINDEX, overlay);
	struct put *puts = lua_newuserdatauv(L, (size_t)most * sizeof(*puts), 0);
	for (lua_pushnil(L); lua_next(L, top + 1); lua_pop(L, 1))
		count += list_table(L, puts + count);
	qsort(puts, (size_t)count, sizeof(*puts), compare_puts);
	if (api_is_live(api))
		keep_live(L, api, puts, count);
	else
		keep_scratch(L, puts, count);
	tables_begin(L);
	lua_settop(L, top);
}

/* The scratch copy ----------------------------------------------------------------------------------------------------- */

static void fill_table(lua_State *L, const struct value *table)
{
	struct api *api = api_of(L);

	if (!tables_name_fits(table->key) || !value_is_object(table))
		luaL_error(L, "tables.%s: must be a table of texts by names, its own name of a-z 0-9 _ -", table->key);
	value_each (v, table) {
		size_t len = v->type == VALUE_STRING ? v->len : TABLES_TEXT_MAX + 1;

		if (len > TABLES_TEXT_MAX || strlen(v->text) != len || !*v->key || strlen(v->key) > TABLES_TEXT_MAX)
			luaL_error(L, "tables.%s.%s: must be a text of at most %d bytes", table->key, v->key,
				   TABLES_TEXT_MAX);
		lua_pushlstring(L, v->text, v->len);
		set(L, scratch, table->key, v->key, ++api->stamp);
	}
	evict(L, table->key);
}

void tables_fill(lua_State *L, const struct value *tables)
{
	tables_begin(L);
	lua_pushnil(L);
	lua_setfield(L, LUA_REGISTRYINDEX, scratch);
	if (tables && !value_is_object(tables))
		luaL_error(L, "tables: must be a table of tables");
	value_each (table, tables)
		fill_table(L, table);
}

static void checked(lua_State *L, int failed)
{
	if (failed)
		luaL_error(L, "tables: no memory");
}

struct value *tables_read(lua_State *L, struct arena *arena)
{
	struct value *tables = value_object(arena);
	int top = lua_gettop(L);

	checked(L, !tables);
	if (lua_getfield(L, LUA_REGISTRYINDEX, scratch) == LUA_TTABLE) {
		for (lua_pushnil(L); lua_next(L, top + 1); lua_settop(L, top + 2)) {
			struct value *table = value_object(arena);

			checked(L, value_add(arena, tables, lua_tostring(L, top + 2), table));
			lua_rawgeti(L, top + 3, VALUES);
			for (lua_pushnil(L); lua_next(L, top + 4); lua_pop(L, 1))
				checked(L, value_add(arena, table, lua_tostring(L, -2),
						     value_string(arena, lua_tostring(L, -1))));
		}
	}
	lua_settop(L, top);
	return tables;
}
