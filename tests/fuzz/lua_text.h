/* A Lua text in the place of a file, loaded as the gateway loads it. FORECOURT_LUA says where lua/lib is. */
#ifndef FC_FUZZ_LUA_TEXT_H
#define FC_FUZZ_LUA_TEXT_H

#include <stdio.h>
#include <stdlib.h>

#include "base/buffer.h"
#include "base/error.h"
#include "device/profile.h"
#include "fuzz.h"
#include "script/host.h"

struct lua_text {
	char path[512];
	struct script_instead instead[2];
	struct script_host host;
};

/* Loads as FOLDER/t.lua. text is borrowed. A file has ten times the steps. */
static inline const struct script_host *lua_text(struct lua_text *t, const char *folder, const char *text, size_t len)
{
	static const struct script_limits limits = {.memory = 2 << 20, .instructions = 20000, .time_ms = 20000};
	const char *dir = getenv("FORECOURT_LUA") ? getenv("FORECOURT_LUA") : "lua";

	(void)snprintf(t->path, sizeof(t->path), "%s/%s/t.lua", dir, folder);
	t->instead[0] = (struct script_instead){t->path, text, len};
	t->instead[1] = (struct script_instead){0};
	t->host = (struct script_host){.lua_dir = dir, .limits = limits, .instead = t->instead};
	return &t->host;
}

/* What a tool drafted loads as a profile, or it is a finding, shown on stderr. To be freed. */
static inline struct profile *lua_text_draft(const struct buffer *draft)
{
	struct lua_text t;
	struct error err = {0};
	struct profile *p = profile_load_file(lua_text(&t, "profiles", draft->data, draft->len), t.path, NULL, &err);

	if (!p) {
		(void)fprintf(stderr, "%.*s\n", (int)draft->len, draft->data);
		fuzz_failed(err.text, __FILE__, __LINE__);
	}
	return p;
}

#endif
