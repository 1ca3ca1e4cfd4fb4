/* Library: what scripts may call: a safe part of Lua's own library, bounded where a C function could run for long, the
 * gateway's API (api.h), and require. */
#ifndef FC_SCRIPT_LIBRARY_H
#define FC_SCRIPT_LIBRARY_H

#include <lua.h>

/* Puts the globals in place. Raises Lua errors (no memory): call it protected. */
void library_open(lua_State *L);

/* Registry names of the marks' metatables. */
#define LIBRARY_ARRAY  "forecourt.array"
#define LIBRARY_OBJECT "forecourt.object"
#define LIBRARY_FIXED  "forecourt.fixed"

#endif
