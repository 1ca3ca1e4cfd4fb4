/* Script: one Lua file in its own sandboxed Lua 5.4 state. The only room that includes lua.h: others hand it
 * values (base/value.h) and get values back.
 *
 * The sandbox: no io, os.execute, load, dofile, debug, package, bytecode; memory by allocator; time by a count
 * hook set on coroutines too; string.rep, string.find and friends, table.concat bounded. The file returns one
 * table. Functions in it are called by path ("map.query_token.request").
 *
 * Global functions given to scripts beyond the safe standard library:
 *   array(t)        marks t as a list, so that an empty one is written []
 *   object(t)       marks t as an object, so that an empty one is written {}
 *   fixed(x, n)     a number written with exactly n decimals: fixed(10, 3) is 10.000
 *   null            JSON null
 *   log(text)       a line in the gateway's log at level info */
#ifndef FC_SCRIPT_SCRIPT_H
#define FC_SCRIPT_SCRIPT_H

#include "base/error.h"
#include "base/value.h"
#include "script/host.h"

enum { SCRIPT_NAME_MAX = 63, SCRIPT_PATH_MAX = 512 };

struct script;

/* Loads and runs lua_dir/FOLDER/NAME.lua; require() reads lua_dir/lib (pure Lua, sandboxed too). NULL and *err ("file:line:
 * reason"), FC_EINVAL for a name of anything but a-z 0-9 _ - or longer than SCRIPT_NAME_MAX. space: whose lookup tables it sees,
 * NULL = it has none. host and space are copied, the services borrowed. */
struct script *script_load(const struct script_host *host, const char *folder, const char *name, const char *space,
			   struct error *err);
/* The same for a file anywhere. */
struct script *script_load_file(const struct script_host *host, const char *path, const char *space, struct error *err);
void script_free(struct script *script);
const char *script_path(const struct script *script);
/* SHA-256 of the file (64 hex characters): the version recorded with what the script shaped. */
const char *script_hash(const struct script *script);
/* The returned table as data; functions are left out. Integer-keyed tables 1..n are arrays; other integer keys
 * become decimal text keys. Lives as long as the script. */
const struct value *script_table(const struct script *script);
/* The paths of all functions in the returned table, at any depth: a list of texts, in no order. */
const struct value *script_functions(const struct script *script);
/* Nonzero when the path names a function in the returned table. */
int script_has(const struct script *script, const char *path);
/* Calls it with up to two arguments (NULL = none); the result is built in arena. A function that returns nothing
 * gives *out == NULL. FC_OK, FC_ENOENT, FC_ELIMIT, FC_ESCRIPT with "file:line: reason". The state stays usable. */
int script_call(struct script *script, const char *path, const struct value *arg1, const struct value *arg2,
		struct arena *arena, struct value **out, struct error *err);
/* One value that a hook takes or gives. */
struct script_scalar {
	enum { SCRIPT_NIL, SCRIPT_WHOLE, SCRIPT_NUMBER, SCRIPT_TEXT } kind;
	int64_t whole;
	double number;
	char text[64];
};
/* A call of function(raw, get, number) that works out one value, made so often that it needs limits of its own and no tree. */
struct script_hook {
	struct script_scalar raw;
	const uint16_t *words; /* not NULL: raw is the list of these count words */
	int count;
	int number;
	/* get(name) of the script, while the hook runs. FC_OK (nil unless *out is set), FC_ENOENT: an error in the script. */
	int (*get)(void *user, const char *name, struct script_scalar *out);
	void *user;
	int instructions, time_ms;
};
/* FC_OK and *out; FC_ENOENT, FC_ELIMIT, FC_ESCRIPT as script_call. */
int script_call_hook(struct script *script, const char *path, const struct script_hook *hook, struct script_scalar *out,
		     struct error *err);
/* Runs the file's examples: a list of {call = "path", input = ..., context = ..., expect = ...}; each result must equal
 * expect. No examples is fine. FC_OK, or FC_ESCRIPT "file: examples[2]: at PATH: expected ..., got ...". */
int script_run_examples(struct script *script, struct error *err);

#endif
