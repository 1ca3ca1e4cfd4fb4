/* Daemon: the rooms put together, and their reload. */
#ifndef FC_MAIN_DAEMON_H
#define FC_MAIN_DAEMON_H

#include "base/error.h"
#include "config/config.h"
#include "main/good.h"
#include "main/reload.h"

struct daemon;

/* Takes config and signals (a signalfd of HUP, TERM, INT, USR1) over, also on failure. stats_file may be NULL. good is borrowed: config
 * is what it read, or its last good one. */
struct daemon *daemon_new(const char *path, const char *version, struct config *config, int signals,
			  const char *stats_file, int was_put_back, struct good *good, struct error *err);
/* Before the configuration is read: a change of it that nobody had confirmed is taken back (config/trial.h). Nonzero when there was
 * one: it is for daemon_new to know. */
int daemon_put_back(const char *path);
/* Until TERM or INT. 0, or a negative code. */
int daemon_run(struct daemon *daemon);
void daemon_free(struct daemon *daemon);

/* Takes changed scripts over, as a saved file does; reload.h says what done is told. NULL: no memory. */
struct reload_call *daemon_reload_lua(struct daemon *daemon, const char *origin, reload_done done, void *user);

#endif
