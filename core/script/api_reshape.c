/* A mapping's function as a description: forecourt.reshape. */
#include <lauxlib.h>

#include "script/api.h"
#include "script/convert.h"
#include "script/reshape.h"
#include "script/sandbox.h"

enum { MEMORY = 1 << 20, VALUE_STEPS = 4 };

/* An error that is raised on the way leaves the arena to the next one, or to the end of the call. */
static struct arena *begin(lua_State *L)
{
	struct arena *arena = &api_of(L)->arena;

	arena_fini(arena);
	arena_init(arena, MEMORY);
	return arena;
}

static void compile(lua_State *L, int index, struct arena *arena, struct reshape *reshape)
{
	struct error err = {0};

	if (reshape_compile(convert_read(L, index, arena, CONVERT_KEEP_FLOATS), arena, reshape, &err))
		luaL_error(L, "reshape: %s", err.text);
}

/* Called by a script itself, as one step among others. */
static int call(lua_State *L)
{
	struct arena *arena = begin(L);
	struct reshape reshape;

	luaL_checktype(L, 1, LUA_TTABLE);
	compile(L, lua_upvalueindex(1), arena, &reshape);
	const struct value *message = convert_read(L, 1, arena, CONVERT_KEEP_FLOATS);
	sandbox_charge(L, arena->used / sizeof(struct value) * VALUE_STEPS);
	const struct value *out = reshape_apply(&reshape, message, arena);
	if (!out)
		return luaL_error(L, "reshape: the message is too large");
	convert_push(L, out);
	arena_fini(arena);
	return 1;
}

static int make(lua_State *L)
{
	struct reshape reshape;
	struct arena *arena = begin(L);

	luaL_checktype(L, 1, LUA_TTABLE);
	compile(L, 1, arena, &reshape);
	arena_fini(arena);
	/* Reading leaves keys behind. */
	lua_settop(L, 1);
	lua_pushcclosure(L, call, 1);
	return 1;
}

int reshape_push_description(lua_State *L, int index)
{
	return lua_tocfunction(L, index) == call && lua_getupvalue(L, index, 1) != NULL;
}

static const struct api_entry entries[] = {
    {"forecourt.reshape(description)", "function(message)",
     "a function that gives fields other names and adds constants, carried out by the gateway without Lua", make},
    {NULL, NULL, NULL, NULL}};

const struct api_subject api_reshape_subject = {
    .title = "Messages by description",
    .text = "What a description can say costs a twentieth of a function that does the same, and where a mapping's "
	    "`request` or `answer` is "
	    "nothing else, the message never "
	    "enters Lua. `rename`: old = \"new\", wherever a field of that name stands in the message. `first`: "
	    "`\"lower\"` or `\"upper\"`, the "
	    "first letter of every other "
	    "name. `add`: fields of the message itself with their values. Of two fields that come to one name the last "
	    "stays. It is read when "
	    "it is made: "
	    "what changes in the table afterwards may count or not.",
    .entries = entries,
    .example = "local inward = forecourt.reshape({ rename = { qrCode = \"QRCode\" }, first = \"upper\" })\n"
	       "local message = inward({ qrCode = \"7\", list = { { connectorID = \"1\" } } })\n"
	       "assert(message.QRCode == \"7\" and message.List[1].ConnectorID == \"1\")\n"
	       "local outward = forecourt.reshape({ first = \"lower\", add = { source = \"forecourt\" } })\n"
	       "assert(outward({ Status = 0 }).status == 0 and outward({}).source == \"forecourt\")",
};
