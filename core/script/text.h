/* Text: the functions on texts that scripts get in place of Lua's own: the work of each is counted, no result is larger than
 * TEXT_LONGEST, and none shows an address. Only library.c includes it. */
#ifndef FC_SCRIPT_TEXT_H
#define FC_SCRIPT_TEXT_H

#include <lua.h>

/* Replaces functions of string and utf8, tostring, tonumber and select, and the arithmetic of texts. Raises Lua errors. */
void text_open(lua_State *L);

#endif
