/* Convert: value trees to Lua and back. */
#ifndef FC_SCRIPT_CONVERT_H
#define FC_SCRIPT_CONVERT_H

#include <lua.h>

#include "base/value.h"

enum {
	CONVERT_KEEP_FLOATS = 1,    /* 1.0 stays a float; else an integral float becomes an integer */
	CONVERT_SKIP_FUNCTIONS = 2, /* functions are left out; else they are an error */
};

enum { CONVERT_VALUES_MAX = 100000 };

/* Pushes v (NULL pushes nil). Raises Lua errors. Lists and objects carry their marks, so that empty ones keep their
 * kind. */
void convert_push(lua_State *L, const struct value *v);
/* Builds the value at index in arena; raises a Lua error naming the path when it can't be (depth over 32, over
 * CONVERT_VALUES_MAX values, NaN, a function, a key that is no text, no memory). Too many values and a full arena count
 * as an exhausted limit of the sandbox. */
struct value *convert_read(lua_State *L, int index, struct arena *arena, int flags);
/* The paths ("map.query_token.request") of all functions in the table at index, as a list of texts. Raises Lua errors. */
struct value *convert_functions(lua_State *L, int index, struct arena *arena);

#endif
