/* Control: what an operator may ask the gateway, or order it to do. A table of commands on value trees that knows no wire: the
 * local socket (socket.h) carries them now, the page's API can carry the same ones.
 *
 * A command is answered once, at once or later. Whoever asked may go meanwhile (control_forget): what was ordered is done all the
 * same. Secrets are in no answer. On the loop's thread. */
#ifndef FC_CONTROL_CONTROL_H
#define FC_CONTROL_CONTROL_H

#include <stdint.h>
#include <stdio.h>

#include "base/error.h"
#include "base/value.h"
#include "charge/charge.h"
#include "device/device.h"
#include "script/host.h"
#include "station/station.h"
#include "store/store.h"
#include "upstream/platform.h"

/* Room for the answer about every connector that may be configured, and for a page of the largest orders. */
#define CONTROL_MEMORY ((size_t)1572864 + (size_t)CONFIG_MAX_CONNECTORS * 8192)

struct control;
struct control_reply;
struct bus_trace;

/* What of the Lua files was refused when they were loaded again: one text each, "file:line: reason". */
typedef void (*control_reloaded)(void *user, const char *const *refusals, int count);

/* The Lua files, as whoever runs the daemon has them. */
struct control_lua {
	const struct script_host *host;
	/* Loads them again; what came into force is noted with that origin (store/versions.h). done comes once, at once or later. */
	void (*reload)(void *user, const char *origin, control_reloaded done, void *done_user);
	void *user;
};

/* What the commands work on; borrowed. */
struct control_sources {
	const char *version; /* of the program */
	const char *path;    /* of its configuration */
	int64_t started_us;
	struct store *store;
	struct bus_trace *trace;
	struct device_set *devices;
	struct station_set *stations;
	struct charge_set *charges;
	struct platform_set *platforms;
	struct control_lua lua;
};

enum control_right {
	CONTROL_READ, /* changes nothing */
	CONTROL_ACT,  /* may do everything */
};

struct control_caller {
	const char *name; /* for the log */
	enum control_right right;
};

struct control_result {
	int code;                   /* FC_OK, or why not */
	const char *error;          /* in words, "" when done */
	const struct value *result; /* an object; NULL unless done */
};
/* Valid during the call. */
typedef void (*control_done)(void *user, const struct control_result *result);

/* At the start, before any Lua is loaded: what a power cut left half done of several files on their way back is done. */
void control_end_rollback(struct store *store, const struct script_host *host);
struct control *control_new(const struct control_sources *sources, struct error *err);
/* Commands under way are given up; nobody is told. */
void control_free(struct control *control);
/* Carries a command out. arguments: an object or NULL, borrowed for the call. done is called once: during the call, and then NULL
 * is returned, or later, and the reply is returned. */
struct control_reply *control_call(struct control *control, const struct control_caller *caller, const char *name,
				   const struct value *arguments, control_done done, void *user);
/* done will not be called any more. */
void control_forget(struct control_reply *reply);
/* The table as Markdown. */
void control_describe(FILE *to);

#endif
