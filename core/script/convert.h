/* Convert: value trees to Lua and back. */
#ifndef FC_SCRIPT_CONVERT_H
#define FC_SCRIPT_CONVERT_H

#include <lua.h>

#include "base/value.h"

enum {
	CONVERT_KEEP_FLOATS = 1,    /* 1.0 stays a float; else an integral float becomes an integer (lua-cjson) */
	CONVERT_SKIP_FUNCTIONS = 2, /* functions are left out; else they are an error */
};

/* Pushes v (NULL pushes nil). Raises Lua errors. Lists and objects carry their marks, so that empty ones keep their
 * kind. */
void convert_push(lua_State *L, const struct value *v);
/* Builds the value at index in arena; raises a Lua error naming the path when it can't be (depth over 32, over 100 000
 * nodes, NaN, a function, a key that is no text, no memory). */
struct value *convert_read(lua_State *L, int index, struct arena *arena, int flags);

#endif
