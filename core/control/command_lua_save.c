/* lua_save, lua_remove: a text, tried, written into its file, and into force; or nothing has changed, and the answer says why. */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "control/lua.h"
#include "control/put_file.h"
#include "control/trial.h"

/* Tried first, and then written and waited for: two that hold it. */
struct save {
	struct lua_work work; /* first */
	struct lua_wait wait;
	int held;
	struct trial trial;
	char item[VERSION_ITEM], path[SCRIPT_PATH_MAX];
	char who[AUDIT_WHO];
	char *text;
	size_t len;
	char hash[SOURCE_HASH];   /* of text */
	char before[SOURCE_HASH]; /* of the file as it was read, "" = there was none */
	char *old;                /* its text, to go back to */
	size_t old_len;
	int was_in_force;
};

static struct save *save_of(struct lua_work *work)
{
	return (struct save *)work;
}

static struct save *waiting_save(struct lua_wait *wait)
{
	return (struct save *)(void *)((char *)wait - offsetof(struct save, wait));
}

static void let_go(struct save *s)
{
	if (--s->held)
		return;
	/* Without a reply the control room is gone. */
	if (s->work.reply && s->wait.reply)
		s->work.control->is_writing_lua = 0;
	trial_fini(&s->trial);
	free(s->text);
	free(s->old);
	free(s);
}

static void release(struct lua_work *work)
{
	let_go(save_of(work));
}

static void release_wait(struct lua_wait *wait)
{
	let_go(waiting_save(wait));
}

static int step(struct lua_work *work)
{
	return trial_next(&save_of(work)->trial);
}

/* Landing -------------------------------------------------------------------------------------------------------------- */

static void nobody_waits(void *user, const char *const *refusals, int count)
{
	(void)user, (void)refusals, (void)count;
}

static int write_file(const char *path, const char *text, size_t len, struct error *err)
{
	int result = put_file_make(path, text, len, err);

	if (!result) {
		result = put_file_place(path, err);
		if (result)
			put_file_drop(path);
	}
	return result;
}

/* What was saved can't be taken after all: the file as it was, unless somebody was there meanwhile. */
static void go_back(struct save *s, struct control *control)
{
	const struct control_lua *lua = &control->sources.lua;
	char now[SOURCE_HASH];
	struct error err = {0};

	put_file_hash(s->path, now);
	if (strcmp(now, s->hash) != 0)
		return;
	if (!*s->before ? unlink(s->path) : write_file(s->path, s->old, s->old_len, &err))
		log_error("control: %s stays as it was saved, and is not in force: %s", s->item, err.text);
	lua->reload(lua->user, "save undone", nobody_waits, NULL);
}

static int finish(struct lua_wait *wait, const char *const *refusals, int count, struct error *err)
{
	struct save *s = waiting_save(wait);
	const struct in_force all = lua_in_force(wait->control);
	struct maker m = {.arena = &wait->reply->arena};
	struct value *root = value_object(m.arena);
	const char *hash = "", *version = in_force_of(&all, s->item, &hash);
	int is_in_force = version && !strcmp(hash, s->hash);

	if (s->was_in_force && !is_in_force) {
		go_back(s, wait->control);
		return error_set(err, FC_EINVAL, "%s is as it was: %s", s->item,
				 count ? refusals[0] : "what was saved could not be put in force");
	}
	maker_text(&m, root, "item", s->item);
	maker_text(&m, root, "hash", s->hash);
	maker_text(&m, root, "before", s->before);
	maker_optional(&m, root, "version", version ? version : "");
	maker_flag(&m, root, "in_force", is_in_force);
	wait->reply->result = m.failed ? NULL : root;
	return FC_OK;
}

/* On the loop again. */
static int land(struct lua_work *work, struct error *err)
{
	struct save *s = save_of(work);
	struct control_reply *reply = work->reply;
	char now[SOURCE_HASH], origin[VERSION_ORIGIN];

	if (s->trial.result)
		return error_set(err, FC_EINVAL, "%s", s->trial.err.text);
	/* It took its time. */
	put_file_hash(s->path, now);
	if (strcmp(now, s->before) != 0)
		return error_set(err, FC_EEXIST, "%s was changed meanwhile", s->item);
	int result = write_file(s->path, s->text, s->len, err);
	if (result)
		return result;
	(void)snprintf(reply->before, sizeof(reply->before), "%s", s->before);
	(void)snprintf(reply->after, sizeof(reply->after), "%s", s->hash);
	(void)snprintf(origin, sizeof(origin), "saved by %.60s", s->who);
	s->held++;
	result = lua_reload(&s->wait, origin, err);
	if (result == CONTROL_LATER)
		s->held--;
	return result;
}

/* Before ---------------------------------------------------------------------------------------------------------------- */

static int conflict(const struct save *s, const char *hash, struct error *err)
{
	if (!strcmp(hash, s->before))
		return FC_OK;
	if (!*s->before)
		return error_set(err, FC_EEXIST, "%s is gone: it was removed meanwhile", s->item);
	return error_set(err, FC_EEXIST, "%s %s", s->item, *hash ? "was changed meanwhile" : "is there already");
}

/* What can be known without loading anything. */
static int prepare(struct save *s, struct error *err)
{
	const struct control_reply *reply = s->work.reply;
	const struct value *text = value_get(reply->arguments, "text");
	const char *item = control_text(reply, "item"), *hash = control_text(reply, "hash");
	struct error why = {0};
	int result = lua_path(s->work.control, item, s->path, err);

	if (!result)
		result = lua_check_text(text->text, text->len, err);
	if (result)
		return result;
	(void)snprintf(s->item, sizeof(s->item), "%s", item);
	(void)snprintf(s->who, sizeof(s->who), "%s", reply->who);
	result = lua_read_text(s->path, &s->old, &s->old_len, s->before, &why);
	/* What can't be read can't be gone back to. */
	if (result && result != FC_ENOENT)
		return error_set(err, result, "%s", why.text);
	result = conflict(s, hash ? hash : "", err);
	if (result)
		return result;
	s->len = text->len;
	s->text = malloc(s->len + 1);
	if (!s->text)
		return error_set(err, FC_ENOMEM, "no memory");
	memcpy(s->text, text->text, s->len + 1);
	sources_digest(s->text, s->len, s->hash);
	const struct in_force all = lua_in_force(s->work.control);
	const char *there = "";
	s->was_in_force = in_force_of(&all, item, &there) != NULL;
	const struct script_instead instead = {s->path, s->text, s->len};
	return trial_plan(&s->trial, s->work.control, item, &instead, 1, err);
}

int command_lua_save(struct control *control, struct control_reply *reply, struct error *err)
{
	struct save *s;

	if (control->is_writing_lua)
		return error_set(err, FC_EBUSY, "another Lua file is being saved or put back");
	s = calloc(1, sizeof(*s));
	if (!s)
		return error_set(err, FC_ENOMEM, "no memory");
	s->work = (struct lua_work){.control = control, .reply = reply, .step = step, .done = land, .release = release};
	s->wait = (struct lua_wait){.control = control, .reply = reply, .finish = finish, .release = release_wait};
	s->held = 1;
	control->is_writing_lua = 1;
	int result = prepare(s, err);
	if (result) {
		release(&s->work);
		return result;
	}
	return lua_work(&s->work, err);
}

/* Removing --------------------------------------------------------------------------------------------------------------- */

struct uses {
	char text[ERROR_TEXT_MAX / 2];
	size_t len;
};

static void note_use(void *user, const char *who)
{
	struct uses *u = user;
	int n = snprintf(u->text + u->len, sizeof(u->text) - u->len, "%s%s", u->len ? ", " : "", who);

	if (n > 0 && (size_t)n < sizeof(u->text) - u->len)
		u->len += (size_t)n;
	u->text[u->len] = '\0';
}

int command_lua_remove(struct control *control, struct control_reply *reply, struct error *err)
{
	const char *item = control_text(reply, "item"), *hash = control_text(reply, "hash");
	char path[SCRIPT_PATH_MAX], now[SOURCE_HASH];
	struct maker m = {.arena = &reply->arena};
	struct uses uses = {0};
	int result = lua_path(control, item, path, err);

	if (result)
		return result;
	if (control->is_writing_lua)
		return error_set(err, FC_EBUSY, "another Lua file is being saved or put back");
	if (access(path, F_OK))
		return error_set(err, FC_ENOENT, "%s: there is no such file", item);
	put_file_hash(path, now);
	if (strcmp(now, hash) != 0)
		return error_set(err, FC_EEXIST, "%s was changed meanwhile", item);
	lua_used_by(control, item, note_use, &uses);
	if (uses.len)
		return error_set(err, FC_EBUSY, "%s is used by %s", item, uses.text);
	if (unlink(path))
		return error_set(err, FC_EIO, "%s: can't be removed", item);
	(void)snprintf(reply->before, sizeof(reply->before), "%s", now);
	struct value *root = value_object(m.arena);
	maker_text(&m, root, "item", item);
	maker_text(&m, root, "before", now);
	reply->result = m.failed ? NULL : root;
	return FC_OK;
}
