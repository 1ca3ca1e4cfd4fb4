/* Fallback: a start with Lua files that are broken, half-written or gone. What was in force before goes on, as it would have without
 * the start: it is in the store. */
#ifndef FC_MAIN_FALLBACK_H
#define FC_MAIN_FALLBACK_H

#include "config/config.h"
#include "script/shelf.h"
#include "store/store.h"

/* After shelf_load: each script that failed is replaced by the newest of its versions that can be loaded and fits config, with the
 * modules it was made of; where there is none the rooms go on without it (shelf_do_without). Says so in the log. Writes nothing. */
void fallback_load(struct store *store, const char *lua_dir, struct shelf *shelf, const struct config *config);

#endif
