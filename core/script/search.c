#include "script/search.h"

#include <ctype.h>
#include <string.h>

#include <lauxlib.h>

#include "script/match.h"
#include "script/sandbox.h"

enum { BYTES_A_UNIT = 64 };

/* All captures; without any the whole match, unless start is NULL. Their number. */
static int push_captures(struct matcher *m, const char *start, const char *end)
{
	int n = m->levels || !start ? m->levels : 1;

	luaL_checkstack(m->L, n, "too many captures");
	for (int i = 0; i < n; i++)
		match_push_capture(m, i, start, end);
	return n;
}

/* The offset that argument init means, from 0; behind the end it may be as large as it was given. */
static size_t first_offset(lua_State *L, int argument, size_t len)
{
	lua_Integer init = luaL_optinteger(L, argument, 1);

	if (init > 0)
		return (size_t)init - 1;
	if (!init || init < -(lua_Integer)len)
		return 0;
	return len - (size_t)-init;
}

/* memmem takes time in proportion to the text, whatever is looked for. */
static int find_plain(struct matcher *m, const char *from)
{
	size_t text_len = (size_t)(m->text_end - from), len = (size_t)(m->pattern_end - m->pattern);

	sandbox_charge(m->L, 1 + (text_len + len) / BYTES_A_UNIT);
	const char *found = memmem(from, text_len, m->pattern, len);
	if (!found) {
		lua_pushnil(m->L);
		return 1;
	}
	lua_pushinteger(m->L, found - m->text + 1);
	lua_pushinteger(m->L, found - m->text + (ptrdiff_t)len);
	return 2;
}

static int has_specials(const struct matcher *m)
{
	for (const char *p = m->pattern; p < m->pattern_end; p++)
		if (strchr("^$*+?.([%-", *p) && *p)
			return 1;
	return 0;
}

static int find_or_match(lua_State *L, int find)
{
	struct matcher m;

	match_init(&m, L);
	size_t offset = first_offset(L, 3, (size_t)(m.text_end - m.text));
	if (offset > (size_t)(m.text_end - m.text)) {
		lua_pushnil(L);
		return 1;
	}
	if (find && (lua_toboolean(L, 4) || !has_specials(&m)))
		return find_plain(&m, m.text + offset);
	const char *pattern = m.pattern;
	int anchored = pattern < m.pattern_end && *pattern == '^';
	pattern += anchored;
	for (const char *t = m.text + offset; t <= m.text_end; t++) {
		int found = match_at(&m, t, pattern);

		if (found && find) {
			lua_pushinteger(L, t - m.text + 1);
			lua_pushinteger(L, m.t - m.text);
		}
		if (found) {
			int n = push_captures(&m, find ? NULL : t, m.t) + (find ? 2 : 0);

			match_count_rest(&m);
			return n;
		}
		if (anchored)
			break;
	}
	match_count_rest(&m);
	lua_pushnil(L);
	return 1;
}

int search_find(lua_State *L)
{
	return find_or_match(L, 1);
}

int search_match(lua_State *L)
{
	return find_or_match(L, 0);
}

/* Upvalues: text, pattern, offset to go on from, offset where the last match ended (-1: none). */
static int gmatch_next(lua_State *L)
{
	struct matcher m;

	lua_settop(L, 0);
	lua_pushvalue(L, lua_upvalueindex(1));
	lua_pushvalue(L, lua_upvalueindex(2));
	match_init(&m, L);
	lua_Integer offset = lua_tointeger(L, lua_upvalueindex(3)), last = lua_tointeger(L, lua_upvalueindex(4));
	for (; offset <= m.text_end - m.text; offset++) {
		/* The same place twice would be an empty match behind the last one. */
		if (!match_at(&m, m.text + offset, m.pattern) || m.t - m.text == last)
			continue;
		lua_pushinteger(L, m.t - m.text);
		lua_copy(L, -1, lua_upvalueindex(3));
		lua_replace(L, lua_upvalueindex(4));
		int n = push_captures(&m, m.text + offset, m.t);
		match_count_rest(&m);
		return n;
	}
	lua_pushinteger(L, offset);
	lua_replace(L, lua_upvalueindex(3));
	match_count_rest(&m);
	return 0;
}

int search_gmatch(lua_State *L)
{
	size_t len;

	(void)luaL_checklstring(L, 1, &len);
	(void)luaL_checkstring(L, 2);
	size_t offset = first_offset(L, 3, len);
	lua_settop(L, 2);
	sandbox_charge(L, 1);
	lua_pushinteger(L, offset > len ? (lua_Integer)len + 1 : (lua_Integer)offset);
	lua_pushinteger(L, -1);
	lua_pushcclosure(L, gmatch_next, 4);
	return 1;
}

/* The replacement text: %0 to %9 are captures, %% is a percent sign. */
static void add_text(struct matcher *m, luaL_Buffer *out, const char *start, const char *end)
{
	size_t len;
	const char *text = lua_tolstring(m->L, 3, &len), *text_end = text + len;

	match_count(m, len / 16);
	for (const char *sign; (sign = memchr(text, '%', (size_t)(text_end - text))); text = sign + 2) {
		ptrdiff_t n;
		char next = sign + 1 < text_end ? sign[1] : '\0';

		luaL_addlstring(out, text, (size_t)(sign - text));
		if (next == '%') {
			luaL_addchar(out, '%');
		} else if (next == '0') {
			luaL_addlstring(out, start, (size_t)(end - start));
		} else if (isdigit((unsigned char)next)) {
			const char *capture = match_capture(m, next - '1', start, end, &n);

			match_count(m, capture ? (size_t)n / 16 : 1);
			if (capture) {
				luaL_addlstring(out, capture, (size_t)n);
			} else {
				lua_pushinteger(m->L, n);
				luaL_addvalue(out);
			}
		} else {
			luaL_error(m->L, "invalid use of '%%' in replacement string");
		}
	}
	luaL_addlstring(out, text, (size_t)(text_end - text));
}

/* What a match becomes. 1 when it changed. */
static int add_replacement(struct matcher *m, luaL_Buffer *out, const char *start, const char *end, int type)
{
	lua_State *L = m->L;

	if (type == LUA_TTABLE) {
		match_push_capture(m, 0, start, end);
		(void)lua_gettable(L, 3);
	} else if (type == LUA_TFUNCTION) {
		lua_pushvalue(L, 3);
		lua_call(L, push_captures(m, start, end), 1);
	} else {
		add_text(m, out, start, end);
		return 1;
	}
	if (!lua_toboolean(L, -1)) {
		lua_pop(L, 1);
		luaL_addlstring(out, start, (size_t)(end - start));
		return 0;
	}
	if (!lua_isstring(L, -1))
		luaL_error(L, "invalid replacement value (a %s)", luaL_typename(L, -1));
	luaL_addvalue(out);
	return 1;
}

int search_gsub(lua_State *L)
{
	struct matcher m;
	luaL_Buffer out;

	match_init(&m, L);
	const char *pattern = m.pattern, *t = m.text, *kept = m.text;
	ptrdiff_t last = -1; /* where the last match ended */
	int type = lua_type(L, 3), anchored = pattern < m.pattern_end && *pattern == '^', changed = 0;
	lua_Integer most = luaL_optinteger(L, 4, m.text_end - m.text + 1), n = 0;
	luaL_argexpected(L, type == LUA_TNUMBER || type == LUA_TSTRING || type == LUA_TTABLE || type == LUA_TFUNCTION,
			 3, "string/function/table");
	pattern += anchored;
	luaL_buffinit(L, &out);
	while (n < most) {
		if (match_at(&m, t, pattern) && m.t - m.text != last) {
			n++;
			luaL_addlstring(&out, kept, (size_t)(t - kept));
			changed |= add_replacement(&m, &out, t, m.t, type);
			kept = t = m.t;
			last = t - m.text;
		} else if (t < m.text_end) {
			t++;
		} else {
			break;
		}
		if (anchored)
			break;
	}
	if (changed) {
		luaL_addlstring(&out, kept, (size_t)(m.text_end - kept));
		luaL_pushresult(&out);
	} else {
		lua_pushvalue(L, 1);
	}
	lua_pushinteger(L, n);
	match_count_rest(&m);
	return 2;
}
