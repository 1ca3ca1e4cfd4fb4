/* List: the library table, written anew: each asks for the length once (a __len may give another one each time), counts every
 * element, and sort is stable, where Lua's own picks its pivots by the clock. Only library.c includes it. */
#ifndef FC_SCRIPT_LIST_H
#define FC_SCRIPT_LIST_H

#include <lua.h>

/* Replaces concat, insert, move, remove, sort and unpack of the global table. Raises Lua errors. */
void list_open(lua_State *L);

#endif
