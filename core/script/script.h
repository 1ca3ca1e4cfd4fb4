/* Script: one Lua file in its own sandboxed Lua 5.4 state. The only room that includes lua.h: others hand it
 * values (base/value.h) and get values back.
 *
 * The sandbox: no io, os, load, dofile, debug, package, bytecode, time or chance; memory by allocator; time by a count
 * hook set on coroutines too, and by what library functions charge; library tables can't be changed. The file returns one
 * table. Functions in it are called by path ("map.query_token.request").
 *
 * What scripts are given beyond the safe standard library is the global table forecourt (api.h, lua/README.md). */
#ifndef FC_SCRIPT_SCRIPT_H
#define FC_SCRIPT_SCRIPT_H

#include "base/error.h"
#include "base/value.h"
#include "script/host.h"
#include "script/sources.h"

enum { SCRIPT_NAME_MAX = 63, SCRIPT_PATH_MAX = 512, SCRIPT_SPACE_MAX = 95 };

struct script;

/* Loads and runs lua_dir/FOLDER/NAME.lua; require() reads lua_dir/lib (pure Lua, sandboxed too). NULL and *err ("file:line:
 * reason"), FC_EINVAL for a name of anything but a-z 0-9 _ - or longer than SCRIPT_NAME_MAX. space: whose lookup tables within FOLDER it
 * sees, NULL = it has none. host and space are copied, the services borrowed. */
struct script *script_load(const struct script_host *host, const char *folder, const char *name, const char *space,
			   struct error *err);
/* The same for a file anywhere; the services know the space by just this name. */
struct script *script_load_file(const struct script_host *host, const char *path, const char *space, struct error *err);
/* The name that a file's path says: FC_OK, FC_EINVAL when it could be no script's. */
int script_name_of(const char *path, char name[SCRIPT_NAME_MAX + 1]);
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
/* The most bytes that its state ever held; never above limits.memory. */
size_t script_memory(const struct script *script);
/* The script's own text of that path, by which a call finds it soonest; NULL when it names no function in the returned table. */
const char *script_function(const struct script *script, const char *path);
/* Nonzero when the path names a function in the returned table. */
int script_has(const struct script *script, const char *path);
/* Nonzero when the function there is made by forecourt.reshape: it needs no second argument, and no Lua. */
int script_is_described(const struct script *script, const char *path);
/* Calls it with up to two arguments (NULL = none); the result is built in arena. A function that returns nothing
 * gives *out == NULL. FC_OK, FC_ENOENT, FC_ELIMIT, FC_ESCRIPT with "file:line: reason". The state stays usable. A function that
 * hit its limits several times in a row is left out for a while: FC_ELIMIT at once (see rest.h). */
int script_call(struct script *script, const char *path, const struct value *arg1, const struct value *arg2,
		struct arena *arena, struct value **out, struct error *err);
/* For a replay: calls see this time and scratch tables from now on (what one puts, later ones get), and no services. May be called
 * again with another time. */
void script_pin(struct script *script, int64_t wall);
/* Back to the gateway's time and services; what the scratch tables hold is forgotten. */
void script_unpin(struct script *script);
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
 * expect. Around it: now = "2026-10-01 12:00:00" (else EXAMPLE_NOW), tables and expect_tables = { name = { key = "value" } } before and
 * after it, state = { stations = {...}, connectors = {...} }; each example is alone in its world. No examples is fine. FC_OK, or FC_ESCRIPT "file: examples[2]: at PATH: expected ..., got ...". */
#define EXAMPLE_NOW "2026-01-01 00:00:00"
int script_run_examples(struct script *script, struct error *err);
/* All examples of a file together may take as much as loading it: SCRIPT_LOAD_FACTOR times a call's instructions and time. For rooms
 * that run examples of their own: between begin and end every call counts. script_examples_left: before each example, and after one
 * that failed: FC_OK; FC_ELIMIT and "file: examples[2]: ..." when all is used up. */
enum { SCRIPT_LOAD_FACTOR = 10 };
void script_begin_examples(struct script *script);
int script_examples_left(const struct script *script, int number, struct error *err);
void script_end_examples(struct script *script);
/* How many it has; one of them by itself, from 1 on. */
int script_example_count(const struct script *script);
int script_run_one_example(struct script *script, int number, struct error *err);

#endif
