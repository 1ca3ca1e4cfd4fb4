#include "script/sandbox.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>
#include <lualib.h>

#include "base/clock.h"
#include "base/error.h"
#include "script/host.h"
#include "script/library.h"
#include "script/sources.h"

/* Few instructions between two looks at the clock: one of them may be a C function that copies a megabyte. */
enum { HOOK_INSTRUCTIONS = 100, FILE_MAX = 512 * 1024, LOG_LINES = 20 };

struct sandbox *sandbox_of(lua_State *L)
{
	void *box;

	(void)lua_getallocf(L, &box);
	return box;
}

static int is_late(const struct sandbox *box)
{
	return box->deadline_us && clock_mono_us() > box->deadline_us;
}

static void *allocate(void *user, void *old, size_t old_size, size_t size)
{
	struct sandbox *box = user;

	if (!old)
		old_size = 0; /* Lua passes a type tag there */
	if (!size) {
		free(old);
		box->memory_used -= old_size;
		return NULL;
	}
	if (size > old_size && size - old_size > box->memory_limit - box->memory_used) {
		/* Lua collects all garbage and tries again. A state that lives at its limit does so at every step: time
		 * that no hook sees. */
		if (is_late(box))
			box->exhausted = SANDBOX_MEMORY;
		return NULL;
	}
	if (size > old_size && box->exhausted == SANDBOX_MEMORY)
		return NULL;
	void *fresh = realloc(old, size);
	if (fresh)
		box->memory_used += size - old_size;
	return fresh;
}

void sandbox_refuse_exhausted(lua_State *L)
{
	switch (sandbox_of(L)->exhausted) {
	case SANDBOX_WITHIN:
		return;
	case SANDBOX_TIME:
		luaL_error(L, "the script took too long (limit of instructions or time)");
		return;
	case SANDBOX_MEMORY:
		luaL_error(L, "not enough memory");
		return;
	}
}

void sandbox_charge(lua_State *L, size_t work)
{
	struct sandbox *box = sandbox_of(L);

	if (work > (size_t)INT_MAX)
		work = INT_MAX;
	box->instructions_left -= (int64_t)work;
	if (!box->exhausted && (box->instructions_left <= 0 || is_late(box)))
		box->exhausted = SANDBOX_TIME;
	sandbox_refuse_exhausted(L);
}

/* Called every HOOK_INSTRUCTIONS instructions, in coroutines too: a thread inherits the hook of the one that made it,
 * and the first one had it before any script ran. Lua runs no hook inside a hook, nor in what an error raised here
 * calls before it is caught: protect.c sees to it that no script's function is called there. */
static void count_hook(lua_State *L, lua_Debug *ar)
{
	(void)ar;
	sandbox_charge(L, HOOK_INSTRUCTIONS);
}

static int on_panic(lua_State *L)
{
	/* Can't happen: every entry goes through sandbox_call. If it does, the memory of the process is in doubt. */
	(void)L;
	(void)fprintf(stderr, "script: unprotected Lua error\n");
	abort();
}

/* Any error object becomes a text, without running a script's __tostring. */
static int make_text(lua_State *L)
{
	if (lua_type(L, 1) == LUA_TSTRING)
		return 1;
	if (lua_type(L, 1) == LUA_TNUMBER) {
		(void)lua_tostring(L, 1);
		return 1;
	}
	lua_pushfstring(L, "an error of type %s was raised", luaL_typename(L, 1));
	return 1;
}

static int open_library(lua_State *L)
{
	library_open(L);
	return 0;
}

int sandbox_open(struct sandbox *box, size_t memory_limit, int with_library)
{
	*box = (struct sandbox){.memory_limit = memory_limit};
	box->L = lua_newstate(allocate, box);
	if (!box->L)
		return FC_ENOMEM;
	lua_atpanic(box->L, on_panic);
	lua_sethook(box->L, count_hook, LUA_MASKCOUNT, HOOK_INSTRUCTIONS);
	sandbox_budget(box, 10000000, 0);
	if (!with_library)
		return FC_OK;
	lua_pushcfunction(box->L, open_library);
	if (sandbox_call(box, 0, 0)) {
		sandbox_close(box);
		return FC_ENOMEM;
	}
	return FC_OK;
}

void sandbox_close(struct sandbox *box)
{
	if (box->L)
		lua_close(box->L);
	box->L = NULL;
}

void sandbox_budget(struct sandbox *box, int instructions, int time_ms)
{
	box->instructions_left = instructions;
	box->deadline_us = time_ms ? clock_mono_us() + (int64_t)time_ms * 1000 : 0;
	box->exhausted = SANDBOX_WITHIN;
	box->log_left = LOG_LINES;
}

int sandbox_call(struct sandbox *box, int arguments, int results)
{
	lua_State *L = box->L;
	int handler = lua_gettop(L) - arguments;

	/* A light C function: pushing it takes no memory, so this can't fail. */
	lua_pushcfunction(L, make_text);
	lua_insert(L, handler);
	int status = lua_pcall(L, arguments, results, handler);
	lua_remove(L, handler);
	if (status == LUA_OK)
		return FC_OK;
	if (status == LUA_ERRMEM)
		box->exhausted = SANDBOX_MEMORY;
	if (box->exhausted == SANDBOX_MEMORY)
		lua_gc(L, LUA_GCCOLLECT);
	return box->exhausted ? FC_ELIMIT : FC_ESCRIPT;
}

void sandbox_error_text(struct sandbox *box, char *out, size_t size)
{
	const char *text = lua_type(box->L, -1) == LUA_TSTRING ? lua_tostring(box->L, -1) : "unknown error";

	(void)snprintf(out, size, "%s", text);
	lua_pop(box->L, 1);
}

struct file_text {
	const char *path;
	const char *text;
	size_t len;
};

static int compile(lua_State *L)
{
	const struct file_text *file = lua_touserdata(L, 1);

	/* Mode "t": text only, bytecode is refused by Lua itself. "@" makes messages name the file. */
	lua_pushfstring(L, "@%s", file->path);
	if (luaL_loadbufferx(L, file->text, file->len, lua_tostring(L, -1), "t") != LUA_OK)
		return lua_error(L);
	return 1;
}

static int push_text(lua_State *L)
{
	lua_pushstring(L, lua_touserdata(L, 1));
	return 1;
}

/* Leaves "path: why" on the stack, or the reason why that failed: pushing a text may fail like any allocation. */
static int refuse_file(struct sandbox *box, int code, const char *path, const char *why)
{
	char text[ERROR_TEXT_MAX];

	(void)snprintf(text, sizeof(text), "%s: %s", path, why);
	lua_pushcfunction(box->L, push_text);
	lua_pushlightuserdata(box->L, text);
	int result = sandbox_call(box, 1, 1);
	return result ? result : code;
}

static int compile_text(struct sandbox *box, struct file_text *file,
			void (*read)(void *user, const char *text, size_t len), void *user)
{
	if (read)
		read(user, file->text, file->len);
	lua_pushcfunction(box->L, compile);
	lua_pushlightuserdata(box->L, file);
	return sandbox_call(box, 1, 1);
}

int sandbox_load_file(struct sandbox *box, const char *path, void (*read)(void *user, const char *text, size_t len),
		      void *user)
{
	struct file_text file = {.path = path};

	for (const struct script_instead *i = box->instead; i && i->path; i++)
		if (!strcmp(i->path, path)) {
			file.text = i->text;
			file.len = i->len;
			return compile_text(box, &file, read, user);
		}
	FILE *in = fopen(path, "rb");
	if (!in)
		return refuse_file(box, FC_ENOENT, path, strerror(errno));
	char *text = malloc(FILE_MAX + 1);
	file.len = text ? fread(text, 1, FILE_MAX + 1, in) : 0;
	int unread = ferror(in);
	(void)fclose(in);
	if (!text || unread || file.len > FILE_MAX) {
		free(text);
		return refuse_file(box, FC_ELIMIT, path,
				   !text    ? "no memory"
				   : unread ? "can't be read"
					    : "is larger than 512 KiB");
	}
	file.text = text;
	int result = compile_text(box, &file, read, user);
	free(text);
	return result;
}
