/* Config versions: the last configurations that were in force, without their secrets, with who brought them and when. Kept in the store
 * as small named values, the oldest overwritten. For this room only. */
#ifndef FC_CONTROL_CONFIG_VERSIONS_H
#define FC_CONTROL_CONFIG_VERSIONS_H

#include <stdint.h>

#include "control/command.h"
#include "script/sources.h"

/* A text that is larger is noted without it: flash is small. */
enum { CONFIG_VERSIONS_MAX = 10, CONFIG_VERSION_TEXT_MAX = 256 << 10, CONFIG_VERSION_ORIGIN = 48 };

struct config_version {
	int64_t id, at_wall;
	char who[AUDIT_WHO], place[AUDIT_PLACE], origin[CONFIG_VERSION_ORIGIN];
	char hash[SOURCE_HASH]; /* of the file, secrets and all: a secret that changed is another version */
	char *text;             /* masked; of the caller: free() */
	size_t len;
};

/* Notes the file as it is now, unless it is the newest version already. FC_OK; FC_EIO ... */
int config_versions_note(struct control *control, const char *origin, const char *who, const char *place,
			 struct error *err);
/* The newest first; fn may read version->text, which is freed behind it. How many. */
int config_versions_each(struct control *control, void (*fn)(void *user, const struct config_version *version),
			 void *user);
/* version->text is the caller's. FC_OK, FC_ENOENT, FC_ENOMEM. */
int config_versions_get(struct control *control, int64_t id, struct config_version *version);

/* The configuration's file: *text is free()d by the caller. FC_OK, FC_EIO, FC_ENOMEM. */
int config_file_read(const struct control *control, char **text, size_t *len, char hash[SOURCE_HASH],
		     struct error *err);

#endif
