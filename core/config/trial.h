/* Trial: files that are replaced for a time, until somebody confirms them. Whatever happens meanwhile, the old ones come back by
 * themselves: at the next start, before anything is read.
 *
 * Beside each file: ".NAME.next", what is to be there, and ".NAME.before", what was there. Beside the configuration:
 * ".NAME.trial", the list of them. The order of writing is the point of this file:
 *   1. all .next and .before, on the disk;
 *   2. the list: from here on the old ones come back;
 *   3. the .next into their places.
 * A folder ".NAME" beside a file holds those of it instead, where there is one: for who may write the file, but not its folder, as the
 * daemon's user in /etc/config. The file is written over in its place then, which a power cut can tear; what is beside it stays until the
 * list is gone, so that the next start has the old one whole.
 *
 * To confirm is to remove the list; to go back is to rename the .before into their places, which takes no room on a full disk, and
 * then to remove the list. Each step can be cut off by a power cut and repeated. These calls write and sync: not for the poll path. */
#ifndef FC_CONFIG_TRIAL_H
#define FC_CONFIG_TRIAL_H

#include <stddef.h>

#include "base/error.h"

enum { TRIAL_FILES_MAX = 512, TRIAL_PATH = 600 };

struct trial_file {
	const char *path; /* of an existing folder; a link is followed */
	const void *text;
	size_t len;
	int mode; /* of a file that is new, such as 0600; one that is there keeps its own */
};

/* config: the path of the configuration, which names the list; it may be one of files. FC_EBUSY: there is a trial already; FC_EIO,
 * FC_ENOMEM, FC_EINVAL: nothing was changed, and *err says which file. */
int trial_begin(const char *config, const struct trial_file *files, int count, struct error *err);
int trial_is_open(const char *config);
/* The new files stay. FC_OK, FC_ENOENT: there is no trial; FC_EIO: it goes on. */
int trial_confirm(const char *config, struct error *err);
/* The old files are back. FC_OK, FC_ENOENT, FC_EIO (may be repeated). */
int trial_revert(const char *config, struct error *err);
/* At the start, before the configuration is read: 1 = a trial was open, and the old files are back; 0 = there was none; FC_EIO. */
int trial_recover(const char *config, struct error *err);

#endif
