/* Search: the functions of the library string that take patterns, on the matcher of match.h. Only files of this room include it. */
#ifndef FC_SCRIPT_SEARCH_H
#define FC_SCRIPT_SEARCH_H

#include <lua.h>

/* string.find, match, gmatch and gsub. */
int search_find(lua_State *L);
int search_match(lua_State *L);
int search_gmatch(lua_State *L);
int search_gsub(lua_State *L);

#endif
