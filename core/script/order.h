/* Order: pairs and next in an order that is the same in every run: numbers by size, then texts byte by byte, then the rest. Lua's
 * own order hangs on the time and the addresses at the start of the program. Only library.c includes it. */
#ifndef FC_SCRIPT_ORDER_H
#define FC_SCRIPT_ORDER_H

#include <lua.h>

/* Replaces the globals pairs and next. Raises Lua errors.
 *
 * pairs walks the keys that the table has when it is called: what is removed during the walk is left out, what is added is not
 * seen. Two keys of one table that are tables, functions or threads have no order that repeats: an error. */
void order_open(lua_State *L);

#endif
