/* Trial: Lua texts that are not written yet, loaded in place of their files, together with everything in force that uses them: by
 * their rooms, with their form and their examples. Beside the loop, one file a step, so that nothing waits. For this room only. */
#ifndef FC_CONTROL_TRIAL_H
#define FC_CONTROL_TRIAL_H

#include "control/command.h"
#include "script/script.h"
#include "store/versions.h"

struct trial {
	struct script_host host;
	char lua_dir[SCRIPT_PATH_MAX]; /* a copy: the configuration may be another one meanwhile */
	struct script_instead instead[SOURCES_MAX + 1];
	char (*items)[VERSION_ITEM]; /* to be loaded, each once */
	int count, next;
	int result; /* of the last one */
	struct error err;
};

/* On the loop. item: what is tried in any case; texts: what stands for files, their paths by lua_path, borrowed until trial_fini.
 * FC_OK, FC_ENOMEM. */
int trial_plan(struct trial *trial, const struct control *control, const char *item, const struct script_instead *texts,
	       int count, struct error *err);
void trial_fini(struct trial *trial);
/* On any thread: the next of them. Nonzero while there are more to try and none has failed. */
int trial_next(struct trial *trial);
/* One file, by its room. A module is required by a script that does nothing else. */
int trial_load(const struct script_host *host, const char *item, struct error *err);

#endif
