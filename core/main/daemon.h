/* Daemon: the rooms put together, and their reload. */
#ifndef FC_MAIN_DAEMON_H
#define FC_MAIN_DAEMON_H

#include <stdio.h>

#include "base/error.h"
#include "config/config.h"
#include "main/reload.h"

struct daemon;

/* Takes config and signals (a signalfd of HUP, TERM, INT, USR1) over, also on failure. stats_file may be NULL. */
struct daemon *daemon_new(const char *path, const char *version, struct config *config, int signals,
			  const char *stats_file, struct error *err);
/* Until TERM or INT. 0, or a negative code. */
int daemon_run(struct daemon *daemon);
void daemon_free(struct daemon *daemon);

/* Takes changed scripts over, as a saved file does; reload.h says what done is told. NULL: no memory. */
struct reload_call *daemon_reload_lua(struct daemon *daemon, const char *origin, reload_done done, void *user);

/* Loads every profile and mapping that config names and runs their examples; each failure is a line on to. Returns how
 * many failed. */
int daemon_check_lua(const struct config *config, FILE *to);

#endif
