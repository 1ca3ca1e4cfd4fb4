/* Backup: the whole of what somebody set up on this box, in one file of JSON:
 *
 *   {"forecourt_backup":1,"created_at":..,"version":"..","operator_id":"..",
 *    "config":"the text, secrets masked","lua":"ITEM BYTES\n..","lua_data":base64 of zlib of the files' texts, one behind the other,
 *    "sealed":{"kdf":"scrypt","n":16384,"r":8,"p":1,"salt":hex,"nonce":hex,"tag":hex,"data":base64},
 *    "sha256":over all of it but itself, as it is written}
 *
 * Sealed with AES-256-GCM, the rest as its associated data: {"config":the text with its secrets, "files":[{"path","text"}] (certificates
 * and keys that the configuration names), "parts":{..} (of other rooms)}. The key is scrypt's of the passphrase. No secret is in clear,
 * nor a hash of one: the checksum is over what is in the file. */
#ifndef FC_CONTROL_BACKUP_H
#define FC_CONTROL_BACKUP_H

#include "base/value.h"
#include "control/control.h"

enum { BACKUP_VERSION = 1, BACKUP_PASSPHRASE_MIN = 10, BACKUP_PASSPHRASE_MAX = 200, BACKUP_FILE_MAX = 1 << 20 };

/* What another room has in the backup, sealed: accounts, say. name, and all else, is borrowed as long as the control room is. */
struct control_part {
	const char *name;
	struct value *(*save)(void *user, struct arena *arena);
	/* Before anything is written. saved may be NULL: the backup has none of it. */
	int (*check)(void *user, const struct value *saved, struct error *err);
	/* Once the restored configuration was confirmed. */
	int (*restore)(void *user, const struct value *saved, struct error *err);
	void *user;
};
/* FC_OK, FC_ELIMIT. */
int control_backup_add(struct control *control, const struct control_part *part);

#endif
