/* Backup Lua: the Lua files of a folder as one text, and back. Reads and compresses: beside the loop. For this room only. */
#ifndef FC_CONTROL_BACKUP_LUA_H
#define FC_CONTROL_BACKUP_LUA_H

#include <stddef.h>

#include "base/arena.h"
#include "base/error.h"

enum { BACKUP_LUA_FILES = 400, BACKUP_LUA_BYTES = 4 << 20 };

struct backup_lua {
	int count;
	struct backup_lua_file {
		char item[80]; /* "profiles/x" */
		const char *text;
		size_t len;
	} files[BACKUP_LUA_FILES]; /* by folder and name */
};

/* Reads profiles/, operators/, policies/ and lib/ of lua_dir. Texts are in arena. FC_OK, FC_EIO, FC_ELIMIT, FC_ENOMEM. */
int backup_lua_read(struct backup_lua *lua, const char *lua_dir, struct arena *arena, struct error *err);
/* list: "ITEM BYTES\n" each; data: base64 of zlib; both to be free()d. */
int backup_lua_pack(const struct backup_lua *lua, char **list, char **data, struct error *err);
/* FC_EINVAL: no such list; every item is one that may be a file of ours, and none comes twice. */
int backup_lua_unpack(struct backup_lua *lua, const char *list, const char *data, struct arena *arena,
		      struct error *err);

#endif
