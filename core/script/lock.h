/* Lock: tables that scripts can read and not change: those of the library. What a script holds is an empty table that shows the
 * true one; the true one is out of its reach. */
#ifndef FC_SCRIPT_LOCK_H
#define FC_SCRIPT_LOCK_H

#include <lua.h>

/* Locks all that is in the global table now, tables in it too (not those with metatables), and gives the state a fresh global
 * table, which takes any other name. Replaces the globals rawset and rawget. Last of what makes a state. Raises Lua errors. */
void lock_globals(lua_State *L);
/* When the table at index (above 0) is a locked one, the true one takes its place there: only for functions that do not change it,
 * nor give it to a script. */
void lock_open(lua_State *L, int index);
int lock_is_on(lua_State *L, int index);

#endif
