#include "cli/raw.h"

#include <string.h>

static size_t skip_blanks(struct raw in, size_t at)
{
	while (at < in.len && strchr(" \t\r\n", in.text[at]))
		at++;
	return at;
}

/* Behind the text that begins at at; the end when it has none. */
static size_t skip_text(struct raw in, size_t at)
{
	for (at++; at < in.len && in.text[at] != '"'; at++)
		if (in.text[at] == '\\')
			at++;
	return at < in.len ? at + 1 : in.len;
}

/* Behind the value that begins at at. */
static size_t skip_value(struct raw in, size_t at)
{
	int depth = 0;

	while (at < in.len) {
		char c = in.text[at];

		if (c == '"') {
			at = skip_text(in, at);
			if (!depth)
				return at;
			continue;
		}
		if (!depth && (c == ',' || c == ']' || c == '}'))
			return at;
		if (c == '{' || c == '[')
			depth++;
		at++;
		if ((c == '}' || c == ']') && !--depth)
			return at;
	}
	return in.len;
}

struct raw raw_member(struct raw object, const char *key)
{
	size_t at = skip_blanks(object, 0), key_len = strlen(key);

	if (at >= object.len || object.text[at] != '{')
		return (struct raw){0};
	for (at = skip_blanks(object, at + 1); at < object.len && object.text[at] == '"';) {
		size_t name = at + 1, end = skip_text(object, at);

		at = skip_blanks(object, end);
		if (at >= object.len || object.text[at] != ':')
			break;
		at = skip_blanks(object, at + 1);
		size_t behind = skip_value(object, at);
		if (end - name == key_len + 1 && !memcmp(object.text + name, key, key_len))
			return (struct raw){object.text + at, behind - at};
		at = skip_blanks(object, behind);
		if (at >= object.len || object.text[at] != ',')
			break;
		at = skip_blanks(object, at + 1);
	}
	return (struct raw){0};
}

struct raw raw_item(struct raw list, size_t *at)
{
	size_t begin = skip_blanks(list, *at);

	if (!*at) {
		if (begin >= list.len || list.text[begin] != '[')
			return (struct raw){0};
		begin = skip_blanks(list, begin + 1);
	} else if (begin < list.len && list.text[begin] == ',') {
		begin = skip_blanks(list, begin + 1);
	}
	if (begin >= list.len || list.text[begin] == ']' || list.text[begin] == ',')
		return (struct raw){0};
	*at = skip_value(list, begin);
	return (struct raw){list.text + begin, *at - begin};
}
