/* Lua file: what a file is and where it stands, for the commands that work without a daemon. */
#ifndef FC_CLI_LUA_FILE_H
#define FC_CLI_LUA_FILE_H

#include "charge/policy.h"
#include "cli/cli.h"
#include "script/script.h"
#include "upstream/mapping.h"

enum lua_kind { LUA_MAPPING, LUA_POLICY, LUA_PROFILE, LUA_MODULE };

struct lua_file {
	const char *path; /* as it was given; borrowed */
	char name[SCRIPT_NAME_MAX + 1];
	char lua_dir[SCRIPT_PATH_MAX]; /* --lua-dir, else the folder above the file's own; lib/ is in it */
	char folder[64];               /* its own folder's name */
	enum lua_kind kind;
	int examples;
	struct script_host host;
	/* What it is; NULL unless it is that. */
	struct mapping *mapping;
	struct policy *policy;
};

/* Loads it as the gateway would: form, and with examples nonzero what it promises. FC_OK; else *err with file, line and reason,
 * and there is nothing to close. */
int lua_file_open(struct lua_file *file, const struct cli *cli, const char *path, struct error *err);
void lua_file_close(struct lua_file *file);
/* Where it stands, and its script alone, whatever its form: the owner frees. NULL and *err. */
struct script *lua_file_script(struct lua_file *file, const struct cli *cli, const char *path, struct error *err);

#endif
