#include "control/lua.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

struct in_force lua_in_force(const struct control *control)
{
	return (struct in_force){control->sources.devices, control->sources.charges, control->sources.platforms};
}

/* Finding -------------------------------------------------------------------------------------------------------------- */

struct search {
	const char *prefix;  /* NULL: version, or any */
	const char *version; /* in full; NULL: any */
	struct version found, other;
	int count; /* distinct texts */
};

static int begins_with(const char *text, const char *prefix)
{
	return !strncmp(text, prefix, strlen(prefix));
}

static void look(void *user, const struct version *v)
{
	struct search *s = user;

	if (s->prefix ? !begins_with(v->whole, s->prefix) && !begins_with(v->hash, s->prefix)
		      : s->version && strcmp(v->whole, s->version) != 0)
		return;
	if (!s->count) {
		s->found = *v;
		s->count = 1;
	} else if (s->prefix && strcmp(v->hash, s->found.hash) != 0) {
		s->other = *v;
		s->count = 2;
	}
}

struct search_before {
	const char *hash;
	struct version found;
	int count;
};

static void look_before(void *user, const struct version *v)
{
	struct search_before *s = user;

	if (!s->count && strcmp(v->hash, s->hash) != 0) {
		s->found = *v;
		s->count = 1;
	}
}

static int refuse_unknown(const char *item, const char *prefix, struct error *err)
{
	return prefix ? error_set(err, FC_ENOENT, "%s has no version %s", item, prefix)
		      : error_set(err, FC_ENOENT, "there is no version of %s", item);
}

int lua_find(const struct control *control, const char *item, const char *prefix, int before, struct version *found,
	     struct error *err)
{
	const struct in_force all = lua_in_force(control);
	const char *hash;
	struct search s = {.prefix = prefix, .version = prefix ? NULL : in_force_of(&all, item, &hash)};
	struct store *store = control->sources.store;

	if (prefix && (strlen(prefix) < LUA_PREFIX_MIN || strspn(prefix, "0123456789abcdef") != strlen(prefix)))
		return error_set(err, FC_EINVAL, "%s: a version is %d to 64 of 0-9 and a-f", prefix, LUA_PREFIX_MIN);
	if (version_each(store, item, 0, INT_MAX, look, &s) < 0)
		return error_set(err, FC_EIO, "the store can't be read");
	if (!s.count)
		return refuse_unknown(item, prefix, err);
	if (s.count > 1)
		return error_set(err, FC_EINVAL, "%s is ambiguous: %.*s, %.*s", prefix, LUA_SHORT + 4, s.found.whole,
				 LUA_SHORT + 4, s.other.whole);
	*found = s.found;
	if (!before)
		return FC_OK;
	struct search_before b = {.hash = found->hash};
	if (version_each(store, item, found->id, INT_MAX, look_before, &b) < 0)
		return error_set(err, FC_EIO, "the store can't be read");
	if (!b.count)
		return error_set(err, FC_ENOENT, "there is no earlier version of %s", item);
	*found = b.found;
	return FC_OK;
}

int lua_path(const struct control *control, const char *item, char path[SCRIPT_PATH_MAX], struct error *err)
{
	static const char *const folders[] = {"profiles/", "operators/", "policies/", "lib/"};

	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
		const char *name = item + strlen(folders[i]);

		if (!begins_with(item, folders[i]) || !*name ||
		    strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_-") != strlen(name))
			continue;
		int n = snprintf(path, SCRIPT_PATH_MAX, "%s/%s.lua", control->sources.lua.host->lua_dir, item);
		return n > 0 && n < SCRIPT_PATH_MAX ? FC_OK
						    : error_set(err, FC_ELIMIT, "%s: the path is too long", item);
	}
	return error_set(err, FC_EINVAL, "%s is no Lua file: such as operators/base, policies/x, profiles/y, lib/z",
			 item);
}

/* Waiting -------------------------------------------------------------------------------------------------------------- */

static void on_cancel(void *user)
{
	((struct lua_wait *)user)->reply = NULL;
}

static void on_reloaded(void *user, const char *const *refusals, int count)
{
	struct lua_wait *w = user;

	if (w->reply)
		w->result = w->finish(w, refusals, count, &w->err);
	w->is_done = 1;
	if (w->is_calling)
		return;
	if (w->reply)
		control_finish(w->reply, w->result, w->err.text);
	w->release(w);
}

int lua_reload(struct lua_wait *w, const char *origin, struct error *err)
{
	const struct control_lua *lua = &w->control->sources.lua;

	w->is_calling = 1;
	lua->reload(lua->user, origin, on_reloaded, w);
	w->is_calling = 0;
	if (!w->is_done) {
		w->reply->cancel = on_cancel;
		w->reply->cancel_user = w;
		return CONTROL_LATER;
	}
	int result = w->result;
	if (err && result)
		*err = w->err;
	w->release(w);
	return result;
}
