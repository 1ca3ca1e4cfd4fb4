/* Tables: the lookup tables that a script sees. What a call puts lies over what is kept, and is kept itself only when the call went
 * well: by the services, all at once, or for examples and replays in a scratch copy that nobody keeps. Only files of this room
 * include it. All functions may raise Lua errors. */
#ifndef FC_SCRIPT_TABLES_H
#define FC_SCRIPT_TABLES_H

#include <lua.h>

#include "base/arena.h"
#include "base/value.h"

enum {
	TABLES_TEXT_MAX = 200,      /* bytes of a key or a value */
	TABLES_NAME_MAX = 31,       /* of a table's name */
	TABLES_MAX = 16,            /* tables of a space */
	TABLES_ENTRIES_MAX = 10000, /* of a table; the one put or changed the longest time ago goes */
	TABLES_PUTS_MAX = 1000,     /* entries that one call may put */
};

/* Pushes the value of a key, or nil. */
void tables_get(lua_State *L, const char *name, const char *key);
/* Pushes the key of a value, of several the one put last; or nil. */
void tables_key(lua_State *L, const char *name, const char *value);
/* value NULL removes the key. The three texts must be on the stack until this returns. */
void tables_put(lua_State *L, const char *name, const char *key, const char *value);

/* A call begins: what an earlier one has left is dropped. */
void tables_begin(lua_State *L);
/* A call went well: what it has put is kept. Raises an error when it can't be. */
void tables_commit(lua_State *L);
/* The scratch copy: fills it with { ids = { key = "value" } } (NULL: nothing), and reads it. */
void tables_fill(lua_State *L, const struct value *tables);
struct value *tables_read(lua_State *L, struct arena *arena);
/* Nonzero when a text may be the name of a table: 1 to TABLES_NAME_MAX of a-z 0-9 _ -. */
int tables_name_fits(const char *name);

#endif
