/* Place: where in a Lua file a key of its returned table stands. Lua itself can't tell; the source is searched. */
#ifndef FC_CLI_PLACE_H
#define FC_CLI_PLACE_H

/* The line (from 1) of "points.power.type" or "examples[2].expect" in source; of the last part that stands there, when the rest
 * does not (a key that is missing). 0: nothing of it, or the table is made by code. */
int place_line(const char *source, const char *place);

#endif
