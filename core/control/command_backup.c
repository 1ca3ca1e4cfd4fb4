/* backup: backup.h says what the file holds. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "config/edit.h"
#include "control/backup_files.h"
#include "control/backup_job.h"
#include "control/config_draft.h"
#include "control/config_versions.h"

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

static struct value *put_sealed(struct maker *m, const struct backup_job *j)
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

static int seal_secret(struct backup_job *j, const struct buffer *aad)
{
	struct buffer text;

	buffer_init(&text, BACKUP_TEXT_MAX);
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

static int make_file(struct backup_job *j)
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
	buffer_init(&aad, BACKUP_TEXT_MAX);
	result =
	    m.failed || json_write(&aad, j->clear) ? error_set(&j->err, FC_ENOMEM, "no memory") : seal_secret(j, &aad);
	buffer_fini(&aad);
	if (result)
		return result;
	maker_put(&m, j->clear, "sealed", put_sealed(&m, j));
	if (m.failed || backup_job_digest(j->clear, hash))
		return error_set(&j->err, FC_ENOMEM, "no memory");
	maker_text(&m, j->clear, "sha256", hash);
	if (m.failed || json_write(&j->out, j->clear) || buffer_text(&j->out, "\n"))
		return error_set(&j->err, FC_ENOMEM, "no memory");
	return j->out.len <= BACKUP_FILE_MAX ? FC_OK : error_set(&j->err, FC_ELIMIT, "the backup would be too large");
}

static int backup_step(void *user)
{
	struct backup_job *j = user;

	j->result = make_file(j);
	return 0;
}

static void on_made(void *user, int finished)
{
	struct backup_job *j = user;
	struct control_reply *reply = j->reply;
	struct error err = j->err;
	int result = j->result;

	if (!reply || !finished) {
		backup_job_free(j);
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
	backup_job_free(j);
	control_finish(reply, result, err.text);
}

int command_backup(struct control *control, struct control_reply *reply, struct error *err)
{
	struct backup_job *j = backup_job_new(control, reply, err);
	char hash[SOURCE_HASH], *text, *masked;
	size_t len, masked_len = 0;

	if (!j)
		return err->code;
	int result = config_file_read(control, &text, &len, hash, err);
	if (result) {
		backup_job_free(j);
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
		backup_job_free(j);
		return error_set(err, FC_ENOMEM, "no memory");
	}
	return backup_job_start(j, backup_step, on_made, err);
}
