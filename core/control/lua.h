/* Lua: what the commands about Lua files share: versions found by what people type, and a reload that is waited for. For this room
 * only. */
#ifndef FC_CONTROL_LUA_H
#define FC_CONTROL_LUA_H

#include "control/command.h"
#include "control/in_force.h"
#include "script/script.h"
#include "store/versions.h"

enum { LUA_AGAIN = CONTROL_LATER + 1 };
enum { LUA_PREFIX_MIN = 6, LUA_SHORT = 12, LUA_TEXT_MAX = 256 << 10 /* of a file that is read or saved by command */ };

struct in_force lua_in_force(const struct control *control);
/* A version of an item. prefix: of the version, or of the text's hash; NULL = the one in force, or the newest when none is. before: the
 * last one before that with another text. FC_OK; FC_ENOENT, FC_EINVAL (no hexadecimal number, ambiguous), FC_EIO. */
int lua_find(const struct control *control, const char *item, const char *prefix, int before, struct version *found,
	     struct error *err);
/* The file of an item. FC_OK; FC_EINVAL for what can be none, such as "../x". */
int lua_path(const struct control *control, const char *item, char path[SCRIPT_PATH_MAX], struct error *err);

/* A file's text, to be freed, and its hash. FC_OK; FC_ENOENT, FC_EIO; FC_ELIMIT above LUA_TEXT_MAX; FC_EINVAL when it is no UTF-8. */
int lua_read_text(const char *path, char **text, size_t *len, char hash[SOURCE_HASH], struct error *err);
/* FC_OK; FC_EINVAL and where it is no UTF-8, or holds a zero byte. */
int lua_check_text(const char *text, size_t len, struct error *err);
/* The folders of Lua files, "profiles" ...; NULL past the end. */
const char *lua_folder(int index);
/* What names the item: "platform city", "station s1", "charger c1", and of a module the files in force that require it. */
void lua_used_by(const struct control *control, const char *item, void (*fn)(void *user, const char *who), void *user);

/* Work beside the loop that a command waits for: step is called on the shelf's thread until it returns 0, done on the loop then (or
 * here and now, without a shelf: tests). reply is NULL once nobody waits. */
struct lua_work {
	struct control *control;
	struct control_reply *reply;
	int (*step)(struct lua_work *work);
	/* Fills reply->result: FC_OK, or why not in *err and its code. LUA_AGAIN: there is more to do, step is called again.
	 * CONTROL_LATER: the reply was taken over, and work is not released here. */
	int (*done)(struct lua_work *work, struct error *err);
	void (*release)(struct lua_work *work);
};
/* What the command is to return. work is taken over; it may be the beginning of something larger. */
int lua_work(struct lua_work *work, struct error *err);

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
