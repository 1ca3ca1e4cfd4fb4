/* Commands about the versions of Lua files: which there were, what is in them, and loading the files again. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/lua.h"

enum { PAGE = 50 };

struct listing {
	struct control *control;
	struct maker m;
	struct value *list;
	int64_t last;
};

/* Of the times that a version came into force, the last one is now. */
static int is_in_force(const struct control *control, const struct version *v)
{
	const struct in_force all = lua_in_force(control);
	struct version newest;

	return in_force_has(&all, v->item, v->whole) && !lua_find(control, v->item, v->whole, 0, &newest, NULL) &&
	       newest.id == v->id;
}

static struct value *put_version(struct maker *m, const struct control *control, const struct version *v)
{
	struct value *o = value_object(m->arena);

	maker_text(m, o, "item", v->item);
	maker_text(m, o, "version", v->whole);
	maker_text(m, o, "hash", v->hash);
	control_put_time(m, o, "at", v->at_wall);
	maker_text(m, o, "origin", v->origin);
	maker_flag(m, o, "in_force", is_in_force(control, v));
	return o;
}

static void put_listed(void *user, const struct version *v)
{
	struct listing *l = user;

	maker_push(&l->m, l->list, put_version(&l->m, l->control, v));
	l->last = v->id;
}

int command_lua_versions(struct control *control, struct control_reply *reply, struct error *err)
{
	struct listing l = {.control = control, .m = {.arena = &reply->arena}, .list = value_array(&reply->arena)};
	struct value *root = value_object(&reply->arena);
	const char *item = control_text(reply, "item");
	int most = (int)control_int(reply, "limit", PAGE);
	int64_t after = control_int(reply, "after", 0);

	int n = version_each(control->sources.store, item, after, most, put_listed, &l);
	if (n < 0)
		return error_set(err, FC_EIO, "the store can't be read");
	if (!n && item && !after)
		return error_set(err, FC_ENOENT, "there is no version of %s", item);
	maker_put(&l.m, root, "versions", l.list);
	if (n == most)
		maker_int(&l.m, root, "next", l.last);
	reply->result = l.m.failed ? NULL : root;
	return FC_OK;
}

static void put_text(void *user, const char *text, size_t len)
{
	struct listing *l = user;

	maker_put(&l->m, l->list, "text", value_string_len(l->m.arena, text, len));
}

static void put_part(void *user, const char *item, const char *hash)
{
	struct listing *l = user;
	struct value *o = value_object(l->m.arena);

	maker_text(&l->m, o, "item", item);
	maker_text(&l->m, o, "hash", hash);
	maker_push(&l->m, l->list, o);
}

int command_lua_show(struct control *control, struct control_reply *reply, struct error *err)
{
	struct listing l = {.control = control, .m = {.arena = &reply->arena}};
	struct store *store = control->sources.store;
	struct version v;
	int result = lua_find(control, control_text(reply, "item"), control_text(reply, "version"),
			      control_flag(reply, "before"), &v, err);

	if (result)
		return result;
	struct value *root = put_version(&l.m, control, &v), *modules = value_array(l.m.arena);
	l.list = modules;
	if (version_each_part(store, v.whole, put_part, &l) < 0)
		return error_set(err, FC_EIO, "the store can't be read");
	maker_put(&l.m, root, "modules", modules);
	l.list = root;
	result = version_text(store, v.hash, put_text, &l);
	if (result)
		return error_set(err, result,
				 result == FC_ENOENT ? "the text of that version was lost" : "the store can't be read");
	reply->result = l.m.failed ? NULL : root;
	return FC_OK;
}

/* Reload --------------------------------------------------------------------------------------------------------------- */

struct reload {
	struct lua_wait wait; /* first */
	struct value *scripts;
};

static struct value *find_script(const struct reload *r, const char *item)
{
	value_each (script, r->scripts)
		if (!strcmp(value_text(value_get(script, "item")), item))
			return script;
	return NULL;
}

/* Each script once, however many platforms use it. */
static void list_scripts(struct reload *r, struct maker *m)
{
	const struct in_force all = lua_in_force(r->wait.control);
	struct sources *sources;

	for (int i = 0; (sources = in_force_at(&all, i)); i++) {
		const char *item = sources_at(sources, 0)->item;
		struct value *o = value_object(m->arena);

		if (find_script(r, item))
			continue;
		maker_text(m, o, "item", item);
		maker_text(m, o, "before", sources_hash(sources));
		maker_push(m, r->scripts, o);
	}
}

/* The refusal that names the script's own file. */
static const char *refusal_of(const char *item, const char *const *refusals, int count)
{
	char ending[VERSION_ITEM + 8];

	(void)snprintf(ending, sizeof(ending), "/%s.lua:", item);
	for (int i = 0; i < count; i++)
		if (strstr(refusals[i], ending))
			return refusals[i];
	return NULL;
}

/* Those that name no script in the list: a module, the system. */
static void put_others(struct reload *r, struct maker *m, const char *const *refusals, int count)
{
	for (int i = 0; i < count; i++) {
		struct value *o = value_object(m->arena);
		int is_told = 0;

		value_each (script, r->scripts)
			is_told |= value_get(script, "item") &&
				   refusal_of(value_text(value_get(script, "item")), &refusals[i], 1) != NULL;
		if (is_told)
			continue;
		maker_text(m, o, "state", "refused");
		maker_text(m, o, "reason", refusals[i]);
		maker_push(m, r->scripts, o);
	}
}

static int tell_reload(struct lua_wait *wait, const char *const *refusals, int count, struct error *err)
{
	struct reload *r = (struct reload *)wait;
	struct maker m = {.arena = &wait->reply->arena};
	const struct in_force all = lua_in_force(wait->control);
	struct value *root = value_object(m.arena);

	(void)err;
	value_each (script, r->scripts) {
		const char *item = value_text(value_get(script, "item")), *hash;
		const char *now = in_force_of(&all, item, &hash);
		const char *refusal = refusal_of(item, refusals, count);
		int is_new = now && strcmp(now, value_text(value_get(script, "before"))) != 0;

		maker_text(&m, script, "version", now ? now : "");
		maker_text(&m, script, "state", is_new ? "new version" : refusal ? "refused" : "unchanged");
		if (refusal)
			maker_text(&m, script, "reason", refusal);
	}
	put_others(r, &m, refusals, count);
	maker_put(&m, root, "scripts", r->scripts);
	wait->reply->result = m.failed ? NULL : root;
	return FC_OK;
}

static void free_reload(struct lua_wait *wait)
{
	free(wait);
}

int command_lua_reload(struct control *control, struct control_reply *reply, struct error *err)
{
	struct reload *r = calloc(1, sizeof(*r));
	struct maker m = {.arena = &reply->arena};

	if (!r)
		return error_set(err, FC_ENOMEM, "no memory");
	r->wait = (struct lua_wait){.control = control, .reply = reply, .finish = tell_reload, .release = free_reload};
	r->scripts = value_array(&reply->arena);
	list_scripts(r, &m);
	if (!r->scripts || m.failed) {
		free(r);
		return error_set(err, FC_ENOMEM, "no memory");
	}
	return lua_reload(&r->wait, "command", err);
}
