#include "script/json.h"

#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>
#include <lua-cjson.h>

#include "base/usage.h"
#include "script/convert.h"
#include "script/sandbox.h"

static const size_t memory_default = (size_t)8 << 20;
/* Most bytes of Lua memory that one '[', '{', ':' or ',' can stand for (a table, its place in a growing list, a key), and
 * what the state takes before it reads anything. */
enum { DEPTH_MAX = 32, BYTES_A_MARK = 64, BYTES_OF_STATE = 128 << 10, BYTES_OF_BUFFER = 4096 };

struct json_reader {
	struct sandbox box;
	int decode; /* registry reference */
};

static int set_up(lua_State *L)
{
	struct json_reader *reader = lua_touserdata(L, 1);

	luaopen_cjson(L);
	lua_getfield(L, -1, "decode_max_depth");
	lua_pushinteger(L, DEPTH_MAX);
	lua_call(L, 1, 0);
	lua_getfield(L, -1, "decode_invalid_numbers");
	lua_pushboolean(L, 0);
	lua_call(L, 1, 0);
	lua_getfield(L, -1, "decode");
	reader->decode = luaL_ref(L, LUA_REGISTRYINDEX);
	return 0;
}

static int open_reader(struct json_reader *reader, size_t memory)
{
	if (sandbox_open(&reader->box, memory, 0))
		return FC_ENOMEM;
	lua_pushcfunction(reader->box.L, set_up);
	lua_pushlightuserdata(reader->box.L, reader);
	return sandbox_call(&reader->box, 1, 0);
}

struct json_reader *json_reader_new(size_t memory)
{
	struct json_reader *reader = calloc(1, sizeof(*reader));

	if (!reader)
		return NULL;
	if (open_reader(reader, memory ? memory : memory_default)) {
		json_reader_free(reader);
		return NULL;
	}
	return reader;
}

void json_reader_free(struct json_reader *reader)
{
	if (!reader)
		return;
	sandbox_close(&reader->box);
	free(reader);
}

struct job {
	const struct json_reader *reader;
	const char *text;
	size_t len;
	struct arena *arena;
	struct value *out;
};

static int decode(lua_State *L)
{
	struct job *job = lua_touserdata(L, 1);

	lua_rawgeti(L, LUA_REGISTRYINDEX, job->reader->decode);
	lua_pushlstring(L, job->text, job->len);
	lua_call(L, 1, 1);
	job->out = convert_read(L, -1, job->arena, 0);
	return 0;
}

/* lua-cjson leaks its buffer when the state runs out of memory while it decodes. So what could do that is refused
 * before it starts: for a text of this length, with so many marks, the limit can't be reached. */
static int fits(const struct json_reader *reader, const char *text, size_t len)
{
	size_t left = reader->box.memory_limit, marks = 0;

	if (len > left / 4 || left < BYTES_OF_STATE + 2 * len)
		return 0;
	left -= BYTES_OF_STATE + 2 * len;
	for (size_t i = 0; i < len; i++)
		marks += text[i] == '[' || text[i] == '{' || text[i] == ':' || text[i] == ',';
	return marks <= left / BYTES_A_MARK;
}

int json_read(struct json_reader *reader, const char *text, size_t len, struct arena *arena, struct value **out,
	      struct error *err)
{
	struct job job = {.reader = reader, .text = text, .len = len, .arena = arena};
	char why[160];

	*out = NULL;
	if (!fits(reader, text, len))
		return error_set(err, FC_ELIMIT, "json: too long or too many values (%zu bytes)", len);
	/* Where lua-cjson gets no memory for its buffer it ends the program. */
	if (!usage_has_room(len + BYTES_OF_BUFFER))
		return error_set(err, FC_ENOMEM, "json: no memory");
	sandbox_budget(&reader->box, 1000000, 0);
	lua_pushcfunction(reader->box.L, decode);
	lua_pushlightuserdata(reader->box.L, &job);
	int result = sandbox_call(&reader->box, 1, 0);
	/* The next text must find the memory free, and the box has little of it. */
	if (reader->box.memory_used > reader->box.memory_limit / 8)
		lua_gc(reader->box.L, LUA_GCCOLLECT);
	if (result) {
		sandbox_error_text(&reader->box, why, sizeof(why));
		return error_set(err, result == FC_ELIMIT ? FC_ELIMIT : FC_EINVAL, "json: %s", why);
	}
	*out = job.out;
	return FC_OK;
}
