#include "control/backup_job.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "script/shelf.h"

void backup_job_free(struct backup_job *j)
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
	((struct backup_job *)user)->reply = NULL;
}

struct backup_job *backup_job_new(struct control *control, struct control_reply *reply, struct error *err)
{
	struct backup_job *j = calloc(1, sizeof(*j));

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
	arena_init(&j->arena, BACKUP_MEMORY);
	buffer_init(&j->out, BACKUP_TEXT_MAX);
	(void)snprintf(j->passphrase, sizeof(j->passphrase), "%s", control_text(reply, "passphrase"));
	(void)snprintf(j->lua_dir, sizeof(j->lua_dir), "%s", control->sources.lua.host->lua_dir);
	return j;
}

int backup_job_start(struct backup_job *j, int (*step)(void *user), void (*done)(void *user, int finished),
		     struct error *err)
{
	struct control_reply *reply = j->reply;
	int result = control_work_begin(j->control, err);

	if (!result && shelf_run(j->control->sources.lua.host->shelf, step, done, j)) {
		control_work_end(j->control);
		result = error_set(err, FC_ENOMEM, "no memory");
	}
	if (result) {
		backup_job_free(j);
		return result;
	}
	reply->cancel = on_cancel;
	reply->cancel_user = j;
	return CONTROL_LATER;
}

int backup_job_digest(const struct value *file, char hash[SOURCE_HASH])
{
	struct buffer text;

	buffer_init(&text, BACKUP_TEXT_MAX);
	int failed = json_write(&text, file);
	if (!failed)
		sources_digest(text.data, text.len, hash);
	buffer_fini(&text);
	return failed || !*hash ? FC_ENOMEM : FC_OK;
}
