/* lua_rollback: an earlier version of a Lua file, tried, written into its file, and into force. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "control/lua.h"
#include "control/put_file.h"
#include "control/trial.h"
#include "script/shelf.h"

/* One file that is going to be written. */
struct file {
	char item[VERSION_ITEM], path[SCRIPT_PATH_MAX];
	char hash[JOURNAL_VERSION];
	char *text;
	size_t len;
};

/* A module of the version that is another one by now. */
struct module {
	char item[VERSION_ITEM];
	char then[JOURNAL_VERSION], now[JOURNAL_VERSION]; /* now "": there is no such file */
};

struct rollback {
	struct lua_wait wait; /* first */
	struct trial trial;
	struct version target;
	char before[JOURNAL_VERSION]; /* in force when it was asked for, "" = nothing uses it */
	struct file *files[SOURCES_MAX];
	int file_count;
	struct module modules[SOURCES_MAX];
	int module_count;
};

static void free_texts(struct rollback *r)
{
	for (int i = 0; i < r->file_count; i++) {
		free(r->files[i]->text);
		r->files[i]->text = NULL;
	}
}

static void free_rollback(struct lua_wait *wait)
{
	struct rollback *r = (struct rollback *)wait;

	free_texts(r);
	for (int i = 0; i < r->file_count; i++)
		free(r->files[i]);
	trial_fini(&r->trial);
	free(r);
}

static void keep_text(void *user, const char *text, size_t len)
{
	struct file *file = user;

	file->text = malloc(len + 1);
	if (!file->text)
		return;
	memcpy(file->text, text, len);
	file->len = len;
}

static int add_file(struct rollback *r, const char *item, const char *hash, struct error *err)
{
	struct file *file = r->file_count < SOURCES_MAX ? calloc(1, sizeof(*file)) : NULL;

	if (!file)
		return error_set(err, FC_ENOMEM, "no memory");
	r->files[r->file_count++] = file;
	(void)snprintf(file->item, sizeof(file->item), "%s", item);
	(void)snprintf(file->hash, sizeof(file->hash), "%s", hash);
	int result = lua_path(r->wait.control, item, file->path, err);
	if (result)
		return result;
	result = version_text(r->wait.control->sources.store, hash, keep_text, file);
	if (result == FC_ENOENT)
		return error_set(err, result, "the text of %s %.*s was lost", item, LUA_SHORT, hash);
	if (result)
		return error_set(err, result, "the store can't be read");
	return file->text ? FC_OK : error_set(err, FC_ENOMEM, "no memory");
}

/* Modules ---------------------------------------------------------------------------------------------------------------- */

static void note_module(void *user, const char *item, const char *hash)
{
	struct rollback *r = user;
	struct module *m = &r->modules[r->module_count];
	char path[SCRIPT_PATH_MAX];

	if (r->module_count == SOURCES_MAX || lua_path(r->wait.control, item, path, NULL))
		return;
	put_file_hash(path, m->now);
	if (!strcmp(m->now, hash))
		return;
	(void)snprintf(m->item, sizeof(m->item), "%s", item);
	(void)snprintf(m->then, sizeof(m->then), "%s", hash);
	r->module_count++;
}

/* For people: what else they may have to roll back. */
static void add_hint(const struct rollback *r, struct error *err)
{
	size_t n = strlen(err->text);

	for (int i = 0; i < r->module_count && n < sizeof(err->text); i++) {
		const struct module *m = &r->modules[i];
		int more = snprintf(err->text + n, sizeof(err->text) - n,
				    "; %s has changed since: lua rollback %s %.*s, or --modules for all", m->item,
				    m->item, LUA_SHORT, m->then);

		/* Whole or not at all: half a command is worse than none. */
		if (more < 0 || (size_t)more >= sizeof(err->text) - n) {
			err->text[n] = '\0';
			return;
		}
		n += (size_t)more;
	}
}

/* Trying --------------------------------------------------------------------------------------------------------------- */

/* Everything that runs is to run with these files, too. */
static int plan_trial(struct rollback *r, struct error *err)
{
	struct script_instead texts[SOURCES_MAX];

	for (int i = 0; i < r->file_count; i++)
		texts[i] = (struct script_instead){r->files[i]->path, r->files[i]->text, r->files[i]->len};
	return trial_plan(&r->trial, r->wait.control, r->target.item, texts, r->file_count, err);
}

static int try_next(void *rollback)
{
	return trial_next(&((struct rollback *)rollback)->trial);
}

/* Writing -------------------------------------------------------------------------------------------------------------- */

/* Of several files: "operators/x HASH HASH-BEFORE\n" ... in the store while they take their places one after the other. */
static const char pending_name[] = "lua_rollback";
enum { PENDING_SIZE = SOURCES_MAX * (VERSION_ITEM + 2 * JOURNAL_VERSION + 2) };

static int set_pending(const struct rollback *r, int on, struct error *err)
{
	struct buffer text;

	if (r->file_count < 2)
		return FC_OK;
	buffer_init(&text, PENDING_SIZE);
	for (int i = 0; on && i < r->file_count; i++) {
		char before[SOURCE_HASH];

		put_file_hash(r->files[i]->path, before);
		(void)buffer_printf(&text, "%s %s %s\n", r->files[i]->item, r->files[i]->hash, before);
	}
	int result = text.failed ? error_set(err, FC_ENOMEM, "no memory")
				 : store_value_set(r->wait.control->sources.store, pending_name,
						   text.data ? text.data : "", err);
	buffer_fini(&text);
	return result;
}

static int place_all(const struct rollback *r, struct error *err)
{
	int result = FC_OK;

	/* The modules first: the file that asks for them comes last. */
	for (int i = r->file_count; i-- > 0 && !result;)
		result = put_file_place(r->files[i]->path, err);
	return result;
}

/* All are on the disk before the first takes its place; from then on a power cut is made up for at the next start. */
static int write_all(struct rollback *r, struct error *err)
{
	int result = FC_OK, made = 0;

	for (; made < r->file_count && !result; made++)
		result = put_file_make(r->files[made]->path, r->files[made]->text, r->files[made]->len, err);
	if (!result)
		result = set_pending(r, 1, err);
	if (!result)
		result = place_all(r, err);
	if (!result) {
		struct error why = {0};

		/* Then the next start looks at it again, and finds the files as they are to be, or edited since. */
		if (set_pending(r, 0, &why))
			log_error("control: rollback: %s", why.text);
		return FC_OK;
	}
	for (int i = 0; i < made; i++)
		put_file_drop(r->files[i]->path);
	(void)set_pending(r, 0, NULL);
	return result;
}

static int read_pending(struct rollback *r, char *text, struct error *err)
{
	int result = FC_OK;

	for (char *rest, *line = strtok_r(text, "\n", &rest); line && !result; line = strtok_r(NULL, "\n", &rest)) {
		char item[VERSION_ITEM], hash[SOURCE_HASH], before[SOURCE_HASH] = "", now[SOURCE_HASH];

		if (sscanf(line, "%79s %64s %64s", item, hash, before) < 2)
			return error_set(err, FC_EINVAL, "%.80s: is not what was written there", line);
		result = add_file(r, item, hash, err);
		if (result)
			break;
		put_file_hash(r->files[r->file_count - 1]->path, now);
		if (strcmp(now, hash) != 0 && strcmp(now, before) != 0)
			return error_set(err, FC_EEXIST, "%s was edited since", item);
	}
	return result;
}

void control_end_rollback(struct store *store, const struct script_host *host)
{
	struct control control = {.sources = {.store = store, .lua = {.host = host}}};
	struct rollback *r = calloc(1, sizeof(*r));
	char *text = malloc(PENDING_SIZE);
	struct error err = {0};
	int result = FC_OK;

	if (r && text && !store_value_get(store, pending_name, text, PENDING_SIZE) && *text) {
		r->wait.control = &control;
		result = read_pending(r, text, &err);
		if (!result)
			result = write_all(r, &err);
		if (result == FC_EEXIST)
			(void)store_value_set(store, pending_name, "", NULL);
		if (result)
			log_error("control: an interrupted rollback of Lua files is not ended: %s", err.text);
		else
			log_notice("control: an interrupted rollback of %d Lua files was ended", r->file_count);
	}
	free(text);
	if (r)
		free_rollback(&r->wait);
}

/* Answer --------------------------------------------------------------------------------------------------------------- */

static struct value *put_modules(struct maker *m, const struct rollback *r)
{
	struct value *list = value_array(m->arena);

	for (int i = 0; i < r->module_count; i++) {
		struct value *o = value_object(m->arena);

		maker_text(m, o, "item", r->modules[i].item);
		maker_text(m, o, "then", r->modules[i].then);
		maker_text(m, o, "now", r->modules[i].now);
		maker_push(m, list, o);
	}
	return list;
}

static struct value *put_written(struct maker *m, const struct rollback *r)
{
	struct value *list = value_array(m->arena);

	for (int i = 0; i < r->file_count; i++)
		maker_push(m, list, value_string(m->arena, r->files[i]->path));
	return list;
}

static int finish(struct lua_wait *wait, const char *const *refusals, int count, struct error *err)
{
	struct rollback *r = (struct rollback *)wait;
	const struct in_force all = lua_in_force(wait->control);
	struct maker m = {.arena = &wait->reply->arena};
	struct value *root = value_object(m.arena);
	const char *hash = "", *now = in_force_of(&all, r->target.item, &hash);
	int is_in_force = now && !strcmp(hash, r->target.hash);

	if (*r->before && !is_in_force)
		return error_set(err, FC_ESCRIPT, "%s is written, but not in force: %s", r->target.item,
				 count ? refusals[0] : "it was not loaded");
	maker_text(&m, root, "item", r->target.item);
	maker_text(&m, root, "version", now ? now : r->target.whole);
	maker_text(&m, root, "before", r->before);
	maker_flag(&m, root, "in_force", is_in_force);
	maker_put(&m, root, "written", put_written(&m, r));
	maker_put(&m, root, "modules_changed", put_modules(&m, r));
	wait->reply->result = m.failed ? NULL : root;
	return FC_OK;
}

/* All that can be known without loading anything. */
static int prepare(struct rollback *r, int with_modules, struct error *err)
{
	struct control *control = r->wait.control;
	const char *version = control_text(r->wait.reply, "version"), *item = control_text(r->wait.reply, "item");
	char now[SOURCE_HASH];
	int result = lua_find(control, item, version, !version, &r->target, err);

	if (!result)
		result = add_file(r, item, r->target.hash, err);
	if (!result && version_each_part(control->sources.store, r->target.whole, note_module, r) < 0)
		result = error_set(err, FC_EIO, "the store can't be read");
	for (int i = 0; i < r->module_count && with_modules && !result; i++)
		result = add_file(r, r->modules[i].item, r->modules[i].then, err);
	if (result)
		return result;
	if (with_modules)
		r->module_count = 0;
	put_file_hash(r->files[0]->path, now);
	const struct in_force all = lua_in_force(control);
	const char *hash = "", *before = in_force_of(&all, item, &hash);
	(void)snprintf(r->before, sizeof(r->before), "%s", before ? before : "");
	if (!strcmp(now, r->target.hash) && !strcmp(hash, r->target.hash) && r->file_count == 1)
		return error_set(err, FC_EEXIST, "%s %.*s is in force already", item, LUA_SHORT, r->target.whole);
	return plan_trial(r, err);
}

/* The trial has ended: written, and into force. Takes r over; returns what the command is to return. */
static int end_trial(struct rollback *r, struct error *err)
{
	char origin[VERSION_ORIGIN];
	int result = r->trial.result;

	r->wait.control->is_writing_lua = 0;
	if (result) {
		*err = r->trial.err;
		add_hint(r, err);
	} else {
		result = write_all(r, err);
	}
	if (result) {
		free_rollback(&r->wait);
		return result;
	}
	/* They may be large: what is left to do needs the names only. */
	free_texts(r);
	(void)snprintf(origin, sizeof(origin), "rollback to %.*s", LUA_SHORT, r->target.whole);
	return lua_reload(&r->wait, origin, err);
}

static void on_cancel(void *user)
{
	((struct rollback *)user)->wait.reply = NULL;
}

/* On the loop again. */
static void on_tried(void *user, int finished)
{
	struct rollback *r = user;
	struct control_reply *reply = r->wait.reply;
	struct error err = {0};

	/* The gateway ends: nothing has been written yet. */
	if (!reply || !finished) {
		free_rollback(&r->wait);
		return;
	}
	int result = end_trial(r, &err);
	if (result != CONTROL_LATER)
		control_finish(reply, result, err.text);
}

/* Without a shelf (tests) it is done here. */
static int try_here(struct rollback *r, struct error *err)
{
	while (try_next(r))
		;
	return end_trial(r, err);
}

int command_lua_rollback(struct control *control, struct control_reply *reply, struct error *err)
{
	struct shelf *shelf = control->sources.lua.host->shelf;

	/* What one has tried the other may be about to change. */
	if (control->is_writing_lua)
		return error_set(err, FC_EBUSY, "another Lua file is being saved or put back");
	struct rollback *r = calloc(1, sizeof(*r));
	if (!r)
		return error_set(err, FC_ENOMEM, "no memory");
	r->wait = (struct lua_wait){.control = control, .reply = reply, .finish = finish, .release = free_rollback};
	int result = prepare(r, control_flag(reply, "modules"), err);
	if (!result && shelf && shelf_run(shelf, try_next, on_tried, r))
		result = error_set(err, FC_ENOMEM, "no memory");
	if (result) {
		free_rollback(&r->wait);
		return result;
	}
	if (!shelf)
		return try_here(r, err);
	control->is_writing_lua = 1;
	reply->cancel = on_cancel;
	reply->cancel_user = r;
	return CONTROL_LATER;
}
