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
#include "station/sampler.h"
#include "station/station.h"
#include "store/store.h"
#include "upstream/platform.h"

/* Room for the answer about every connector that may be configured, and for a page of the largest orders. */
#define CONTROL_MEMORY ((size_t)1572864 + (size_t)CONFIG_MAX_CONNECTORS * 8192)

struct control;
struct control_reply;
struct bus_trace;
struct guard;
struct loop;
struct alarms;

/* What of the Lua files was refused when they were loaded again: one text each, "file:line: reason". */
typedef void (*control_reloaded)(void *user, const char *const *refusals, int count);

/* The Lua files, as whoever runs the daemon has them. */
struct control_lua {
	const struct script_host *host;
	/* Loads them again; what came into force is noted with that origin (store/versions.h). done comes once, at once or later. */
	void (*reload)(void *user, const char *origin, control_reloaded done, void *done_user);
	void *user;
};

/* What came of a reload with the configuration: code FC_OK, or why it was refused; all is as it was then. */
typedef void (*control_loaded)(void *user, int code, const char *error);

/* The configuration, as whoever runs the daemon has it: apply.h. */
struct control_config {
	struct loop *loop;
	const struct config *(*running)(void *user);
	/* Reads the file again and takes it over. done comes once, at once or later. */
	void (*load)(void *user, control_loaded done, void *done_user);
	void *user;
	int was_put_back; /* a change that nobody had confirmed was taken back before this start */
};

/* What the commands work on; borrowed. */
struct control_sources {
	const char *version; /* of the program */
	const char *path;    /* of its configuration */
	struct loop *loop;
	int64_t started_us;
	struct store *store;
	struct bus_trace *trace;
	struct device_set *devices;
	struct station_set *stations;
	struct sampler *sampler; /* may be NULL: there are no curves (tests) */
	struct charge_set *charges;
	struct platform_set *platforms;
	struct control_lua lua;
	struct guard *guard;          /* guard.h */
	struct control_config config; /* loop NULL: there is none (tests) */
	struct alarms *alarms;        /* alarms.h */
};

/* What somebody may; each may what those before may. */
enum control_right {
	CONTROL_VIEW,       /* viewer: looks at the station */
	CONTROL_OPERATE,    /* operator: also charges, orders, who did what */
	CONTROL_INTEGRATE,  /* integrator: also Lua, configuration, the lines by hand */
	CONTROL_ADMINISTER, /* administrator: also accounts */
};
/* "viewer" ... "administrator"; NULL for no right. */
const char *control_role(enum control_right right);
/* FC_OK, FC_ENOENT. */
int control_right_of(const char *role, enum control_right *right);

struct control_caller {
	const char *name;  /* for the log */
	const char *place; /* from where: an address; NULL = on the box */
	enum control_right right;
	int64_t connected_us; /* when the connection was made over which it came, monotonic; 0 = there is none */
};

/* The key of a confirmation that came over a connection from before the change (apply.h). */
#define CONTROL_KEY_NEW_CONNECTION "config.new_connection"

struct control_result {
	int code;          /* FC_OK, or why not */
	const char *error; /* in words, "" when done */
	const char *key;   /* stable id of the reason, for translation: "charge.occupied"; "" = none is known */
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
/* How the page is served now, for whoever looks for it; told by whoever serves it. */
struct control_page {
	int is_on, port, tls;
	char address[64];     /* "" = all */
	char fingerprint[96]; /* SHA-256 of its certificate, "AB:CD:..."; "" without TLS, or not known */
	int is_self_signed;   /* by the box: self_signed.h */
};
void control_set_page(struct control *control, const struct control_page *page);
/* What to type into a browser: by host name where it is served on all addresses. */
enum { CONTROL_PAGE_ADDRESS = 160 };
void control_page_address(const struct control_page *page, char text[CONTROL_PAGE_ADDRESS]);
/* The tables as Markdown. */
void control_describe(FILE *to);

#endif
