/* Lookup tables, as a script handles them; tables.c does the work. */
#include <string.h>

#include <lauxlib.h>

#include "script/api.h"
#include "script/tables.h"

#define TABLE "forecourt.table"

struct table {
	char name[TABLES_NAME_MAX + 1];
};

static int open_table(lua_State *L)
{
	size_t len;
	const char *name = luaL_checklstring(L, 1, &len);

	if (len > TABLES_NAME_MAX || strlen(name) != len || !tables_name_fits(name))
		return luaL_error(L, "table: \"%s\" is no usable name: a-z 0-9 _ -, at most %d",
				  len > TABLES_NAME_MAX ? "..." : name, TABLES_NAME_MAX);
	struct table *table = lua_newuserdatauv(L, sizeof(*table), 0);
	memcpy(table->name, name, len + 1);
	luaL_setmetatable(L, TABLE);
	return 1;
}

/* A whole number stands for its digits. A float does not: 1.0 is not the text 1. */
static const char *check_text(lua_State *L, int index, const char *what, int may_be_empty)
{
	size_t len;

	if (lua_type(L, index) != LUA_TSTRING && !lua_isinteger(L, index))
		luaL_error(L, "table: the %s must be a text, not a %s", what, luaL_typename(L, index));
	const char *text = lua_tolstring(L, index, &len);
	if (len > TABLES_TEXT_MAX || strlen(text) != len || (!len && !may_be_empty))
		luaL_error(L, "table: the %s must be a text of at most %d bytes, without a zero byte%s", what,
			   TABLES_TEXT_MAX, may_be_empty ? "" : ", and not empty");
	return text;
}

static const char *check_table(lua_State *L)
{
	const struct table *table = luaL_checkudata(L, 1, TABLE);

	return table->name;
}

static int get(lua_State *L)
{
	const char *name = check_table(L);

	tables_get(L, name, check_text(L, 2, "key", 0));
	return 1;
}

static int key_of(lua_State *L)
{
	const char *name = check_table(L);

	tables_key(L, name, check_text(L, 2, "value", 1));
	return 1;
}

static int put(lua_State *L)
{
	const char *name = check_table(L), *key = check_text(L, 2, "key", 0);

	tables_put(L, name, key, lua_isnoneornil(L, 3) ? NULL : check_text(L, 3, "value", 1));
	return 0;
}

static const struct api_entry entries[] = {
    {"forecourt.table(name)", "table", "a lookup table; its name is of a-z 0-9 _ -", open_table},
    {"t:get(key)", "text or nil", "the value of a key", get},
    {"t:put(key, value)", "", "keeps the value; nil removes the key", put},
    {"t:key(value)", "text or nil", "the key of a value; of several the one put last", key_of},
    {NULL, NULL, NULL, NULL}};

const struct api_subject api_table_subject = {
    .title = "Lookup tables",
    .text = "For what must be known later: the number that a platform has given an order, the names it uses for "
	    "connectors. Kept on the disk "
	    "over reloads and restarts; a mapping's belong to the platform's section, a policy's to the policy (not to "
	    "each station), and a profile "
	    "has none. Keys and values are texts of at most 200 bytes; a table holds 10 000 entries, then the one that "
	    "was put or changed the "
	    "longest time ago goes; 16 tables, 1000 puts a call. A call that fails keeps nothing of what it has put; a "
	    "call whose puts can't be kept "
	    "(disk full) fails. A put of what is there already writes nothing; every other one is a write to the flash "
	    "before the message goes on: "
	    "not for what changes with each message.",
    .metatable = TABLE,
    .entries = entries,
    .example = "local ids = forecourt.table(\"ids\")\n"
	       "ids:put(\"11010500010011\", \"CN*88*7\")\n"
	       "assert(ids:get(\"11010500010011\") == \"CN*88*7\")\n"
	       "assert(ids:key(\"CN*88*7\") == \"11010500010011\")\n"
	       "ids:put(\"11010500010011\", nil)\n"
	       "assert(ids:get(\"11010500010011\") == nil)",
};
