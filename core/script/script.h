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
#include "script/sources.h"

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
/* Over the file and the modules that it has required (64 hex characters): the version recorded with what the script shaped. */
const char *script_hash(const struct script *script);
/* What that version is made of. A module that is first required after this belongs to no version. The script's own; its texts may
 * be forgotten by whoever has stored them. */
struct sources *script_sources(const struct script *script);
/* The same, handed over to the caller: for a script that is freed once its table was read. script_hash is not to be asked then. */
struct sources *script_take_sources(struct script *script);
/* As sources_count and sources_at, for those who only look. */
int script_source_count(const struct script *script);
const struct script_source *script_source_at(const struct script *script, int index);
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
/* Runs the file's examples: a list of {call = "path", input = ..., context = ..., expect = ...}; each result must equal
 * expect. No examples is fine. FC_OK, or FC_ESCRIPT "file: examples[2]: at PATH: expected ..., got ...". */
int script_run_examples(struct script *script, struct error *err);

#endif
