/* JSON: what the reader takes lua-cjson takes too, and finds the same in it. It is written, read again and written again: the same text, in
 * the usual form and in the one without anything beyond ASCII. */
#include "fuzz.h"

#include <string.h>

#include <lauxlib.h>
#include <lua-cjson.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "base/json.h"
#include "base/json_read.h"
#include "script/convert.h"
#include "script/sandbox.h"

enum { MEMORY = 8 << 20, PEER_MEMORY = 64 << 20, DEPTH = 32 };

static struct json_reader *reader;
static struct sandbox peer;
static int peer_decode; /* registry reference */

static int open_peer(lua_State *L)
{
	luaopen_cjson(L);
	lua_getfield(L, -1, "decode_max_depth");
	lua_pushinteger(L, DEPTH);
	lua_call(L, 1, 0);
	lua_getfield(L, -1, "decode_invalid_numbers");
	lua_pushboolean(L, 0);
	lua_call(L, 1, 0);
	lua_getfield(L, -1, "decode");
	peer_decode = luaL_ref(L, LUA_REGISTRYINDEX);
	return 0;
}

static int open_all(void)
{
	reader = json_reader_new(0);
	if (!reader || sandbox_open(&peer, PEER_MEMORY, 0))
		return -1;
	lua_pushcfunction(peer.L, open_peer);
	return sandbox_call(&peer, 0, 0);
}

struct reading {
	const char *text;
	size_t len;
	struct arena *arena;
	struct value *out;
};

static int read_by_peer(lua_State *L)
{
	struct reading *reading = lua_touserdata(L, 1);

	lua_rawgeti(L, LUA_REGISTRYINDEX, peer_decode);
	lua_pushlstring(L, reading->text, reading->len);
	lua_call(L, 1, 1);
	reading->out = convert_read(L, -1, reading->arena, 0);
	return 0;
}

static void compare(const char *text, size_t len, const struct value *read)
{
	struct arena arena;
	struct reading reading = {text, len, &arena, NULL};

	arena_init(&arena, 2 * (size_t)MEMORY);
	sandbox_budget(&peer, 100000000, 0);
	lua_pushcfunction(peer.L, read_by_peer);
	lua_pushlightuserdata(peer.L, &reading);
	fuzz_check(sandbox_call(&peer, 1, 0) == FC_OK);
	fuzz_check(value_equal(read, reading.out));
	arena_fini(&arena);
	if (peer.memory_used > PEER_MEMORY / 8)
		lua_gc(peer.L, LUA_GCCOLLECT);
}

typedef int write_fn(struct buffer *out, const struct value *v);

static struct value *again(struct arena *arena, const struct value *v, write_fn *write, struct buffer *text)
{
	struct value *read = NULL;
	struct error err = {0};

	fuzz_check(write(text, v) == FC_OK);
	fuzz_check(json_read(reader, text->data, text->len, arena, &read, &err) == FC_OK);
	return read;
}

/* The first text may be another: names that are no UTF-8 may become the same. */
static void round_trip(struct arena *arena, const struct value *first, write_fn *write)
{
	struct buffer draft, once, twice;

	buffer_init(&draft, MEMORY);
	buffer_init(&once, MEMORY);
	buffer_init(&twice, MEMORY);
	const struct value *second = again(arena, first, write, &draft);
	const struct value *third = again(arena, second, write, &once);
	(void)again(arena, third, write, &twice);
	fuzz_check(value_equal(second, third));
	fuzz_check(once.len == twice.len && memcmp(once.data, twice.data, once.len) == 0);
	buffer_fini(&draft);
	buffer_fini(&once);
	buffer_fini(&twice);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena arena;
	struct value *value = NULL;
	struct error err = {0};

	if (!reader && open_all())
		return -1;
	arena_init(&arena, MEMORY);
	if (json_read(reader, (const char *)data, size, &arena, &value, &err) == FC_OK) {
		compare((const char *)data, size, value);
		round_trip(&arena, value, json_write);
		round_trip(&arena, value, json_write_ascii);
	} else {
		fuzz_check(err.text[0]);
	}
	arena_fini(&arena);
	return 0;
}
