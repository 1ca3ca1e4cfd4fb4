#include "cli/lua_file.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "device/device.h"

static const char *const folders[] = {
    [LUA_MAPPING] = "operators", [LUA_POLICY] = "policies", [LUA_PROFILE] = "profiles", [LUA_MODULE] = "lib"};
static const char *const kinds[] = {[LUA_MAPPING] = "operator", [LUA_POLICY] = "policy", [LUA_PROFILE] = "profile"};

/* DIR/FOLDER/NAME.lua, symbolic links followed. */
static int find_place(struct lua_file *f, const struct cli *cli, const char *path, struct error *err)
{
	char full[PATH_MAX];

	memset(f, 0, sizeof(*f));
	f->path = path;
	if (!realpath(path, full))
		return error_set(err, FC_ENOENT, "%s: %s", path, strerror(errno));
	if (script_name_of(path, f->name))
		return error_set(err, FC_EINVAL, "%s: is no usable name: a-z 0-9 _ -, and .lua behind", path);
	char *slash = strrchr(full, '/');
	*slash = '\0';
	slash = strrchr(full, '/');
	int n = snprintf(f->folder, sizeof(f->folder), "%s", slash ? slash + 1 : "");
	if (n < 0 || (size_t)n >= sizeof(f->folder))
		f->folder[0] = '\0';
	if (slash)
		*slash = '\0';
	n = snprintf(f->lua_dir, sizeof(f->lua_dir), "%s", cli->lua_dir ? cli->lua_dir : *full ? full : "/");
	if (n < 0 || (size_t)n >= sizeof(f->lua_dir))
		return error_set(err, FC_ELIMIT, "%s: the path is too long", path);
	f->host = (struct script_host){.lua_dir = f->lua_dir};
	return FC_OK;
}

struct script *lua_file_script(struct lua_file *f, const struct cli *cli, const char *path, struct error *err)
{
	if (find_place(f, cli, path, err))
		return NULL;
	return script_load_file(&f->host, path, f->name, err);
}

/* What it says it is; a module says nothing, but stands in lib/. */
static int find_kind(struct lua_file *f, const struct script *script, struct error *err)
{
	const char *kind = value_text(value_get(script_table(script), "kind"));

	for (int i = LUA_MAPPING; kind && i <= LUA_PROFILE; i++)
		if (!strcmp(kind, kinds[i])) {
			f->kind = (enum lua_kind)i;
			return FC_OK;
		}
	for (int i = LUA_MAPPING; i <= LUA_MODULE; i++)
		if (!strcmp(f->folder, folders[i])) {
			f->kind = (enum lua_kind)i;
			return FC_OK;
		}
	return error_set(err, FC_EINVAL, "%s: kind: must be \"operator\", \"policy\" or \"profile\"", f->path);
}

/* A profile is found by its place only. */
static int check_profile(const struct lua_file *f, struct error *err)
{
	char own[SCRIPT_PATH_MAX], given[PATH_MAX], there[PATH_MAX];

	int n = snprintf(own, sizeof(own), "%s/profiles/%s.lua", f->lua_dir, f->name);
	if (n < 0 || (size_t)n >= sizeof(own) || !realpath(own, there) || !realpath(f->path, given) ||
	    strcmp(there, given) != 0)
		return error_set(err, FC_EINVAL, "%s: a profile must stand in the folder profiles/ beside lib/",
				 f->path);
	struct profile *profile = profile_load(&f->host, f->name, err);
	if (!profile)
		return err->code ? err->code : FC_EINVAL;
	profile_free(profile);
	return FC_OK;
}

int lua_file_open(struct lua_file *f, const struct cli *cli, const char *path, struct error *err)
{
	struct script *script = lua_file_script(f, cli, path, err);

	if (!script)
		return err->code ? err->code : FC_ESCRIPT;
	int result = find_kind(f, script, err);
	f->examples = script_example_count(script);
	script_free(script);
	if (result)
		return result;
	switch (f->kind) {
	case LUA_MAPPING:
		f->mapping = mapping_load_file(&f->host, path, f->name, err);
		return f->mapping ? FC_OK : FC_ESCRIPT;
	case LUA_POLICY:
		f->policy = policy_load_file(&f->host, path, err);
		return f->policy ? FC_OK : FC_ESCRIPT;
	case LUA_PROFILE:
		return check_profile(f, err);
	case LUA_MODULE:
		return FC_OK;
	}
	return FC_OK;
}

void lua_file_close(struct lua_file *f)
{
	mapping_free(f->mapping);
	policy_free(f->policy);
	f->mapping = NULL;
	f->policy = NULL;
}
