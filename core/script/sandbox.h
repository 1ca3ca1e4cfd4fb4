/* Sandbox: a Lua state that can harm nobody: memory by allocator, work by instructions and time, no way out to files,
 * programs or bytecode. Only files of this room include it. */
#ifndef FC_SCRIPT_SANDBOX_H
#define FC_SCRIPT_SANDBOX_H

#include <stddef.h>
#include <stdint.h>

#include <lua.h>

/* The longest text that a script may make or be given. */
enum { SANDBOX_TEXT_MAX = 1 << 20 };
struct script_instead;
struct sources;

enum sandbox_limit { SANDBOX_WITHIN, SANDBOX_TIME, SANDBOX_MEMORY };

struct sandbox {
	lua_State *L;
	size_t memory_used, memory_limit;
	size_t memory_most;                   /* that was ever used */
	size_t text_limit;                    /* bytes of one text; 0: memory_limit alone */
	int64_t instructions_left;            /* of the call under way */
	size_t uncounted;                     /* work since the last look at the clock */
	int64_t deadline_us;                  /* monotonic; 0 = none */
	enum sandbox_limit exhausted;         /* the limit that was hit: no pcall of a script may go on after it */
	int text_too_long;                    /* what memory was refused for last */
	char place[96];                       /* "file:line: " where the last error that is no text was raised */
	int log_left;                         /* lines that the call may still log */
	const char *lib_dir;                  /* where require() looks, or NULL; borrowed */
	struct api *api;                      /* api.h: what is given to the script, or NULL; borrowed */
	struct sources *sources;              /* what require() reads is noted here, or NULL; borrowed */
	const struct script_instead *instead; /* host.h; borrowed */
};

/* FC_OK, FC_ENOMEM. with_library: open the standard library and the API; without it the state is bare. */
int sandbox_open(struct sandbox *box, size_t memory_limit, int with_library);
void sandbox_close(struct sandbox *box);
/* A fresh budget; before every call into the state. */
void sandbox_budget(struct sandbox *box, int instructions, int time_ms);
/* Counts work done in a C function, where no hook reaches, as if it were so many VM instructions. Raises the error of an
 * exhausted limit: a C function called by a script calls it before it does what takes long. */
void sandbox_charge(lua_State *L, size_t work);
/* Raises the error of a limit that is exhausted already, else does nothing. */
void sandbox_refuse_exhausted(lua_State *L);
/* lua_pcall with a handler that makes any error object a text (by its __tostring, within the limits) and never fails itself. On
 * failure the text is the one value left on the stack. Returns FC_OK, FC_ELIMIT (memory, instructions, time) or FC_ESCRIPT. */
int sandbox_call(struct sandbox *box, int arguments, int results);
/* The text of the error on the top of the stack, clean; takes it off after copying (cut to size). */
void sandbox_error_text(struct sandbox *box, char *out, size_t size);
/* Reads a file as Lua text (bytecode is refused) and leaves the compiled chunk on the stack. FC_OK, or a code with the
 * reason as text on the stack. read, if not NULL, is shown the bytes that are compiled. */
int sandbox_load_file(struct sandbox *box, const char *path, void (*read)(void *user, const char *text, size_t len),
		      void *user);
/* Copies len bytes of a script's text to out (size bytes with the zero byte), fit for a log and a page: UTF-8 only, a blank for
 * line breaks and tabs, a question mark for what controls a terminal, turns the writing direction, or is no UTF-8. */
void sandbox_clean(char *out, size_t size, const char *text, size_t len);
/* The sandbox of a state. */
struct sandbox *sandbox_of(lua_State *L);

#endif
