/* Lua: what the commands about Lua files share: versions found by what people type, and a reload that is waited for. For this room
 * only. */
#ifndef FC_CONTROL_LUA_H
#define FC_CONTROL_LUA_H

#include "control/command.h"
#include "control/in_force.h"
#include "script/script.h"
#include "store/versions.h"

enum { LUA_PREFIX_MIN = 6, LUA_SHORT = 12 };

struct in_force lua_in_force(const struct control *control);
/* A version of an item. prefix: of the version, or of the text's hash; NULL = the one in force, or the newest when none is. before: the
 * last one before that with another text. FC_OK; FC_ENOENT, FC_EINVAL (no hexadecimal number, ambiguous), FC_EIO. */
int lua_find(const struct control *control, const char *item, const char *prefix, int before, struct version *found,
	     struct error *err);
/* The file of an item. FC_OK; FC_EINVAL for what can be none, such as "../x". */
int lua_path(const struct control *control, const char *item, char path[SCRIPT_PATH_MAX], struct error *err);

/* A command that ends once the Lua files were loaded again. */
struct lua_wait {
	struct control *control;
	struct control_reply *reply; /* NULL: nobody waits any more */
	/* Fills reply->result. FC_OK, or why not in *err and its code. */
	int (*finish)(struct lua_wait *wait, const char *const *refusals, int count, struct error *err);
	void (*release)(struct lua_wait *wait); /* frees it */
	/* Its own. */
	int is_calling, is_done, result;
	struct error err;
};
/* Loads them. wait is taken over; it may be the beginning of something larger. Returns what the command is to return. */
int lua_reload(struct lua_wait *wait, const char *origin, struct error *err);

#endif
