#include "script/match.h"

#include <ctype.h>
#include <string.h>

#include <lauxlib.h>

#include "script/sandbox.h"

/* A step is the look at one byte: about a quarter of the time of a VM instruction. */
enum { STEPS_A_UNIT = 4, BATCH = 1024, BYTES_A_UNIT = 64 };

/* In place of a capture's length. */
enum { CAPTURE_OPEN = -1, CAPTURE_POSITION = -2 };

struct capture {
	const char *start;
	ptrdiff_t len;
};

/* What is done when the match cannot go on: another way is tried from text and pattern, or a capture is undone. */
enum choice_kind { CHOICE_FEWER, CHOICE_MORE, CHOICE_WITHOUT, UNDO_OPEN, UNDO_CLOSE };

struct choice {
	const char *text;    /* where the repetition began (FEWER), or goes on */
	const char *pattern; /* of the repeated item (MORE), else of what follows it */
	ptrdiff_t n;         /* FEWER: items still held; UNDO_CLOSE: the capture; MORE: length of the item */
	enum choice_kind kind;
};

struct matcher {
	lua_State *L;
	const char *text, *text_end, *pattern, *pattern_end;
	const char *t, *p; /* where the match is */
	struct capture captures[MATCH_CAPTURES];
	struct choice choices[MATCH_CHOICES];
	int levels; /* captures that were begun */
	int depth;  /* choices in use */
	size_t steps;
};

static int byte_at(const char *at)
{
	return (unsigned char)*at;
}

static void count(struct matcher *m, size_t steps)
{
	m->steps += steps;
	if (m->steps < BATCH)
		return;
	size_t work = m->steps / STEPS_A_UNIT;
	m->steps = 0;
	sandbox_charge(m->L, work);
}

/* At the end of a call: what is left counts too, and one for the call itself. */
static void count_rest(struct matcher *m)
{
	size_t work = m->steps / STEPS_A_UNIT + 1;

	m->steps = 0;
	sandbox_charge(m->L, work);
}

/* Is c in the class of this letter? A character that is no letter of a class stands for itself. */
static int in_class(int c, int letter)
{
	int found;

	switch (tolower(letter)) {
	case 'a':
		found = isalpha(c);
		break;
	case 'c':
		found = iscntrl(c);
		break;
	case 'd':
		found = isdigit(c);
		break;
	case 'g':
		found = isgraph(c);
		break;
	case 'l':
		found = islower(c);
		break;
	case 'p':
		found = ispunct(c);
		break;
	case 's':
		found = isspace(c);
		break;
	case 'u':
		found = isupper(c);
		break;
	case 'w':
		found = isalnum(c);
		break;
	case 'x':
		found = isxdigit(c);
		break;
	case 'z': /* of older versions, and Lua still knows it */
		found = c == 0;
		break;
	default:
		return c == letter;
	}
	return isupper(letter) ? !found : found != 0;
}

/* Is c in the set? set: after its '[', last: its ']'. */
static int in_set(struct matcher *m, int c, const char *set, const char *last)
{
	int wanted = 1;

	count(m, (size_t)(last - set));
	if (*set == '^') {
		wanted = 0;
		set++;
	}
	for (; set < last; set++) {
		if (*set == '%') {
			if (in_class(c, byte_at(++set)))
				return wanted;
		} else if (set + 2 < last && set[1] == '-') {
			if (byte_at(set) <= c && c <= byte_at(set + 2))
				return wanted;
			set += 2;
		} else if (byte_at(set) == c) {
			return wanted;
		}
	}
	return !wanted;
}

/* The end of the single-character item at p: a letter, '.', "%x" or a set. */
static const char *item_end(struct matcher *m, const char *p)
{
	int first = *p++;

	if (first == '%') {
		if (p == m->pattern_end)
			luaL_error(m->L, "malformed pattern (ends with '%%')");
		return p + 1;
	}
	if (first != '[')
		return p;
	if (p < m->pattern_end && *p == '^')
		p++;
	/* What stands first in a set is never its end. */
	const char *start = p;
	while (p < m->pattern_end && (*p != ']' || p == start))
		p += *p == '%' && p + 1 < m->pattern_end ? 2 : 1;
	if (p >= m->pattern_end)
		luaL_error(m->L, "malformed pattern (missing ']')");
	count(m, (size_t)(p - start));
	return p + 1;
}

/* Does the byte at t match the item from p to end? */
static int item_matches(struct matcher *m, const char *t, const char *p, const char *end)
{
	m->steps++;
	if (t >= m->text_end)
		return 0;
	switch (*p) {
	case '.':
		return 1;
	case '%':
		return in_class(byte_at(t), byte_at(p + 1));
	case '[':
		return in_set(m, byte_at(t), p + 1, end - 1);
	default:
		return *p == *t;
	}
}

static void keep_choice(struct matcher *m, enum choice_kind kind, const char *text, const char *pattern, ptrdiff_t n)
{
	if (m->depth == MATCH_CHOICES)
		luaL_error(m->L, "pattern too complex");
	m->choices[m->depth++] = (struct choice){.kind = kind, .text = text, .pattern = pattern, .n = n};
}

static int open_capture(struct matcher *m, ptrdiff_t len, const char *after)
{
	if (m->levels == MATCH_CAPTURES)
		luaL_error(m->L, "too many captures");
	m->captures[m->levels++] = (struct capture){.start = m->t, .len = len};
	keep_choice(m, UNDO_OPEN, NULL, NULL, 0);
	m->p = after;
	return 1;
}

static int close_capture(struct matcher *m)
{
	int i = m->levels - 1;

	while (i >= 0 && m->captures[i].len != CAPTURE_OPEN)
		i--;
	if (i < 0)
		luaL_error(m->L, "invalid pattern capture");
	m->captures[i].len = m->t - m->captures[i].start;
	keep_choice(m, UNDO_CLOSE, NULL, NULL, i);
	m->p++;
	return 1;
}

/* %1 to %9: the same text again. */
static int match_again(struct matcher *m, int digit)
{
	int i = digit - '1';

	if (i < 0 || i >= m->levels || m->captures[i].len == CAPTURE_OPEN)
		luaL_error(m->L, "invalid capture index %%%d", i + 1);
	ptrdiff_t len = m->captures[i].len;
	/* A position has no text that could come again. */
	if (len < 0 || m->text_end - m->t < len)
		return 0;
	count(m, (size_t)len / 16 + 1);
	if (memcmp(m->captures[i].start, m->t, (size_t)len) != 0)
		return 0;
	m->t += len;
	m->p += 2;
	return 1;
}

/* %bxy: from an x to the y that balances it. */
static int match_balanced(struct matcher *m)
{
	if (m->pattern_end - m->p < 4)
		luaL_error(m->L, "malformed pattern (missing arguments to '%%b')");
	char opens = m->p[2], closes = m->p[3];
	size_t nested = 1;

	if (m->t >= m->text_end || *m->t != opens)
		return 0;
	for (const char *t = m->t + 1; t < m->text_end; t++) {
		count(m, 1);
		if (*t == closes) {
			if (!--nested) {
				m->t = t + 1;
				m->p += 4;
				return 1;
			}
		} else if (*t == opens) {
			nested++;
		}
	}
	return 0;
}

/* %f[set]: between a character outside the set and one in it; before the text and after it stands a zero byte. */
static int match_frontier(struct matcher *m)
{
	const char *set = m->p + 2;

	if (set >= m->pattern_end || *set != '[')
		luaL_error(m->L, "missing '[' after '%%f' in pattern");
	const char *end = item_end(m, set);
	int before = m->t == m->text ? 0 : byte_at(m->t - 1), here = m->t < m->text_end ? byte_at(m->t) : 0;
	m->steps++;
	if (in_set(m, before, set + 1, end - 1) || !in_set(m, here, set + 1, end - 1))
		return 0;
	m->p = end;
	return 1;
}

/* A single-character item and what may follow it: * + - ? */
static int match_item(struct matcher *m)
{
	const char *p = m->p, *end = item_end(m, p);
	char suffix = end < m->pattern_end ? *end : '\0';

	switch (suffix) {
	case '*':
	case '+': {
		const char *t = m->t;

		while (item_matches(m, t, p, end)) {
			t++;
			count(m, 0);
		}
		/* '+' never gives back the first one. */
		const char *least = m->t + (suffix == '+');
		if (t < least)
			return 0;
		if (t > least)
			keep_choice(m, CHOICE_FEWER, least, end + 1, t - least);
		m->t = t;
		m->p = end + 1;
		return 1;
	}
	case '-':
		keep_choice(m, CHOICE_MORE, m->t, p, end - p);
		m->p = end + 1;
		return 1;
	case '?':
		if (item_matches(m, m->t, p, end)) {
			keep_choice(m, CHOICE_WITHOUT, m->t, end + 1, 0);
			m->t++;
		}
		m->p = end + 1;
		return 1;
	default:
		if (!item_matches(m, m->t, p, end))
			return 0;
		m->t++;
		m->p = end;
		return 1;
	}
}

/* One item of the pattern: 1 when the match goes on after it. */
static int match_next(struct matcher *m)
{
	const char *p = m->p;
	char next = p + 1 < m->pattern_end ? p[1] : '\0';

	switch (*p) {
	case '(':
		return next == ')' ? open_capture(m, CAPTURE_POSITION, p + 2) : open_capture(m, CAPTURE_OPEN, p + 1);
	case ')':
		return close_capture(m);
	case '$':
		if (p + 1 != m->pattern_end)
			return match_item(m);
		m->p++;
		return m->t == m->text_end;
	case '%':
		if (next == 'b')
			return match_balanced(m);
		if (next == 'f')
			return match_frontier(m);
		if (isdigit((unsigned char)next))
			return match_again(m, next);
		return match_item(m);
	default:
		return match_item(m);
	}
}

/* Takes up the last choice that has another way: 0 when there is none left. */
static int go_back(struct matcher *m)
{
	while (m->depth) {
		struct choice *c = &m->choices[m->depth - 1];

		switch (c->kind) {
		case UNDO_OPEN:
			m->levels--;
			break;
		case UNDO_CLOSE:
			m->captures[c->n].len = CAPTURE_OPEN;
			break;
		case CHOICE_WITHOUT:
			m->t = c->text;
			m->p = c->pattern;
			m->depth--;
			return 1;
		case CHOICE_FEWER:
			m->t = c->text + --c->n;
			m->p = c->pattern;
			if (!c->n)
				m->depth--;
			return 1;
		case CHOICE_MORE:
			if (!item_matches(m, c->text, c->pattern, c->pattern + c->n))
				break;
			m->t = ++c->text;
			m->p = c->pattern + c->n + 1;
			return 1;
		}
		m->depth--;
	}
	return 0;
}

/* The end of the match of pattern at t, or NULL; its captures are in m. */
static const char *match_at(struct matcher *m, const char *t, const char *pattern)
{
	m->t = t;
	m->p = pattern;
	m->levels = m->depth = 0;
	for (;;) {
		count(m, 1);
		if (m->p == m->pattern_end)
			return m->t;
		if (!match_next(m) && !go_back(m))
			return NULL;
	}
}

/* Not a whole initializer: the lists are large and need no zeroes. */
static void matcher_init(struct matcher *m, lua_State *L)
{
	size_t text_len, pattern_len;

	m->L = L;
	m->text = luaL_checklstring(L, 1, &text_len);
	m->text_end = m->text + text_len;
	m->pattern = luaL_checklstring(L, 2, &pattern_len);
	m->pattern_end = m->pattern + pattern_len;
	m->steps = 0;
	m->levels = m->depth = 0;
}

/* Capture i; where there are none the whole match is the first. NULL when it is a position, in *len then. */
static const char *capture_text(struct matcher *m, int i, const char *start, const char *end, ptrdiff_t *len)
{
	if (i >= m->levels) {
		if (i)
			luaL_error(m->L, "invalid capture index %%%d", i + 1);
		*len = end - start;
		return start;
	}
	*len = m->captures[i].len;
	if (*len == CAPTURE_OPEN)
		luaL_error(m->L, "unfinished capture");
	if (*len != CAPTURE_POSITION)
		return m->captures[i].start;
	*len = m->captures[i].start - m->text + 1;
	return NULL;
}

static void push_capture(struct matcher *m, int i, const char *start, const char *end)
{
	ptrdiff_t len;
	const char *text = capture_text(m, i, start, end, &len);

	if (!text) {
		lua_pushinteger(m->L, len);
		return;
	}
	count(m, (size_t)len / 16);
	lua_pushlstring(m->L, text, (size_t)len);
}

/* All captures; without any the whole match, unless start is NULL. Their number. */
static int push_captures(struct matcher *m, const char *start, const char *end)
{
	int n = m->levels || !start ? m->levels : 1;

	luaL_checkstack(m->L, n, "too many captures");
	for (int i = 0; i < n; i++)
		push_capture(m, i, start, end);
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

	matcher_init(&m, L);
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
		const char *end = match_at(&m, t, pattern);

		if (end && find) {
			lua_pushinteger(L, t - m.text + 1);
			lua_pushinteger(L, end - m.text);
		}
		if (end) {
			int n = push_captures(&m, find ? NULL : t, end) + (find ? 2 : 0);

			count_rest(&m);
			return n;
		}
		if (anchored)
			break;
	}
	count_rest(&m);
	lua_pushnil(L);
	return 1;
}

int match_find(lua_State *L)
{
	return find_or_match(L, 1);
}

int match_match(lua_State *L)
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
	matcher_init(&m, L);
	lua_Integer offset = lua_tointeger(L, lua_upvalueindex(3)), last = lua_tointeger(L, lua_upvalueindex(4));
	for (; offset <= m.text_end - m.text; offset++) {
		const char *end = match_at(&m, m.text + offset, m.pattern);

		/* The same place twice would be an empty match behind the last one. */
		if (!end || end - m.text == last)
			continue;
		lua_pushinteger(L, end - m.text);
		lua_copy(L, -1, lua_upvalueindex(3));
		lua_replace(L, lua_upvalueindex(4));
		int n = push_captures(&m, m.text + offset, end);
		count_rest(&m);
		return n;
	}
	lua_pushinteger(L, offset);
	lua_replace(L, lua_upvalueindex(3));
	count_rest(&m);
	return 0;
}

int match_gmatch(lua_State *L)
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

	count(m, len / 16);
	for (const char *sign; (sign = memchr(text, '%', (size_t)(text_end - text))); text = sign + 2) {
		ptrdiff_t n;
		char next = sign + 1 < text_end ? sign[1] : '\0';

		luaL_addlstring(out, text, (size_t)(sign - text));
		if (next == '%') {
			luaL_addchar(out, '%');
		} else if (next == '0') {
			luaL_addlstring(out, start, (size_t)(end - start));
		} else if (isdigit((unsigned char)next)) {
			const char *capture = capture_text(m, next - '1', start, end, &n);

			count(m, capture ? (size_t)n / 16 : 1);
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
		push_capture(m, 0, start, end);
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

int match_gsub(lua_State *L)
{
	struct matcher m;
	luaL_Buffer out;

	matcher_init(&m, L);
	const char *pattern = m.pattern, *t = m.text, *last = NULL;
	int type = lua_type(L, 3), anchored = pattern < m.pattern_end && *pattern == '^', changed = 0;
	lua_Integer most = luaL_optinteger(L, 4, m.text_end - m.text + 1), n = 0;
	luaL_argexpected(L, type == LUA_TNUMBER || type == LUA_TSTRING || type == LUA_TTABLE || type == LUA_TFUNCTION,
			 3, "string/function/table");
	pattern += anchored;
	luaL_buffinit(L, &out);
	while (n < most) {
		const char *end = match_at(&m, t, pattern);

		if (end && end != last) {
			n++;
			changed |= add_replacement(&m, &out, t, end, type);
			t = last = end;
		} else if (t < m.text_end) {
			luaL_addchar(&out, *t);
			t++;
		} else {
			break;
		}
		if (anchored)
			break;
	}
	if (changed) {
		luaL_addlstring(&out, t, (size_t)(m.text_end - t));
		luaL_pushresult(&out);
	} else {
		lua_pushvalue(L, 1);
	}
	lua_pushinteger(L, n);
	count_rest(&m);
	return 2;
}
