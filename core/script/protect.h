/* Protect: how scripts catch errors and run coroutines: pcall, xpcall and the coroutine library in forms that no script
 * can use to outlive a limit. Only library.c includes it. */
#ifndef FC_SCRIPT_PROTECT_H
#define FC_SCRIPT_PROTECT_H

#include <lua.h>

/* Replaces the globals pcall and xpcall and the functions of the global table coroutine that could run scripts. Raises
 * Lua errors.
 *
 * What differs from Lua's own: an exhausted limit (memory too) can't be caught; the handler of xpcall runs after the
 * stack is unwound; the to-be-closed variables of a coroutine that failed are not closed. */
void protect_open(lua_State *L);

#endif
