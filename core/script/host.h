/* Host: what a script is given by whoever loads it: where its folder is, its limits, and what it may ask of the gateway. One host
 * serves all scripts of a program. */
#ifndef FC_SCRIPT_HOST_H
#define FC_SCRIPT_HOST_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/value.h"

struct script_limits {
	size_t memory;    /* bytes for the whole state; default 4 MiB when 0 */
	int instructions; /* VM instructions a call; default 5 000 000 when 0 */
	int time_ms;      /* wall time a call; default 200 when 0 */
};

/* An entry of a lookup table that a call has put. value NULL: it was removed. */
struct script_entry {
	const char *table, *key, *value;
};

/* What a script may ask while one of its functions is called (never while its file is loaded or its examples run: there it sees
 * what the example gives). Called on the thread that made the call. */
struct script_services {
	void *user;
	/* The station's public state: kind "stations", "connectors" (lists of ids), "station", "connector" (one, by id). In arena;
	 * NULL when there is no such thing. */
	struct value *(*state)(void *user, const char *kind, const char *id, struct arena *arena);
	/* Lookup tables of a space ("operators/" and a platform's section, "policies/" and a policy's name). reverse 0: the value of
	 * a key; 1: the key of a value that was put last, 2: the one before it ... FC_OK, FC_ENOENT, FC_EIO. */
	int (*get)(void *user, const char *space, const char *table, const char *key, int reverse, char *out,
		   size_t size);
	/* Keeps all that a call that went well has put, all or nothing, on the disk. */
	int (*put)(void *user, const char *space, const struct script_entry *entries, int count, struct error *err);
};

/* A text that is read in place of a file: a version that is tried before it is written. */
struct script_instead {
	const char
	    *path; /* as the loader makes it: lua_dir/FOLDER/NAME.lua, lua_dir/lib/NAME.lua; NULL ends the list */
	const char *text;
	size_t len;
};

struct shelf;

struct script_host {
	const char
	    *lua_dir; /* borrowed while something is loaded; profiles/, operators/, policies/ and lib/ are in it */
	struct script_limits limits;
	const struct script_services *services; /* NULL: nobody to ask */
	const struct script_instead *
	    instead; /* a list, NULL: all files are read as they are; borrowed as long as a script that was loaded so lives */
	struct shelf *shelf; /* where loaded scripts are taken from; NULL: each is loaded when it is needed */
};

#endif
