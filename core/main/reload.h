/* Reload: configuration and scripts taken over while the gateway runs. Whatever asks for it (a saved file, SIGHUP, a command, the
 * page) goes the same way: what is needed is listed, loaded and checked on the shelf's thread (script/shelf.h), and put in force
 * between two events. A broken script keeps its running version and holds up no other; where a changed configuration needs it,
 * the configuration is refused as a whole. A request that comes during a reload gets one of its own after it. */
#ifndef FC_MAIN_RELOAD_H
#define FC_MAIN_RELOAD_H

#include "config/config.h"
#include "loop/loop.h"
#include "script/shelf.h"

struct reload;
struct reload_call;

enum reload_outcome {
	RELOAD_SAME,  /* nothing changed in it */
	RELOAD_TAKEN, /* a new version is in force */
	RELOAD_KEPT,  /* it can't be taken: the version before goes on, if there is one */
};
const char *reload_outcome_name(enum reload_outcome outcome);

struct reload_item {
	const char *kind;   /* "profile", "policy", "mapping" */
	const char *folder; /* "profiles" ... */
	const char *name;
	const char *space; /* the platform of a mapping, else "" */
	enum reload_outcome outcome;
	const char *hash;  /* of the version in force, "" = none */
	const char *error; /* of RELOAD_KEPT: file, line and reason, else "" */
};

/* Valid during the call. */
struct reload_result {
	const char *origin;
	int code;          /* FC_OK; else the configuration was refused, or nothing could be done, and error says why */
	const char *error; /* "" when FC_OK; broken scripts alone are no error of the whole */
	const struct reload_item *items;
	int count, taken, kept;
	int64_t load_us;  /* beside the loop */
	int64_t pause_us; /* of the loop */
};
typedef void (*reload_done)(void *user, const struct reload_result *result);

/* What the daemon brings. */
struct reload_hooks {
	void *user;
	const struct config *(*running)(void *user);
	/* The configuration as it is on the disk, good by itself; *touched: objects that differ from the running one. */
	struct config *(*read)(void *user, int *touched, struct error *err);
	/* Brings all rooms to config. When it fails some have it and some not: it is called again with the running one. */
	int (*apply)(void *user, const struct config *config, struct error *err);
	/* config is in force: takes it over. */
	void (*adopt)(void *user, struct config *config, int touched);
	/* The rooms take the scripts that are on the shelf now, for the running configuration. */
	int (*swap)(void *user, struct error *err);
	/* At the start: scripts that failed to load are replaced, or done without (shelf_load_instead, shelf_do_without). NULL: they
	 * are just missing. */
	void (*replace)(void *user, struct shelf *shelf, const struct config *config);
	/* Something new is in force. */
	void (*accepted)(void *user, const char *origin);
};

/* host is borrowed, its shelf is the new one's from now on. */
struct reload *reload_new(struct loop *loop, struct script_host *host, const struct reload_hooks *hooks,
			  struct error *err);
/* After the rooms have returned what they took. Who waits for a result is not told. */
void reload_free(struct reload *reload);
/* At the start: loads all that config needs, here and now, and puts it on the shelf; replace sees what failed. What is missing then
 * says why when it is taken. FC_OK, FC_ENOMEM. */
int reload_first(struct reload *reload, const struct config *config, struct error *err);

/* Scripts only, or with the configuration first. origin (copied, in the log and with the version): "file", "signal", "command" ...
 * done (may be NULL) is called once, later, unless reload_forget comes before. NULL: no memory, done is not called. */
struct reload_call *reload_request(struct reload *reload, int with_config, const char *origin, reload_done done,
				   void *user);
void reload_forget(struct reload_call *call);

/* The limits of scripts that a configuration sets. */
struct script_limits reload_limits(const struct config *config);

struct reload_figures {
	uint64_t reloads, taken, kept, refused;
	int64_t load_us, pause_us; /* of the last one that put something in force */
	int64_t longest_pause_us;  /* since the start */
	int scripts_refused;       /* now: files that are not what is in force */
};
void reload_get_figures(const struct reload *reload, struct reload_figures *figures);

#endif
