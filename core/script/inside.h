/* Inside: what other files of this room need of struct script. */
#ifndef FC_SCRIPT_INSIDE_H
#define FC_SCRIPT_INSIDE_H

#include "script/sandbox.h"
#include "script/script.h"

/* Calls function with argument as a light userdata, within these limits and what is left for the examples. As sandbox_call. */
int script_protected(struct script *script, lua_CFunction function, void *argument, int instructions, int time_ms);
/* Pushes what path names in the returned table, by raw access; nil when there is none. */
void script_push_path(lua_State *L, const struct script *script, const char *path);
/* Fills *err with the error on the stack, which names file and line or at least the file. Returns code. */
int script_failed(struct script *script, int code, struct error *err);

#endif
