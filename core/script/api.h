/* API: what scripts are given beyond Lua's library. Everything is described once, in tables that the globals, the reference
 * (forecourtd --lua-api, lua/README.md) and the tests are made from. Only files of this room include it. */
#ifndef FC_SCRIPT_API_H
#define FC_SCRIPT_API_H

#include <stdint.h>

#include <lua.h>

#include "base/arena.h"
#include "base/value.h"
#include "script/host.h"

enum { API_VERSION = 1 };

struct api_entry {
	/* As a script writes it: "forecourt.time.date(t)", "d:round(n)", a global "require(name)"; without brackets it is a value. What
	 * comes before the bracket is its name; forecourt.* and methods are put in place by it. */
	const char *call;
	const char *gives; /* "text", "decimal", "text or nil", "" */
	const char *what;
	lua_CFunction function; /* NULL: a value or a global that its owner puts in place */
};

/* The API is read subject by subject. */
struct api_subject {
	const char *title;
	const char *text;                /* a paragraph of the reference, or NULL */
	const char *metatable;           /* registry name of the type whose methods are among the entries, or NULL */
	const struct api_entry *entries; /* ends with call == NULL */
	const char *example;             /* Lua that runs as it stands and asserts what it shows */
};
/* In the reference's order; ends with NULL. */
extern const struct api_subject *const api_subjects[];
extern const struct api_subject api_decimal_subject, api_time_subject, api_hash_subject, api_table_subject,
    api_state_subject, api_reshape_subject;

enum api_mode {
	API_LOADING, /* the file itself is run */
	API_SCRATCH, /* an example, a replay, or a program without services: tables of its own, no station but the example's */
	API_LIVE, /* the gateway calls */
};

/* What the API knows of one script and of the call under way. */
struct api {
	const struct script_services *services; /* NULL: always as API_SCRATCH */
	const char *space;                      /* "" = it has no tables of its own */
	enum api_mode mode;
	int64_t wall;              /* "now" */
	const struct value *state; /* of an example, or NULL */
	const char *path;          /* of the function that is called, "" while loading */
	const struct value *input; /* its first argument, or NULL */
	int is_seeded;             /* random: the call has drawn already */
	uint64_t random;
	int64_t stamp;      /* tables: says what was put after what */
	struct arena arena; /* for one answer of the services */
};

/* Puts the global forecourt and the old globals in place; library.c locks them. Raises Lua errors. */
void api_open(lua_State *L);
/* Of the state's script; raises an error in a state that has none. */
struct api *api_of(lua_State *L);
/* Nonzero when services are to be asked. */
int api_is_live(const struct api *api);

/* A metatable that scripts can't read or change; stays on the stack. */
void api_new_metatable(lua_State *L, const char *name);
/* Metamethods of the decimals and tables, into their metatables. */
void api_decimal_open(lua_State *L);

/* The text of a decimal at index (a type of api_decimal.c), pushed; 0 and nothing pushed when it is none. */
int api_push_decimal_text(lua_State *L, int index);
/* Pushes the text of the number at index with exactly n decimals, rounded half up; 0 and nothing when it has no exact decimal that
 * fits. */
int api_push_fixed_text(lua_State *L, int index, int n);

#endif
