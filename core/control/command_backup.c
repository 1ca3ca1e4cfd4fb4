/* backup, restore: backup.h says what the file holds. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "config/edit.h"
#include "control/apply.h"
#include "control/backup.h"
#include "control/backup_files.h"
#include "control/backup_lua.h"
#include "control/bytes.h"
#include "control/config_draft.h"
#include "control/config_versions.h"
#include "control/seal.h"
#include "script/json.h"
#include "script/shelf.h"

enum { MEMORY = 16 << 20, TEXT_MAX = 8 << 20 };

/* One backup or restore under way: made on the loop, worked on beside it. */
struct job {
	struct control *control;
	struct control_reply *reply; /* NULL: gone */
	char passphrase[BACKUP_PASSPHRASE_MAX + 1];
	char lua_dir[600];
	struct arena arena;
	struct backup_lua lua;   /* of the backup */
	struct backup_lua there; /* restore: as it is now */
	struct value *clear;     /* all but sealed and sha256 */
	struct value *secret;    /* backup: what is sealed */
	struct seal seal;
	unsigned char *data; /* sealed */
	size_t len;
	int confirm_s, only_check;
	int result;
	struct error err;
	struct buffer out; /* backup: the file */
};

static void free_job(struct job *j)
{
	if (j->data)
		bytes_wipe(j->data, j->len);
	bytes_wipe(j->passphrase, sizeof(j->passphrase));
	free(j->data);
	buffer_fini(&j->out);
	arena_fini(&j->arena);
	free(j);
}

static void on_cancel(void *user)
{
	((struct job *)user)->reply = NULL;
}

static struct job *new_job(struct control *control, struct control_reply *reply, struct error *err)
{
	struct job *j = calloc(1, sizeof(*j));

	/* What he typed is nobody's business. */
	control_say_arguments(reply, "{}");
	if (!control->apply || !control->sources.lua.host->shelf) {
		(void)error_set(err, FC_EIO, "there is no configuration here");
		free(j);
		return NULL;
	}
	if (!j) {
		(void)error_set(err, FC_ENOMEM, "no memory");
		return NULL;
	}
	j->control = control;
	j->reply = reply;
	arena_init(&j->arena, MEMORY);
	buffer_init(&j->out, TEXT_MAX);
	(void)snprintf(j->passphrase, sizeof(j->passphrase), "%s", control_text(reply, "passphrase"));
	(void)snprintf(j->lua_dir, sizeof(j->lua_dir), "%s", control->sources.lua.host->lua_dir);
	return j;
}

static int start(struct job *j, int (*step)(void *user), void (*done)(void *user, int finished), struct error *err)
{
	struct control_reply *reply = j->reply;
	int result = control_work_begin(j->control, err);

	if (!result && shelf_run(j->control->sources.lua.host->shelf, step, done, j)) {
		control_work_end(j->control);
		result = error_set(err, FC_ENOMEM, "no memory");
	}
	if (result) {
		free_job(j);
		return result;
	}
	reply->cancel = on_cancel;
	reply->cancel_user = j;
	return CONTROL_LATER;
}

/* Parts -------------------------------------------------------------------------------------------------------------------- */

int control_backup_add(struct control *control, const struct control_part *part)
{
	if (control->part_count == CONTROL_PARTS_MAX)
		return FC_ELIMIT;
	control->parts[control->part_count++] = part;
	return FC_OK;
}

static struct value *save_parts(struct control *control, struct maker *m)
{
	struct value *o = value_object(m->arena);

	for (int i = 0; i < control->part_count; i++) {
		const struct control_part *part = control->parts[i];

		maker_put(m, o, part->name, part->save(part->user, m->arena));
	}
	return o;
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
	arena_init(&arena, MEMORY);
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

/* Backup ------------------------------------------------------------------------------------------------------------------- */

static struct value *put_sealed(struct maker *m, const struct job *j)
{
	struct value *o = value_object(m->arena);
	char hex[2 * SEAL_SALT + 1], *data = bytes_to_base64(j->data, j->len);

	maker_text(m, o, "kdf", "scrypt");
	maker_int(m, o, "n", j->seal.n);
	maker_int(m, o, "r", SEAL_R);
	maker_int(m, o, "p", SEAL_P);
	bytes_to_hex(j->seal.salt, SEAL_SALT, hex);
	maker_text(m, o, "salt", hex);
	bytes_to_hex(j->seal.nonce, SEAL_NONCE, hex);
	maker_text(m, o, "nonce", hex);
	bytes_to_hex(j->seal.tag, SEAL_TAG, hex);
	maker_text(m, o, "tag", hex);
	maker_text(m, o, "data", data ? data : "");
	m->failed |= !data;
	free(data);
	return o;
}

/* The file without its checksum as it is hashed: always written the same way. */
static int digest(const struct value *file, char hash[SOURCE_HASH])
{
	struct buffer text;

	buffer_init(&text, TEXT_MAX);
	int failed = json_write(&text, file);
	if (!failed)
		sources_digest(text.data, text.len, hash);
	buffer_fini(&text);
	return failed || !*hash ? FC_ENOMEM : FC_OK;
}

static int seal_secret(struct job *j, const struct buffer *aad)
{
	struct buffer text;

	buffer_init(&text, TEXT_MAX);
	int result = json_write(&text, j->secret);
	if (!result) {
		j->len = text.len;
		j->data = malloc(text.len + 1);
		result = j->data ? FC_OK : FC_ENOMEM;
	}
	if (!result) {
		memcpy(j->data, text.data, text.len);
		result = seal_close(&j->seal, j->passphrase, aad->data, aad->len, j->data, j->len, &j->err);
	} else {
		(void)error_set(&j->err, result, "no memory");
	}
	if (text.data)
		bytes_wipe(text.data, text.len);
	buffer_fini(&text);
	return result;
}

static int make_file(struct job *j)
{
	struct maker m = {.arena = &j->arena};
	char *list, *data, hash[SOURCE_HASH] = "";
	struct buffer aad;

	int result = backup_lua_read(&j->lua, j->lua_dir, &j->arena, &j->err);
	if (!result)
		result = backup_lua_pack(&j->lua, &list, &data, &j->err);
	if (result)
		return result;
	maker_text(&m, j->clear, "lua", list);
	maker_text(&m, j->clear, "lua_data", data);
	free(list);
	free(data);
	buffer_init(&aad, TEXT_MAX);
	result =
	    m.failed || json_write(&aad, j->clear) ? error_set(&j->err, FC_ENOMEM, "no memory") : seal_secret(j, &aad);
	buffer_fini(&aad);
	if (result)
		return result;
	maker_put(&m, j->clear, "sealed", put_sealed(&m, j));
	if (m.failed || digest(j->clear, hash))
		return error_set(&j->err, FC_ENOMEM, "no memory");
	maker_text(&m, j->clear, "sha256", hash);
	if (m.failed || json_write(&j->out, j->clear) || buffer_text(&j->out, "\n"))
		return error_set(&j->err, FC_ENOMEM, "no memory");
	return j->out.len <= BACKUP_FILE_MAX ? FC_OK : error_set(&j->err, FC_ELIMIT, "the backup would be too large");
}

static int backup_step(void *user)
{
	struct job *j = user;

	j->result = make_file(j);
	return 0;
}

static void on_made(void *user, int finished)
{
	struct job *j = user;
	struct control_reply *reply = j->reply;
	struct error err = j->err;
	int result = j->result;

	if (!reply || !finished) {
		free_job(j);
		return;
	}
	control_work_end(j->control);
	if (!result) {
		struct maker m = {.arena = &reply->arena};
		struct value *root = value_object(m.arena);
		char name[80], when[CLOCK_DATETIME_SIZE];
		struct config const *running = j->control->sources.config.running(j->control->sources.config.user);

		clock_format_datetime(clock_wall(), when);
		(void)snprintf(name, sizeof(name), "forecourt-%.18s-%.10s.json", running->gateway.operator_id, when);
		maker_text(&m, root, "file", name);
		maker_text(&m, root, "type", "application/json");
		maker_put(&m, root, "text", value_string_len(m.arena, j->out.data, j->out.len));
		reply->result = m.failed ? NULL : root;
	}
	free_job(j);
	control_finish(reply, result, err.text);
}

int command_backup(struct control *control, struct control_reply *reply, struct error *err)
{
	struct job *j = new_job(control, reply, err);
	char hash[SOURCE_HASH], *text, *masked;
	size_t len, masked_len = 0;

	if (!j)
		return err->code;
	int result = config_file_read(control, &text, &len, hash, err);
	if (result) {
		free_job(j);
		return result;
	}
	masked = edit_mask(text, len, &masked_len);
	struct maker m = {.arena = &j->arena, .failed = !masked};
	const struct config *running = control->sources.config.running(control->sources.config.user);
	j->clear = value_object(m.arena);
	j->secret = value_object(m.arena);
	maker_int(&m, j->clear, "forecourt_backup", BACKUP_VERSION);
	maker_int(&m, j->clear, "created_at", clock_wall());
	maker_text(&m, j->clear, "version", control->sources.version ? control->sources.version : "");
	maker_text(&m, j->clear, "operator_id", running->gateway.operator_id);
	maker_put(&m, j->clear, "config", value_string_len(m.arena, masked ? masked : "", masked_len));
	maker_put(&m, j->secret, "config", value_string_len(m.arena, text, len));
	maker_put(&m, j->secret, "files", backup_files_read(running, m.arena));
	maker_put(&m, j->secret, "parts", save_parts(control, &m));
	free(text);
	free(masked);
	if (m.failed) {
		free_job(j);
		return error_set(err, FC_ENOMEM, "no memory");
	}
	return start(j, backup_step, on_made, err);
}

/* Restore: reading ------------------------------------------------------------------------------------------------------------ */

static int damaged(struct error *err)
{
	return error_set(err, FC_EINVAL, "this backup is damaged");
}

static int read_sealed(struct job *j, const struct value *sealed, struct error *err)
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
static int read_file(struct job *j, const struct value *text, struct error *err)
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
	if (value_drop(file, "sha256") || digest(file, hash) || strcmp(hash, wanted) != 0)
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

static int open_file(struct job *j)
{
	struct buffer aad;

	buffer_init(&aad, TEXT_MAX);
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
	struct job *j = user;

	j->result = open_file(j);
	return 0;
}

/* Restore: what is to be -------------------------------------------------------------------------------------------------------- */

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
static int add_lua(struct apply_plan *plan, const struct job *j, struct error *err)
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
	buffer_init(&text, TEXT_MAX);
	if (!json_write(&text, parts))
		control->restored_parts = strdup(text.data);
	buffer_fini(&text);
	return control->restored_parts ? FC_OK : error_set(err, FC_ENOMEM, "no memory");
}

static int make_draft(struct job *j, const struct value *text, struct config_draft *d, struct error *err)
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

static int fill_plan(struct job *j, struct apply_plan *plan, struct config_draft *d, const struct value *secret,
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
static int take_over(struct job *j, struct error *err)
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
	struct job *j = user;
	struct control_reply *reply = j->reply;
	struct error err = j->err;

	if (!reply || !finished) {
		free_job(j);
		return;
	}
	control_work_end(j->control);
	reply->cancel = NULL;
	int result = j->result ? j->result : take_over(j, &err);
	free_job(j);
	if (result != CONTROL_LATER)
		control_finish(reply, result, err.text);
}

int command_restore(struct control *control, struct control_reply *reply, struct error *err)
{
	struct job *j = new_job(control, reply, err);

	if (!j)
		return err->code;
	j->confirm_s = (int)control_int(reply, "confirm_s", APPLY_CONFIRM_S);
	j->only_check = control_flag(reply, "only_check");
	reply->is_quiet = j->only_check;
	int result = read_file(j, value_get(reply->arguments, "file"), err);
	if (result) {
		free_job(j);
		return result;
	}
	return start(j, restore_step, on_opened, err);
}
