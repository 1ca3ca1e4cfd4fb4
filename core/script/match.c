#include "script/match.h"

#include <ctype.h>
#include <string.h>

#include <lauxlib.h>

#include "script/sandbox.h"

/* A step is the look at one byte: about a quarter of the time of a VM instruction. */
enum { STEPS_A_UNIT = 4, BATCH = 1024 };

static int byte_at(const char *at)
{
	return (unsigned char)*at;
}

void match_count(struct matcher *m, size_t steps)
{
	m->steps += steps;
	if (m->steps < BATCH)
		return;
	size_t work = m->steps / STEPS_A_UNIT;
	m->steps = 0;
	sandbox_charge(m->L, work);
}

void match_count_rest(struct matcher *m)
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

	match_count(m, (size_t)(last - set));
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
	char first = *p++;

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
	match_count(m, (size_t)(p - start));
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
		return luaL_error(m->L, "too many captures");
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
		return luaL_error(m->L, "invalid pattern capture");
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
		return luaL_error(m->L, "invalid capture index %%%d", i + 1);
	ptrdiff_t len = m->captures[i].len;
	/* A position has no text that could come again. */
	if (len < 0 || m->text_end - m->t < len)
		return 0;
	match_count(m, (size_t)len / 16 + 1);
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
		return luaL_error(m->L, "malformed pattern (missing arguments to '%%b')");
	char opens = m->p[2], closes = m->p[3];
	size_t nested = 1;

	if (m->t >= m->text_end || *m->t != opens)
		return 0;
	for (const char *t = m->t + 1; t < m->text_end; t++) {
		match_count(m, 1);
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
		return luaL_error(m->L, "missing '[' after '%%f' in pattern");
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
			match_count(m, 0);
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
	char next = m->pattern_end - p > 1 ? p[1] : '\0';

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

int match_at(struct matcher *m, const char *t, const char *pattern)
{
	m->t = t;
	m->p = pattern;
	m->levels = m->depth = 0;
	for (;;) {
		match_count(m, 1);
		if (m->p == m->pattern_end)
			return 1;
		if (!match_next(m) && !go_back(m))
			return 0;
	}
}

/* Not a whole initializer: the list of choices is large and needs no zeroes. */
void match_init(struct matcher *m, lua_State *L)
{
	size_t text_len, pattern_len;

	m->L = L;
	m->text = luaL_checklstring(L, 1, &text_len);
	m->text_end = m->text + text_len;
	m->pattern = luaL_checklstring(L, 2, &pattern_len);
	m->pattern_end = m->pattern + pattern_len;
	m->t = m->text;
	m->p = m->pattern;
	m->steps = 0;
	m->levels = m->depth = 0;
	memset(m->captures, 0, sizeof(m->captures));
}

const char *match_capture(struct matcher *m, int i, const char *start, const char *end, ptrdiff_t *len)
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

void match_push_capture(struct matcher *m, int i, const char *start, const char *end)
{
	ptrdiff_t len;
	const char *text = match_capture(m, i, start, end, &len);

	if (!text) {
		lua_pushinteger(m->L, len);
		return;
	}
	match_count(m, (size_t)len / 16);
	lua_pushlstring(m->L, text, (size_t)len);
}
