/* Hooks: functions that are called for every sample, so without a tree and without an arena. */
#include "script/inside.h"

#include <string.h>

#include <lauxlib.h>

/* What the state's get() asks while a hook runs; nothing between two. The script may keep get, but not what it asks. */
struct current {
	const struct script_hook *hook;
};

struct hook_call {
	struct script *script;
	const char *path;
	const struct script_hook *hook;
	struct script_scalar *out;
	struct current *current;
	int found;
};

static const char current_key = 'c', get_key = 'g';

static void push_scalar(lua_State *L, const struct script_scalar *s)
{
	switch (s->kind) {
	case SCRIPT_NIL:
		lua_pushnil(L);
		return;
	case SCRIPT_WHOLE:
		lua_pushinteger(L, s->whole);
		return;
	case SCRIPT_NUMBER:
		lua_pushnumber(L, s->number);
		return;
	case SCRIPT_TEXT:
		lua_pushstring(L, s->text);
		return;
	}
}

static int get(lua_State *L)
{
	const struct current *current = lua_touserdata(L, lua_upvalueindex(1));
	const char *name = luaL_checkstring(L, 1);
	struct script_scalar out = {0};

	if (!current || !current->hook)
		return luaL_error(L, "get() works only while its hook is called");
	if (current->hook->get(current->hook->user, name, &out))
		return luaL_error(L, "get(\"%s\"): there is no such point", name);
	push_scalar(L, &out);
	return 1;
}

/* The state's one get function, made at the first call. */
static struct current *push_get(lua_State *L)
{
	if (lua_rawgetp(L, LUA_REGISTRYINDEX, &get_key) == LUA_TFUNCTION) {
		lua_rawgetp(L, LUA_REGISTRYINDEX, &current_key);
		struct current *current = lua_touserdata(L, -1);
		lua_pop(L, 1);
		return current;
	}
	lua_pop(L, 1);
	struct current *current = lua_newuserdatauv(L, sizeof(*current), 0);
	current->hook = NULL;
	lua_pushvalue(L, -1);
	lua_rawsetp(L, LUA_REGISTRYINDEX, &current_key);
	lua_pushcclosure(L, get, 1);
	lua_pushvalue(L, -1);
	lua_rawsetp(L, LUA_REGISTRYINDEX, &get_key);
	return current;
}

static void push_raw(lua_State *L, const struct script_hook *hook)
{
	if (!hook->words) {
		push_scalar(L, &hook->raw);
		return;
	}
	lua_createtable(L, hook->count, 0);
	for (int i = 0; i < hook->count; i++) {
		lua_pushinteger(L, hook->words[i]);
		lua_rawseti(L, -2, i + 1);
	}
}

static void read_result(lua_State *L, struct script_scalar *out)
{
	size_t len;

	*out = (struct script_scalar){.kind = SCRIPT_NIL};
	switch (lua_type(L, -1)) {
	case LUA_TNIL:
		return;
	case LUA_TBOOLEAN:
		*out = (struct script_scalar){.kind = SCRIPT_WHOLE, .whole = lua_toboolean(L, -1)};
		return;
	case LUA_TNUMBER:
		if (lua_isinteger(L, -1))
			*out = (struct script_scalar){.kind = SCRIPT_WHOLE, .whole = lua_tointeger(L, -1)};
		else
			*out = (struct script_scalar){.kind = SCRIPT_NUMBER, .number = lua_tonumber(L, -1)};
		return;
	case LUA_TSTRING: {
		const char *text = lua_tolstring(L, -1, &len);

		if (len >= sizeof(out->text) || strlen(text) != len)
			(void)luaL_error(L, "the hook's text is longer than %d bytes, or has a zero byte in it",
					 (int)sizeof(out->text) - 1);
		out->kind = SCRIPT_TEXT;
		memcpy(out->text, text, len + 1);
		return;
	}
	default:
		(void)luaL_error(L, "the hook returned a %s: a number, a text, true, false or nil are values",
				 luaL_typename(L, -1));
	}
}

static int run(lua_State *L)
{
	struct hook_call *call = lua_touserdata(L, 1);

	script_push_path(L, call->script, call->path);
	call->found = lua_isfunction(L, -1);
	if (!call->found)
		return 0;
	push_raw(L, call->hook);
	call->current = push_get(L);
	call->current->hook = call->hook;
	lua_pushinteger(L, call->hook->number);
	lua_call(L, 3, 1);
	read_result(L, call->out);
	return 0;
}

int script_call_hook(struct script *script, const char *path, const struct script_hook *hook, struct script_scalar *out,
		     struct error *err)
{
	struct hook_call call = {.script = script, .path = path, .hook = hook, .out = out};
	int result = script_protected(script, run, &call, hook->instructions, hook->time_ms);

	if (call.current)
		call.current->hook = NULL;
	if (result)
		return script_failed(script, result, err);
	return call.found ? FC_OK : error_set(err, FC_ENOENT, "%s: there is no function %s", script_path(script), path);
}
