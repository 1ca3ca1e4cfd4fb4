#include "control/lua.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "script/shelf.h"

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

static const char *const folders[] = {"profiles", "operators", "policies", "lib", NULL};

const char *lua_folder(int index)
{
	return folders[index];
}

int lua_path(const struct control *control, const char *item, char path[SCRIPT_PATH_MAX], struct error *err)
{
	for (size_t i = 0; folders[i]; i++) {
		size_t len = strlen(folders[i]);
		const char *name = item + len + 1;

		if (!begins_with(item, folders[i]) || item[len] != '/' || !*name || strlen(name) > SCRIPT_NAME_MAX ||
		    strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_-") != strlen(name))
			continue;
		int n = snprintf(path, SCRIPT_PATH_MAX, "%s/%s.lua", control->sources.lua.host->lua_dir, item);
		return n > 0 && n < SCRIPT_PATH_MAX ? FC_OK
						    : error_set(err, FC_ELIMIT, "%s: the path is too long", item);
	}
	return error_set(err, FC_EINVAL, "%s is no Lua file: such as operators/base, policies/x, profiles/y, lib/z",
			 item);
}

/* Texts ---------------------------------------------------------------------------------------------------------------- */

/* How many bytes the character at text takes, 0 when it is no UTF-8 (RFC 3629). */
static size_t character(const unsigned char *text, size_t left)
{
	size_t n = *text < 0x80 ? 1 : *text < 0xC2 ? 0 : *text < 0xE0 ? 2 : *text < 0xF0 ? 3 : *text < 0xF5 ? 4 : 0;

	if (!n || n > left || !*text)
		return 0;
	for (size_t i = 1; i < n; i++)
		if ((text[i] & 0xC0) != 0x80)
			return 0;
	if ((*text == 0xE0 && text[1] < 0xA0) || (*text == 0xED && text[1] > 0x9F) ||
	    (*text == 0xF0 && text[1] < 0x90) || (*text == 0xF4 && text[1] > 0x8F))
		return 0;
	return n;
}

int lua_check_text(const char *text, size_t len, struct error *err)
{
	int line = 1;

	for (size_t at = 0; at < len;) {
		size_t n = character((const unsigned char *)text + at, len - at);

		if (!n)
			return error_set(err, FC_EINVAL, "line %d: is no text in UTF-8", line);
		line += text[at] == '\n';
		at += n;
	}
	return FC_OK;
}

int lua_read_text(const char *path, char **text, size_t *len, char hash[SOURCE_HASH], struct error *err)
{
	char *read = malloc(LUA_TEXT_MAX + 1);
	FILE *in = read ? fopen(path, "rbe") : NULL;

	if (!in) {
		int is_missing = read && errno == ENOENT;

		free(read);
		return is_missing ? error_set(err, FC_ENOENT, "%s: there is no such file", path)
				  : error_set(err, FC_EIO, "%s: can't be read", path);
	}
	*len = fread(read, 1, LUA_TEXT_MAX + 1, in);
	int failed = ferror(in);
	(void)fclose(in);
	int result = failed ? error_set(err, FC_EIO, "%s: can't be read", path) : FC_OK;
	if (!result && *len > LUA_TEXT_MAX)
		result = error_set(err, FC_ELIMIT, "%s: is longer than %d kB", path, LUA_TEXT_MAX >> 10);
	if (!result)
		result = lua_check_text(read, *len, err);
	if (result) {
		free(read);
		return result;
	}
	read[*len] = '\0';
	sources_digest(read, *len, hash);
	*text = read;
	return FC_OK;
}

/* Users ---------------------------------------------------------------------------------------------------------------- */

struct telling {
	const char *item;
	void (*fn)(void *user, const char *who);
	void *user;
};

static void tell_if(const struct telling *t, const char *folder, const char *name, const char *kind, const char *who)
{
	char item[VERSION_ITEM + 64], text[200];

	(void)snprintf(item, sizeof(item), "%s/%s", folder, name ? name : "");
	if (!name || !*name || strcmp(item, t->item) != 0)
		return;
	(void)snprintf(text, sizeof(text), "%s %s", kind, who);
	t->fn(t->user, text);
}

static void tell_configured(const struct telling *t, const struct config *config)
{
	for (int i = 0; i < config_unit_count(config); i++) {
		const struct config_unit unit = config_unit(config, i);

		tell_if(t, "profiles", unit.profile, unit.type, unit.name);
	}
	for (int i = 0; i < config->station_count; i++)
		tell_if(t, "policies", config->stations[i].policy, "station", config->stations[i].name);
	for (int i = 0; i < config->platform_count; i++) {
		tell_if(t, "policies", config->platforms[i].policy, "platform", config->platforms[i].name);
		tell_if(t, "operators", config->platforms[i].mapping, "platform", config->platforms[i].name);
	}
}

/* Each file once, however many platforms use it. */
static int is_told(const struct in_force *all, int index, const char *item)
{
	for (int i = 0; i < index; i++) {
		struct sources *before = in_force_at(all, i);

		for (int k = 1; k < sources_count(before); k++)
			if (!strcmp(sources_at(before, k)->item, item) &&
			    !strcmp(sources_at(before, 0)->item, sources_at(in_force_at(all, index), 0)->item))
				return 1;
	}
	return 0;
}

void lua_used_by(const struct control *control, const char *item, void (*fn)(void *user, const char *who), void *user)
{
	const struct telling t = {item, fn, user};
	const struct config *config = station_set_config(control->sources.stations);
	const struct in_force all = lua_in_force(control);
	struct sources *sources;

	if (config)
		tell_configured(&t, config);
	for (int i = 0; (sources = in_force_at(&all, i)); i++)
		for (int k = 1; k < sources_count(sources); k++)
			if (!strcmp(sources_at(sources, k)->item, item) && !is_told(&all, i, item))
				fn(user, sources_at(sources, 0)->item);
}

/* Work beside the loop --------------------------------------------------------------------------------------------------- */

static int step_work(void *user)
{
	struct lua_work *w = user;

	return w->step(w);
}

static void cancel_work(void *user)
{
	((struct lua_work *)user)->reply = NULL;
}

static void end_work(void *user, int finished)
{
	struct lua_work *w = user;
	struct control_reply *reply = w->reply;
	struct error err = {0};

	/* The gateway ends. */
	if (!reply || !finished) {
		w->release(w);
		return;
	}
	int result = w->done(w, &err);
	if (result == LUA_AGAIN) {
		if (!shelf_run(w->control->sources.lua.host->shelf, step_work, end_work, w))
			return;
		result = error_set(&err, FC_ENOMEM, "no memory");
	}
	control_work_end(w->control);
	if (result == CONTROL_LATER)
		return;
	control_finish(reply, result, err.text);
	w->release(w);
}

int lua_work(struct lua_work *w, struct error *err)
{
	struct shelf *shelf = w->control->sources.lua.host->shelf;
	int result;

	if (shelf) {
		result = control_work_begin(w->control, err);
		if (result) {
			w->release(w);
			return result;
		}
		if (shelf_run(shelf, step_work, end_work, w)) {
			control_work_end(w->control);
			w->release(w);
			return error_set(err, FC_ENOMEM, "no memory");
		}
		w->reply->cancel = cancel_work;
		w->reply->cancel_user = w;
		return CONTROL_LATER;
	}
	do {
		while (w->step(w))
			;
		result = w->done(w, err);
	} while (result == LUA_AGAIN);
	if (result != CONTROL_LATER)
		w->release(w);
	return result;
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
