/* Reshape: what most mappings do, other names for fields and a constant here and there, as a description that the core carries out on the
 * value tree. A call that enters Lua with a message, walks it there and reads it back costs twenty times as much.
 *
 * A script makes one with forecourt.reshape (api_reshape.c). It is a function there; script_call knows it and does without Lua. */
#ifndef FC_SCRIPT_RESHAPE_H
#define FC_SCRIPT_RESHAPE_H

#include <lua.h>

#include "base/error.h"
#include "base/value.h"

enum reshape_first { RESHAPE_AS_IT_IS, RESHAPE_LOWER, RESHAPE_UPPER };

struct reshape {
	const struct value **renames; /* texts, the new names; their keys are the old ones; sorted by these */
	size_t rename_count;
	enum reshape_first first;  /* letter of every other name, of A-Z a-z */
	const struct value *added; /* members for the message itself, or NULL */
};

/* description: a table as lua/README.md has it; what is made lives as long as it and the arena. FC_OK; FC_EINVAL, FC_ENOMEM. */
int reshape_compile(const struct value *description, struct arena *arena, struct reshape *out, struct error *err);
/* A new tree; texts stay those of the message, which must live as long. Of two fields that come to one name the last in the message's
 * order stays, and what is added takes the place of what bears its name. NULL: the arena is full. */
struct value *reshape_apply(const struct reshape *reshape, const struct value *message, struct arena *arena);

/* The description of the function at index, pushed; 0 and nothing pushed when it is not made by forecourt.reshape. */
int reshape_push_description(lua_State *L, int index);

#endif
