#include "script/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <lauxlib.h>
#include <lualib.h>

#include "base/clock.h"
#include "base/error.h"
#include "script/host.h"
#include "script/library.h"
#include "script/sources.h"

/* Few instructions between two looks at the clock: one of them may be a C function that copies a megabyte. What a single one can do
 * grows with what the script holds in memory: then there are fewer. */
enum { HOOK_INSTRUCTIONS = 100, HOOK_INSTRUCTIONS_HEAVY = 20, HEAVY = 512 * 1024 };
enum { FILE_MAX = 512 * 1024, LOG_LINES = 20 };
/* Lua's own bound is a million stack slots: more memory than a script has, and an error that names no line. */
enum { CALLS_MAX = 4000 };
/* The compiler runs no hook: it is given the text in pieces, and the clock is looked at before each. */
enum { PIECE = 1024, PIECE_PRICE = 200 };
enum { LARGE = 64 * 1024 };
enum { TEXT_HEAD = 64 }; /* of a text's block: more than Lua's header of a string */

struct sandbox *sandbox_of(lua_State *L)
{
	void *box;

	(void)lua_getallocf(L, &box);
	return box;
}

/* As Lua says it itself. */
static const char not_enough_memory[] = "not enough memory";
static const char took_too_long[] = "the script took too long (limit of instructions or time)";

static int is_late(const struct sandbox *box)
{
	return box->deadline_us && clock_mono_us() > box->deadline_us;
}

static void *allocate(void *user, void *old, size_t old_size, size_t size)
{
	struct sandbox *box = user;
	int is_text = !old && old_size == LUA_TSTRING; /* Lua passes the type of what it makes */

	if (!old)
		old_size = 0;
	if (!size) {
		free(old);
		box->memory_used -= old_size;
		return NULL;
	}
	if (is_text && box->text_limit && size > box->text_limit + TEXT_HEAD) {
		box->text_too_long = 1;
		return NULL;
	}
	if (size > old_size && size - old_size > box->memory_limit - box->memory_used) {
		box->text_too_long = 0;
		/* Lua collects all garbage and tries again. A state that lives at its limit does so at every step: time
		 * that no hook sees. */
		if (is_late(box))
			box->exhausted = SANDBOX_MEMORY;
		return NULL;
	}
	if (size > old_size && box->exhausted == SANDBOX_MEMORY)
		return NULL;
	/* Lua's own loops run no hook, but those that go on for long want more and more memory (a __call that is called by a __call). */
	if (size > old_size && size >= LARGE && is_late(box)) {
		box->exhausted = SANDBOX_TIME;
		return NULL;
	}
	void *fresh = realloc(old, size);
	if (fresh)
		box->memory_used += size - old_size;
	if (box->memory_used > box->memory_most)
		box->memory_most = box->memory_used;
	return fresh;
}

/* level: of the function whose line the error names; 1 is the caller of a C function. */
static void refuse_exhausted(lua_State *L, int level)
{
	const char *why = "";

	switch (sandbox_of(L)->exhausted) {
	case SANDBOX_WITHIN:
		return;
	case SANDBOX_TIME:
		why = took_too_long;
		break;
	case SANDBOX_MEMORY:
		why = not_enough_memory;
		break;
	}
	luaL_where(L, level);
	lua_pushstring(L, why);
	lua_concat(L, 2);
	(void)lua_error(L);
}

void sandbox_refuse_exhausted(lua_State *L)
{
	refuse_exhausted(L, 1);
}

static void charge(lua_State *L, size_t work, int level)
{
	struct sandbox *box = sandbox_of(L);

	if (work > (size_t)INT_MAX)
		work = INT_MAX;
	box->instructions_left -= (int64_t)work;
	box->uncounted += work;
	if (!box->exhausted && box->instructions_left <= 0)
		box->exhausted = SANDBOX_TIME;
	if (!box->exhausted && box->uncounted >= HOOK_INSTRUCTIONS) {
		box->uncounted = 0;
		if (is_late(box))
			box->exhausted = SANDBOX_TIME;
	}
	refuse_exhausted(L, level);
}

void sandbox_charge(lua_State *L, size_t work)
{
	charge(L, work, 1);
}

/* Called every so many instructions, in coroutines too: a thread inherits the hook of the one that made it,
 * and the first one had it before any script ran. Lua runs no hook inside a hook, nor in what an error raised here
 * calls before it is caught: protect.c sees to it that no script's function is called there. */
static void count_hook(lua_State *L, lua_Debug *ar)
{
	int wanted = sandbox_of(L)->memory_used > HEAVY ? HOOK_INSTRUCTIONS_HEAVY : HOOK_INSTRUCTIONS;
	int count = lua_gethookcount(L);

	if (count != wanted)
		lua_sethook(L, count_hook, LUA_MASKCOUNT, wanted);
	sandbox_of(L)->uncounted += HOOK_INSTRUCTIONS; /* always a look at the clock */
	charge(L, (size_t)count, 0);
	if (lua_getstack(L, CALLS_MAX, ar)) {
		luaL_where(L, 0);
		lua_pushliteral(L, "stack overflow: more than 4000 calls within one another");
		lua_concat(L, 2);
		(void)lua_error(L);
	}
}

static int on_panic(lua_State *L)
{
	/* Can't happen: every entry goes through sandbox_call. If it does, the memory of the process is in doubt. */
	(void)L;
	(void)fprintf(stderr, "script: unprotected Lua error\n");
	abort();
}

/* The handler: where the error was raised is known here only. */
static int note_place(lua_State *L)
{
	struct sandbox *box = sandbox_of(L);
	lua_Debug ar;

	*box->place = '\0';
	if (lua_type(L, 1) == LUA_TSTRING)
		return 1;
	for (int level = 1; lua_getstack(L, level, &ar) && level < 10; level++)
		if (lua_getinfo(L, "Sl", &ar) && ar.currentline > 0) {
			(void)snprintf(box->place, sizeof(box->place), "%s:%d: ", ar.short_src, ar.currentline);
			break;
		}
	return 1;
}

/* Any error object becomes a text. Called when all is unwound: its __tostring has the limits that any function has. */
static int make_text(lua_State *L)
{
	const char *place = sandbox_of(L)->place;

	if (lua_type(L, 1) == LUA_TNUMBER)
		(void)lua_pushfstring(L, "%s%s", place, lua_tostring(L, 1));
	else if (!lua_toboolean(L, 2) || !luaL_callmeta(L, 1, "__tostring"))
		(void)lua_pushfstring(L, "%san error of type %s was raised", place, luaL_typename(L, 1));
	else if (lua_type(L, -1) == LUA_TSTRING)
		(void)lua_pushfstring(L, "%s%s", place, lua_tostring(L, -1));
	else
		(void)lua_pushfstring(L, "%san error of type %s was raised, whose __tostring gives no text", place,
				      luaL_typename(L, 1));
	return 1;
}

/* The object on the top becomes a text. */
static void name_error(struct sandbox *box)
{
	lua_State *L = box->L;

	if (lua_type(L, -1) == LUA_TSTRING)
		return;
	if (!lua_checkstack(L, 5)) {
		box->exhausted = SANDBOX_MEMORY;
		return;
	}
	for (int by_itself = !box->exhausted; by_itself >= 0; by_itself--) {
		lua_pushcfunction(L, make_text);
		lua_pushvalue(L, -2);
		lua_pushboolean(L, by_itself);
		if (lua_pcall(L, 2, 1, 0) == LUA_OK) {
			lua_remove(L, -2);
			return;
		}
		/* Its __tostring failed: the object is still there. */
		lua_pop(L, 1);
	}
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
	box->text_limit = SANDBOX_TEXT_MAX;
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
	box->uncounted = 0;
	box->log_left = LOG_LINES;
}

int sandbox_call(struct sandbox *box, int arguments, int results)
{
	lua_State *L = box->L;
	int handler = lua_gettop(L) - arguments;

	/* A light C function: pushing it takes no memory, so this can't fail. */
	lua_pushcfunction(L, note_place);
	lua_insert(L, handler);
	int status = lua_pcall(L, arguments, results, handler);
	lua_remove(L, handler);
	if (status == LUA_OK)
		return FC_OK;
	if (status == LUA_ERRMEM && !box->exhausted)
		box->exhausted = SANDBOX_MEMORY;
	name_error(box);
	if (box->exhausted == SANDBOX_MEMORY)
		lua_gc(L, LUA_GCCOLLECT);
	return box->exhausted ? FC_ELIMIT : FC_ESCRIPT;
}

/* Bytes of the UTF-8 character at text, and which it is; 0 when it is none. */
static size_t read_character(const unsigned char *text, size_t len, uint32_t *character)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t n = text[0] < 0x80   ? 1
		   : text[0] < 0xc0 ? 0
		   : text[0] < 0xe0 ? 2
		   : text[0] < 0xf0 ? 3
		   : text[0] < 0xf8 ? 4
				    : 0;

	if (!n || n > len)
		return 0;
	uint32_t c = n == 1 ? text[0] : text[0] & (0x7fU >> n);
	for (size_t i = 1; i < n; i++) {
		if ((text[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (text[i] & 0x3f);
	}
	*character = c;
	return c >= least[n] && c <= 0x10ffff && (c < 0xd800 || c > 0xdfff) ? n : 0;
}

/* Control characters, and those that turn the direction of writing or stand for nothing. */
static int is_unfit(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0) || (c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
	       (c >= 0x2060 && c <= 0x206f) || c == 0xfeff;
}

void sandbox_clean(char *out, size_t size, const char *text, size_t len)
{
	size_t at = 0, n;

	for (; len; text += n, len -= n) {
		uint32_t c;

		n = read_character((const unsigned char *)text, len, &c);
		int fit = n && !is_unfit(c);
		if (at + (fit ? n : 1) >= size)
			break;
		if (fit)
			memcpy(out + at, text, n);
		else
			out[at] = *text == '\n' || *text == '\t' || *text == '\r' ? ' ' : '?';
		at += fit ? n : 1;
		n = n ? n : 1;
	}
	out[at] = '\0';
}

void sandbox_error_text(struct sandbox *box, char *out, size_t size)
{
	size_t len = 0;
	const char *text = lua_type(box->L, -1) == LUA_TSTRING ? lua_tolstring(box->L, -1, &len) : NULL;

	if (!text)
		(void)snprintf(out, size, "%san error without a text was raised", box->place);
	else if (strcmp(text, not_enough_memory) != 0)
		sandbox_clean(out, size, text, len);
	else if (box->exhausted == SANDBOX_TIME)
		(void)snprintf(out, size, "%s", took_too_long);
	else if (box->text_too_long)
		(void)snprintf(out, size, "%s for a text of more than %d KiB", text, SANDBOX_TEXT_MAX / 1024);
	else
		(void)snprintf(out, size, "%s: the limit is %zu KiB", text, box->memory_limit / 1024);
	lua_pop(box->L, 1);
}

struct file_text {
	const char *path;
	const char *text;
	size_t len;
};

static const char *next_piece(lua_State *L, void *user, size_t *len)
{
	struct file_text *file = user;
	const char *piece = file->text;

	sandbox_charge(L, PIECE_PRICE);
	*len = file->len < PIECE ? file->len : PIECE;
	file->text += *len;
	file->len -= *len;
	return *len ? piece : NULL;
}

static int compile(lua_State *L)
{
	struct file_text *file = lua_touserdata(L, 1);

	/* Mode "t": text only, bytecode is refused by Lua itself. "@" makes messages name the file. */
	lua_pushfstring(L, "@%s", file->path);
	if (lua_load(L, next_piece, file, lua_tostring(L, -1), "t") != LUA_OK)
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
	struct stat about;

	for (const struct script_instead *instead = box->instead; instead && instead->path; instead++)
		if (!strcmp(instead->path, path)) {
			file.text = instead->text;
			file.len = instead->len;
			return compile_text(box, &file, read, user);
		}
	/* A pipe of that name must not stop the gateway. */
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	FILE *in = fd < 0 ? NULL : fdopen(fd, "rb");

	if (!in) {
		int why = errno;

		if (fd >= 0)
			(void)close(fd);
		return refuse_file(box, FC_ENOENT, path, strerror(why));
	}
	if (fstat(fd, &about) || !S_ISREG(about.st_mode)) {
		(void)fclose(in);
		return refuse_file(box, FC_EINVAL, path, "is not a file");
	}
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
