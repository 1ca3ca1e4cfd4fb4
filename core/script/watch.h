/* Watch: tells when files in a folder (one level) changed, once things are quiet: editors write by rename, save
 * several files at once or leave one half-written for a moment. */
#ifndef FC_SCRIPT_WATCH_H
#define FC_SCRIPT_WATCH_H

#include "base/error.h"
#include "loop/loop.h"

struct watch;
/* Calls changed(user, path of the folder) on the loop 150 ms after the last event in it. Only names ending in
 * ".lua" count. */
struct watch *watch_new(struct loop *loop, void (*changed)(void *user, const char *folder), void *user,
			struct error *err);
int watch_add(struct watch *watch, const char *folder, struct error *err);
void watch_free(struct watch *watch);

#endif
