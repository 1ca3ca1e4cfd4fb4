/* A backup or restore under way: made on the loop, worked on beside it (script/shelf.h), ended on the loop. */
#ifndef FC_CONTROL_BACKUP_JOB_H
#define FC_CONTROL_BACKUP_JOB_H

#include "control/backup.h"
#include "control/backup_lua.h"
#include "control/bytes.h"
#include "control/command.h"
#include "control/seal.h"

/* Bytes: of the arena; of a text that is made. */
enum { BACKUP_MEMORY = 16 << 20, BACKUP_TEXT_MAX = 8 << 20 };

struct backup_job {
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

/* NULL: there is no configuration, or no memory. The reply is not told yet. */
struct backup_job *backup_job_new(struct control *control, struct control_reply *reply, struct error *err);
/* What was typed, and what was sealed, is gone from memory. */
void backup_job_free(struct backup_job *j);
/* step beside the loop, done on it, as shelf_run has them. CONTROL_LATER; on an error the job is freed. */
int backup_job_start(struct backup_job *j, int (*step)(void *user), void (*done)(void *user, int finished),
		     struct error *err);
/* The file without its checksum as it is hashed: always written the same way. FC_OK, FC_ENOMEM. */
int backup_job_digest(const struct value *file, char hash[SOURCE_HASH]);

#endif
