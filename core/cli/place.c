#include "cli/place.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static int is_word(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

/* Past [[...]] or [=[...]=] that begins at p, or NULL when it is none. */
static const char *skip_long(const char *p)
{
	size_t level = strspn(p + 1, "=");

	if (*p != '[' || p[1 + level] != '[')
		return NULL;
	for (p += 2 + level; *p; p++)
		if (*p == ']' && strspn(p + 1, "=") == level && p[1 + level] == ']')
			return p + 2 + level;
	return p;
}

/* The next character that is neither blank nor comment. */
static const char *skip_space(const char *p)
{
	for (;;) {
		p += strspn(p, " \t\r\n,;");
		if (p[0] != '-' || p[1] != '-')
			return p;
		const char *end = p[2] == '[' ? skip_long(p + 2) : NULL;
		p = end ? end : p + strcspn(p, "\n");
	}
}

/* Past the token at p: a text, a word, a number, a sign. */
static const char *skip_token(const char *p)
{
	const char *end;

	if (*p == '"' || *p == '\'') {
		for (end = p + 1; *end && *end != *p && *end != '\n'; end++)
			end += *end == '\\' && end[1];
		return *end ? end + 1 : end;
	}
	if (*p == '[' && (end = skip_long(p)))
		return end;
	if (is_word(*p)) {
		while (is_word(*p) || *p == '.')
			p++;
		return p;
	}
	return *p ? p + 1 : p;
}

/* The key at p: its text in *key; past its '='. NULL: no key. */
static const char *read_key(const char *p, const char **key, size_t *len)
{
	const char *end;

	if (*p == '[' && !skip_long(p)) {
		*key = skip_space(p + 1);
		end = skip_token(*key);
		*len = (size_t)(end - *key);
		if (**key == '"' || **key == '\'') {
			(*key)++;
			*len -= *len >= 2 ? 2 : 0;
		}
		end = skip_space(end);
		if (*end != ']')
			return NULL;
		end = skip_space(end + 1);
	} else {
		if (!is_word(*p) || isdigit((unsigned char)*p))
			return NULL;
		*key = p;
		end = skip_token(p);
		*len = (size_t)(end - p);
		end = skip_space(end);
	}
	return end[0] == '=' && end[1] != '=' ? skip_space(end + 1) : NULL;
}

/* In the table whose inside begins at p: the value of the key, or the n-th item without one (key NULL); *at: where it begins. */
static const char *find_member(const char *p, const char *key, size_t len, long n, const char **at)
{
	long item = 0;
	int depth = 0, fresh = 1;

	for (p = skip_space(p); *p && depth >= 0; p = skip_space(p)) {
		const char *name = NULL, *value = NULL;
		size_t name_len = 0;

		if (fresh && !depth && *p != '}') {
			value = read_key(p, &name, &name_len);
			item += !value;
			*at = p;
			if (!value && !key && item == n)
				return p;
			if (value && key && name_len == len && !memcmp(name, key, len))
				return value;
		}
		if (value) {
			p = value;
			fresh = 0;
			continue;
		}
		depth += *p == '{' || *p == '(';
		depth -= *p == '}' || *p == ')';
		p = skip_token(p);
		fresh = !depth && (p[strspn(p, " \t\r\n")] == ',' || p[strspn(p, " \t\r\n")] == ';');
		/* A comment may stand between a value and its comma: the comma was skipped with it. */
	}
	return NULL;
}

/* Behind the brace of the last "return {" that stands in no other table. */
static const char *find_table(const char *source)
{
	const char *table = NULL;

	for (const char *p = skip_space(source); *p; p = skip_space(skip_token(p))) {
		if (strncmp(p, "return", 6) != 0 || is_word(p[6]))
			continue;
		const char *next = skip_space(p + 6);
		if (*next == '{' && (p == source || p[-1] == '\n'))
			table = next + 1;
	}
	return table;
}

static int line_of(const char *source, const char *at)
{
	int line = 1;

	for (const char *p = source; p < at; p++)
		line += *p == '\n';
	return line;
}

int place_line(const char *source, const char *place)
{
	const char *inside = find_table(source), *at = NULL, *found = NULL;

	while (inside && *place) {
		size_t len = strcspn(place, ".[");
		const char *value;

		if (*place == '[') {
			char *end;
			long n = strtol(place + 1, &end, 10);

			value = find_member(inside, NULL, 0, n, &found);
			place = *end ? end + 1 : end;
		} else {
			value = find_member(inside, place, len, 0, &found);
			place += len;
		}
		at = value ? found : at;
		place += *place == '.';
		inside = value && *value == '{' ? value + 1 : NULL;
	}
	return at ? line_of(source, at) : 0;
}
