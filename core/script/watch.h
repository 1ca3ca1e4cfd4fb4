/* Watch: tells when files of some folders (one level) changed, once things are quiet: editors write by rename, save several files
 * at once or leave one half-written for a moment.
 *
 * inotify tells at once of files in the folders, of the folders' own coming and going, and of links on the way there being turned.
 * What it can't see (a file behind a link, a mount, a network's file system; all, when the box has no watches left) a look at
 * names, sizes and times finds within LOOK_S. */
#ifndef FC_SCRIPT_WATCH_H
#define FC_SCRIPT_WATCH_H

#include "base/error.h"
#include "loop/loop.h"

enum { WATCH_LOOK_S = 5 };

struct watch;
/* Calls changed(user) on the loop 150 ms after the last event, and at most 2 s after the first. Only names ending in ".lua"
 * count. */
struct watch *watch_new(struct loop *loop, void (*changed)(void *user), void *user, struct error *err);
/* The folder need not be there yet. FC_OK, FC_ENOMEM; FC_EIO: it is looked at only (*err says why inotify can't). */
int watch_add(struct watch *watch, const char *folder, struct error *err);
void watch_free(struct watch *watch);

#endif
