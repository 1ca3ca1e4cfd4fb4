/* restore: what a backup holds (backup.h) is read, checked, and applied as any other change is. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/json.h"
#include "base/json_read.h"
#include "base/log.h"
#include "config/edit.h"
#include "control/apply.h"
#include "control/backup_files.h"
#include "control/backup_job.h"
#include "control/config_draft.h"

/* Reading ------------------------------------------------------------------------------------------------------------------ */

static int damaged(struct error *err)
{
	return error_set(err, FC_EINVAL, "this backup is damaged");
}

static int read_sealed(struct backup_job *j, const struct value *sealed, struct error *err)
{
	const struct value *data = value_get(sealed, "data");
	const char *kdf = value_text(value_get(sealed, "kdf"));
	int64_t n = 0, r = 0, p = 0;

	if (value_to_int(value_get(sealed, "n"), &n) || value_to_int(value_get(sealed, "r"), &r) ||
	    value_to_int(value_get(sealed, "p"), &p) || !kdf || strcmp(kdf, "scrypt") != 0 || r != SEAL_R ||
	    p != SEAL_P || n > SEAL_N_MAX || n < 1)
		return error_set(err, FC_EINVAL, "this backup is encrypted in a way that is not known here");
	j->seal.n = (int)n;
	if (bytes_from_hex(value_text(value_get(sealed, "salt")), j->seal.salt, SEAL_SALT) ||
	    bytes_from_hex(value_text(value_get(sealed, "nonce")), j->seal.nonce, SEAL_NONCE) ||
	    bytes_from_hex(value_text(value_get(sealed, "tag")), j->seal.tag, SEAL_TAG) || !value_text(data))
		return damaged(err);
	j->data = bytes_from_base64(data->text, data->len, &j->len);
	return j->data ? FC_OK : damaged(err);
}

/* The members of a file in the order in which they are written: a reader of JSON does not keep it. */
static struct value *in_order(struct arena *arena, const struct value *from, const char *const *keys)
{
	struct maker m = {.arena = arena};
	struct value *o = value_object(arena);

	for (; *keys; keys++)
		if (value_get(from, *keys))
			maker_put(&m, o, *keys, value_copy(arena, value_get(from, *keys)));
	return m.failed ? NULL : o;
}

static struct value *order_file(struct arena *arena, const struct value *file)
{
	static const char *const keys[] = {"forecourt_backup", "created_at", "version", "operator_id", "config", "lua",
					   "lua_data",         "sealed",     "sha256",  NULL};
	static const char *const sealed_keys[] = {"kdf", "n", "r", "p", "salt", "nonce", "tag", "data", NULL};
	struct value *o = in_order(arena, file, keys),
		     *sealed = in_order(arena, value_get(file, "sealed"), sealed_keys);

	if (!o || !sealed || !value_get(o, "sealed") || value_put(arena, o, "sealed", sealed))
		return NULL;
	return o;
}

/* What can be known without the passphrase. */
static int read_file(struct backup_job *j, const struct value *text, struct error *err)
{
	char wanted[SOURCE_HASH] = "", hash[SOURCE_HASH] = "";
	struct value *file;
	int64_t version;

	if (json_read(j->control->reader, text->text, text->len, &j->arena, &file, NULL) || !value_is_object(file))
		return error_set(err, FC_EINVAL, "this is no backup, or it is damaged");
	if (value_to_int(value_get(file, "forecourt_backup"), &version))
		return error_set(err, FC_EINVAL, "this is no backup of Forecourt");
	if (version != BACKUP_VERSION)
		return error_set(err, FC_EINVAL,
				 "this backup has version %d, made by a newer Forecourt: %d is known here",
				 (int)version, BACKUP_VERSION);
	file = order_file(&j->arena, file);
	if (!file)
		return damaged(err);
	const char *sum = value_text(value_get(file, "sha256"));
	(void)snprintf(wanted, sizeof(wanted), "%.64s", sum ? sum : "");
	if (value_drop(file, "sha256") || backup_job_digest(file, hash) || strcmp(hash, wanted) != 0)
		return damaged(err);
	int result = read_sealed(j, value_get(file, "sealed"), err);
	if (result)
		return result;
	(void)value_drop(file, "sealed");
	j->clear = file;
	if (!value_text(value_get(file, "lua")) || !value_text(value_get(file, "lua_data")) ||
	    !value_text(value_get(file, "config")))
		return damaged(err);
	return FC_OK;
}

static int open_file(struct backup_job *j)
{
	struct buffer aad;

	buffer_init(&aad, BACKUP_TEXT_MAX);
	int result = json_write(&aad, j->clear)
			 ? error_set(&j->err, FC_ENOMEM, "no memory")
			 : seal_open(&j->seal, j->passphrase, aad.data, aad.len, j->data, j->len, &j->err);
	buffer_fini(&aad);
	if (!result)
		result = backup_lua_unpack(&j->lua, value_text(value_get(j->clear, "lua")),
					   value_text(value_get(j->clear, "lua_data")), &j->arena, &j->err);
	if (!result)
		result = backup_lua_read(&j->there, j->lua_dir, &j->arena, &j->err);
	return result;
}

static int restore_step(void *user)
{
	struct backup_job *j = user;

	j->result = open_file(j);
	return 0;
}

/* What is to be ----------------------------------------------------------------------------------------------------------------- */

/* These are of the box, not of the station: they stay what they are here. */
static const char *const of_the_box[][2] = {
    {"gateway", "data_dir"}, {"gateway", "lua_dir"}, {"gateway", "control_socket"}, {"admin", "www"}};

static int keep_ours(struct edit *edit, const struct config *running, struct error *err)
{
	const char *const ours[] = {running->gateway.data_dir, running->gateway.lua_dir,
				    running->gateway.control_socket, running->admin.www};

	for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++) {
		int result = edit_set(edit, of_the_box[i][0], "", of_the_box[i][1], ours[i], err);

		/* No admin section: nothing to keep there. */
		if (result && result != FC_ENOENT)
			return result;
	}
	return FC_OK;
}

static const struct backup_lua_file *find_file(const struct backup_lua *lua, const char *item)
{
	for (int i = 0; i < lua->count; i++)
		if (!strcmp(lua->files[i].item, item))
			return &lua->files[i];
	return NULL;
}

/* Only what differs is written. All of them are there while the scripts are tried. */
static int add_lua(struct apply_plan *plan, const struct backup_job *j, struct error *err)
{
	plan->instead = arena_alloc(&plan->arena, ((size_t)j->lua.count + 1) * sizeof(*plan->instead));
	if (!plan->instead)
		return error_set(err, FC_ENOMEM, "no memory");
	int n = 0;
	for (int i = 0; i < j->lua.count; i++) {
		const struct backup_lua_file *f = &j->lua.files[i], *there = find_file(&j->there, f->item);

		if (there && there->len == f->len && !memcmp(there->text, f->text, f->len))
			continue;
		char *path = arena_printf(&plan->arena, "%s/%s.lua", j->lua_dir, f->item);
		char *text = arena_copy(&plan->arena, f->text, f->len);
		if (!path || !text)
			return error_set(err, FC_ENOMEM, "no memory");
		if (plan->file_count >= TRIAL_FILES_MAX - 1)
			return error_set(err, FC_ELIMIT, "more files than can be restored at once");
		plan->instead[n++] = (struct script_instead){path, text, f->len};
		plan->files[plan->file_count++] = (struct trial_file){path, text, f->len, 0644};
	}
	return FC_OK;
}

/* A folder for certificates may be missing on a new box. */
static void make_folder_of(const char *path)
{
	char folder[600];

	(void)snprintf(folder, sizeof(folder), "%s", path);
	for (char *slash = strchr(folder + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		(void)mkdir(folder, 0755);
		*slash = '/';
	}
}

static int add_files(struct apply_plan *plan, const struct value *files, struct error *err)
{
	value_each (file, files) {
		const struct value *text = value_get(file, "text");
		const char *path = value_text(value_get(file, "path"));
		size_t len;
		char *there = backup_files_text(path, &len);
		int is_same = there && len == text->len && !memcmp(there, text->text, len);

		free(there);
		if (is_same)
			continue;
		char *pem = backup_files_pem(text->text, text->len, &len),
		     *own = pem ? arena_copy(&plan->arena, pem, len) : NULL,
		     *name = arena_printf(&plan->arena, "%s", path);
		free(pem);
		if (!own || !name)
			return error_set(err, FC_ENOMEM, "no memory");
		if (plan->file_count >= TRIAL_FILES_MAX - 1)
			return error_set(err, FC_ELIMIT, "more files than can be restored at once");
		plan->files[plan->file_count++] = (struct trial_file){name, own, len, 0600};
	}
	return FC_OK;
}

static int check_parts(struct control *control, const struct value *parts, struct error *err)
{
	for (int i = 0; i < control->part_count; i++) {
		const struct control_part *part = control->parts[i];
		int result = part->check(part->user, value_get(parts, part->name), err);

		if (result)
			return result;
	}
	return FC_OK;
}

static int keep_parts(struct control *control, const struct value *parts, struct error *err)
{
	struct buffer text;

	free(control->restored_parts);
	control->restored_parts = NULL;
	if (!control->part_count || !parts)
		return FC_OK;
	buffer_init(&text, BACKUP_TEXT_MAX);
	if (!json_write(&text, parts))
		control->restored_parts = strdup(text.data);
	buffer_fini(&text);
	return control->restored_parts ? FC_OK : error_set(err, FC_ENOMEM, "no memory");
}

static int make_draft(struct backup_job *j, const struct value *text, struct config_draft *d, struct error *err)
{
	const struct config *running = j->control->sources.config.running(j->control->sources.config.user);
	struct edit *edit = edit_new(text->text, text->len, err);
	char *own = NULL;
	size_t len = 0;
	int result = edit ? keep_ours(edit, running, err) : FC_EINVAL;

	if (!result) {
		own = edit_text(edit, &len);
		result = own ? config_draft_take(d, j->control, j->reply, own, len, err)
			     : error_set(err, FC_ENOMEM, "no memory");
	}
	free(own);
	edit_free(edit);
	if (!result && d->mistakes && d->mistakes->count)
		result =
		    error_set(err, FC_EINVAL, "the backup's configuration does not suit this box: %.250s", d->first);
	return result;
}

/* Says what would come of it. */
static int tell(struct control_reply *reply, const struct config_draft *d, const struct apply_plan *plan)
{
	struct maker m = {.arena = &reply->arena};
	struct value *root = value_object(m.arena), *files = value_array(m.arena);

	for (int i = 0; i < plan->file_count; i++)
		maker_push(&m, files, value_string(m.arena, plan->files[i].path));
	maker_put(&m, root, "changes", d->changes);
	maker_put(&m, root, "files", files);
	reply->result = m.failed ? NULL : root;
	return FC_OK;
}

/* Once the configuration was confirmed. */
static void restore_parts(void *user)
{
	struct control *control = user;
	struct value *parts = NULL;
	struct error err = {0};
	struct arena arena;

	if (!control->restored_parts)
		return;
	arena_init(&arena, BACKUP_MEMORY);
	int failed =
	    json_read(control->reader, control->restored_parts, strlen(control->restored_parts), &arena, &parts, &err);
	for (int i = 0; i < control->part_count && !failed; i++) {
		const struct control_part *part = control->parts[i];
		const struct value *saved = value_get(parts, part->name);

		if (saved && part->restore(part->user, saved, &err))
			log_error("control: restore: %s: %s", part->name, err.text);
	}
	if (failed)
		log_error("control: restore: %s", err.text);
	arena_fini(&arena);
	bytes_wipe(control->restored_parts, strlen(control->restored_parts));
	free(control->restored_parts);
	control->restored_parts = NULL;
}

static int fill_plan(struct backup_job *j, struct apply_plan *plan, struct config_draft *d, const struct value *secret,
		     struct error *err)
{
	const struct value *files = value_get(secret, "files");
	int result = backup_files_check(d->config, files, err);

	if (!result)
		result = check_parts(j->control, value_get(secret, "parts"), err);
	if (!result)
		result = add_lua(plan, j, err);
	if (!result)
		result = add_files(plan, files, err);
	if (result)
		return result;
	plan->text = arena_copy(&plan->arena, d->text, d->len);
	plan->len = d->len;
	plan->origin = "restore";
	plan->confirm_s = j->confirm_s;
	plan->confirmed = restore_parts;
	plan->confirmed_user = j->control;
	plan->files[plan->file_count++] = (struct trial_file){j->control->sources.path, plan->text, plan->len, 0600};
	return plan->text ? FC_OK : error_set(err, FC_ENOMEM, "no memory");
}

/* Opened: the rest is as with config_apply. */
static int take_over(struct backup_job *j, struct error *err)
{
	struct config_draft d = {0};
	struct apply_plan *plan = apply_plan_new(err);
	struct value *secret = NULL;

	if (!plan)
		return FC_ENOMEM;
	int result = FC_OK;
	if (json_read(j->control->reader, (const char *)j->data, j->len, &j->arena, &secret, NULL) ||
	    !value_text(value_get(secret, "config")))
		result = damaged(err);
	if (!result)
		result = make_draft(j, value_get(secret, "config"), &d, err);
	if (!result)
		result = fill_plan(j, plan, &d, secret, err);
	if (!result && !j->only_check && !apply_is_idle(j->control->apply))
		result = error_set(err, FC_EBUSY, "a change waits for its confirmation");
	if (!result && !j->only_check)
		result = keep_parts(j->control, value_get(secret, "parts"), err);
	if (result || j->only_check) {
		if (!result)
			result = tell(j->reply, &d, plan);
		apply_plan_free(plan);
	} else {
		for (int i = 0; i < plan->file_count; i++)
			make_folder_of(plan->files[i].path);
		plan->config = d.config;
		d.config = NULL;
		result = apply_start(j->control->apply, j->reply, plan, err);
	}
	config_draft_fini(&d);
	return result;
}

static void on_opened(void *user, int finished)
{
	struct backup_job *j = user;
	struct control_reply *reply = j->reply;
	struct error err = j->err;

	if (!reply || !finished) {
		backup_job_free(j);
		return;
	}
	control_work_end(j->control);
	reply->cancel = NULL;
	int result = j->result ? j->result : take_over(j, &err);
	backup_job_free(j);
	if (result != CONTROL_LATER)
		control_finish(reply, result, err.text);
}

int command_restore(struct control *control, struct control_reply *reply, struct error *err)
{
	struct backup_job *j = backup_job_new(control, reply, err);

	if (!j)
		return err->code;
	j->confirm_s = (int)control_int(reply, "confirm_s", APPLY_CONFIRM_S);
	j->only_check = control_flag(reply, "only_check");
	reply->is_quiet = j->only_check;
	int result = read_file(j, value_get(reply->arguments, "file"), err);
	if (result) {
		backup_job_free(j);
		return result;
	}
	return backup_job_start(j, restore_step, on_opened, err);
}
