/* Shelf: the scripts in force, and new versions of them loaded ahead on a thread of its own, so that the loop never waits for
 * Lua. Whoever lists what is needed (shelf_want) is told when each of it was loaded, checked and had its examples run; then he
 * puts it all forward in one step, between two events, and lets the rooms take it. What did not change in content is not loaded
 * again. What nobody holds any more is freed on the thread.
 *
 * The objects are the rooms' own (a compiled profile, a mapping ...); the shelf knows how to load and free them. A version may
 * be held by several; who holds it may call it, on the loop's thread. All calls here are made there. */
#ifndef FC_SCRIPT_SHELF_H
#define FC_SCRIPT_SHELF_H

#include <stdint.h>

#include "base/error.h"
#include "loop/loop.h"
#include "script/host.h"

struct shelf;

/* One for each kind of script; a constant of the room that owns the objects. */
struct shelf_kind {
	const char *name;   /* "profile" */
	const char *folder; /* below lua_dir: "profiles" */
	/* On any thread; asks and changes nothing of the room. NULL and *err with file, line and reason. */
	void *(*load)(const struct script_host *host, const char *name, const char *space, struct error *err);
	void (*release)(void *object); /* frees it, on any thread */
	const char *(*hash)(const void *object);
};

struct shelf_want {
	const struct shelf_kind *kind;
	const char *name;
	const char *space; /* whose lookup tables it sees: part of its identity. "" = none */
};

enum shelf_state {
	SHELF_SAME,   /* content as that of the version in force */
	SHELF_LOADED, /* a new version, good as far as the file goes */
	SHELF_FAILED, /* can't be loaded, or was refused */
};

/* What came of one that was wanted. Texts live until the next shelf_want. */
struct shelf_item {
	const struct shelf_kind *kind;
	const char *name, *space;
	enum shelf_state state;
	int running; /* a version of it is in force */
	int again;   /* SHELF_FAILED: the same as the last time; SHELF_SAME: it had failed meanwhile, and is back */
	int lacking; /* SHELF_LOADED: the rooms have gone on without it so far */
	const void *object; /* SHELF_LOADED: for a look; the shelf's */
	char hash[65];      /* of the new version, else of the one in force, else "" */
	char error[ERROR_TEXT_MAX];
};

/* Starts the thread. host is borrowed; its limits are looked at when something is wanted. ready is called on the loop when all
 * that was wanted has been tried. */
struct shelf *shelf_new(struct loop *loop, const struct script_host *host, void (*ready)(void *user), void *user,
			struct error *err);
/* Waits for the script that is being loaded (its limits end it). Nothing may be held any more. */
void shelf_free(struct shelf *shelf);

/* Has all of it looked at on the thread; wants may go after the call. Each (kind, name, space) once. What an earlier call brought
 * and nobody put forward is dropped. FC_OK; FC_EBUSY: it is at it already; FC_ENOMEM. */
int shelf_want(struct shelf *shelf, const struct shelf_want *wants, int count);
/* The same here and now, for the start. FC_OK also when some failed. */
int shelf_load(struct shelf *shelf, const struct shelf_want *wants, int count);
/* For the start, after shelf_load, of one that failed: it is loaded from these texts in place of files (copied), then looked at by
 * fits (may be NULL). FC_OK: it is SHELF_LOADED, and the item's error still says what is wrong with the files, which are tried again
 * whenever they are wanted. Else all is as before, and *err says why. */
int shelf_load_instead(struct shelf *shelf, int index, const struct script_instead *texts,
		       int (*fits)(void *user, const void *object, struct error *err), void *user, struct error *err);
/* For the start: there is nothing to replace the failed one with. Rooms are to go on without it: shelf_lacks. */
void shelf_do_without(struct shelf *shelf, int index);
/* Nonzero when it is to be done without, until a version of it is put forward. Never without a shelf. */
int shelf_lacks(const struct script_host *host, const struct shelf_kind *kind, const char *name, const char *space);
/* How many scripts are in force, or done without, whose files were refused when they were tried last: each file once. */
int shelf_refused_count(const struct shelf *shelf);
/* Those, one by one (index 0..): "profiles", NAME and "file:line: reason", valid until the loop's next turn. FC_ENOENT past the end. */
int shelf_refused(const struct shelf *shelf, int index, const char **folder, const char **name, const char **why);
/* Why the file FOLDER/NAME.lua is not what is in force (its content as it was tried last); NULL when it is. Valid until the next
 * shelf_want. */
const char *shelf_refusal(const struct shelf *shelf, const char *folder, const char *name);
/* What came of it, by place in wants; *count may be NULL. */
const struct shelf_item *shelf_items(const struct shelf *shelf, int *count);
/* How long the thread took, in microseconds. */
int64_t shelf_load_us(const struct shelf *shelf);
/* A loaded one is not good enough after all. */
void shelf_refuse(struct shelf *shelf, int index, const struct error *why);

/* What was loaded and not put forward is not wanted after all. */
void shelf_drop(struct shelf *shelf);

/* From now on shelf_take gives the loaded versions. To be followed by shelf_accept or shelf_withdraw. */
int shelf_put_forward(struct shelf *shelf);
/* They stay; what was wanted no longer and is held by nobody goes. */
void shelf_accept(struct shelf *shelf);
/* shelf_take gives again what it gave before. */
void shelf_withdraw(struct shelf *shelf);

/* The version in force, held until it is returned. NULL and *err when there is none. Without a shelf (host->shelf NULL: tests, tools)
 * it is loaded here, and shelf_return frees it. */
void *shelf_take(const struct script_host *host, const struct shelf_kind *kind, const char *name, const char *space,
		 struct error *err);
void shelf_return(const struct script_host *host, const struct shelf_kind *kind, void *object);
/* Has other work done beside the loop, behind what is wanted already: step is called on the thread until it returns 0, then done on the
 * loop, never during this call, with finished 1; or with 0 when the shelf is freed before. FC_OK; FC_ENOMEM: done is not called. */
int shelf_run(struct shelf *shelf, int (*step)(void *user), void (*done)(void *user, int finished), void *user);
/* Versions that exist: 0 loaded twice and freed once shows here (tests, counters). */
int shelf_version_count(const struct shelf *shelf);

#endif
