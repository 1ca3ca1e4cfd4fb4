/* Apply: another configuration taken over for a time, until somebody confirms that he can still reach the gateway. If nobody does, the
 * one before comes back by itself: after the time (on the monotonic clock), on demand, or at the next start (config/trial.h).
 *
 *   idle -> writing -> loading -> waiting -> idle          confirmed
 *             |          |           '-> returning -> idle not confirmed in time, or taken back
 *             |          '-> idle                          refused: the files are back, and nothing had changed
 *             '-> idle                                     a script can't be loaded, or the disk is full: nothing was written
 *
 * Whoever asked is answered when the new one is in force; where it moves the page or the local socket, before that: he could not be
 * answered afterwards. */
#ifndef FC_CONTROL_APPLY_H
#define FC_CONTROL_APPLY_H

#include "config/config.h"
#include "config/trial.h"
#include "control/control.h"
#include "script/host.h"

enum { APPLY_CONFIRM_S = 90, APPLY_CONFIRM_MIN_S = 30, APPLY_CONFIRM_MAX_S = 600 };

struct apply;
struct maker;

struct apply *apply_new(struct control *control, struct error *err);
/* NULL is allowed. A trial that is open stays so: it ends at the next start. */
void apply_free(struct apply *apply);

/* What is to be. Made by apply_plan_new, filled, given to apply_start, which owns it from then on. */
struct apply_plan {
	struct arena arena;    /* for all below */
	struct config *config; /* as it will be; owned */
	const char *text;      /* of the configuration */
	size_t len;
	struct trial_file files[TRIAL_FILES_MAX]; /* all that is written: the configuration last */
	int file_count;
	struct script_instead *instead; /* Lua among them, while it is tried; NULL = none; ends with a NULL path */
	const char *origin;             /* "apply", "restore", "version 7" */
	int confirm_s;
	/* Called on the loop once it is confirmed; NULL = nothing. */
	void (*confirmed)(void *user);
	void *confirmed_user;
};
struct apply_plan *apply_plan_new(struct error *err);
void apply_plan_free(struct apply_plan *plan);
/* Begins; plan is taken over in any case. Returns what the command is to return: CONTROL_LATER, FC_EBUSY (one is under way) ... */
int apply_start(struct apply *apply, struct control_reply *reply, struct apply_plan *plan, struct error *err);
/* FC_OK; FC_ENOENT: nothing waits; FC_EBUSY: over a connection that was there before. */
int apply_confirm(struct apply *apply, struct control_reply *reply, struct error *err);
int apply_revert(struct apply *apply, const struct control_reply *reply, struct error *err);
int apply_is_idle(const struct apply *apply);

/* Members "pending" and "last" of an answer, as README.md tells them. */
void apply_put(const struct apply *apply, struct maker *m, struct value *object);

/* For the overview and the alarms. */
struct control_pending {
	const char *state;  /* "writing", "loading", "waiting", "returning" */
	int64_t since_wall; /* when it was asked for */
	int left_s;         /* of waiting */
	const char *who, *place;
};
/* Nonzero while a configuration is on trial; pending may be NULL. */
int control_config_pending(const struct control *control, struct control_pending *pending);
/* The file may have been changed by hand and taken over (SIGHUP): it is noted among the versions. */
void control_config_loaded(struct control *control, const char *origin);

#endif
