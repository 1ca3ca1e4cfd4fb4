/* Match: Lua's patterns with a matcher of our own, which counts its steps. Any pattern may run on any text: one that takes too
 * many steps ends like a loop that never ends, with the error of the limit. Only files of this room include it.
 *
 * The language is that of the manual (6.4.1): classes, sets, * + - ?, %b, %f, captures, position captures, %1 to %9, anchors.
 * No recursion: what may be tried another way is kept in a list of MATCH_CHOICES places; a pattern that needs more (over a hundred
 * repetitions and captures) is refused with an error. */
#ifndef FC_SCRIPT_MATCH_H
#define FC_SCRIPT_MATCH_H

#include <lua.h>

enum { MATCH_CHOICES = 256, MATCH_CAPTURES = 32 };

/* string.find, match, gmatch and gsub. */
int match_find(lua_State *L);
int match_match(lua_State *L);
int match_gmatch(lua_State *L);
int match_gsub(lua_State *L);

#endif
