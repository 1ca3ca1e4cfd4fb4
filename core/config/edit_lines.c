#include "config/edit_lines.h"

#include <stdlib.h>
#include <string.h>

/* A line without its end. */
static size_t body_of(const struct line *line)
{
	size_t n = line->len;

	return n && line->text[n - 1] == '\n' ? n - 1 : n;
}

void line_read(const struct line *line, struct said *said)
{
	char text[UCI_LINE_MAX];
	size_t n = body_of(line);
	const char *at = text, *begin;

	said->kind = LINE_OTHER;
	said->words = 0;
	if (n >= sizeof(text) || memchr(line->text, '\0', n))
		return;
	memcpy(text, line->text, n);
	text[n] = '\0';
	while (said->words < 3 && uci_word(&at, said->word[said->words], &begin) == 1) {
		said->begin[said->words] = (size_t)(begin - text);
		said->end[said->words] = (size_t)(at - text);
		said->words++;
	}
	if (!said->words)
		return;
	if (!strcmp(said->word[0], "config") && said->words > 1)
		said->kind = LINE_CONFIG;
	else if (!strcmp(said->word[0], "option") && said->words == 3)
		said->kind = LINE_OPTION;
	else if (!strcmp(said->word[0], "list") && said->words == 3)
		said->kind = LINE_LIST;
}

int line_splice(struct edit *edit, int at, size_t begin, size_t end, const char *text)
{
	struct line *line = &edit->lines[at];
	size_t add = strlen(text), len = line->len - (end - begin) + add;

	if (edit->bytes - line->len + len > UCI_FILE_MAX || (len >= UCI_LINE_MAX && len > line->len))
		return FC_ELIMIT;
	char *next = calloc(len + 1, 1);
	if (!next)
		return FC_ENOMEM;
	memcpy(next, line->text, begin);
	memcpy(next + begin, text, add);
	memcpy(next + begin + add, line->text + end, line->len - end);
	next[len] = '\0';
	edit->bytes += len - line->len;
	free(line->text);
	line->text = next;
	line->len = len;
	return FC_OK;
}

static int has_end(const struct line *line)
{
	return line->len && line->text[line->len - 1] == '\n';
}

static int is_dos(const struct edit *edit, int at)
{
	const struct line *before = at ? &edit->lines[at - 1] : edit->count ? &edit->lines[0] : NULL;

	return before && before->len > 1 && !memcmp(before->text + before->len - 2, "\r\n", 2);
}

int line_insert(struct edit *edit, int at, const char *text)
{
	const char *end = is_dos(edit, at) ? "\r\n" : "\n";
	size_t len = strlen(text) + strlen(end);

	if (edit->bytes + len + 1 > UCI_FILE_MAX)
		return FC_ELIMIT;
	/* The last line of a file may have no end: it gets one before another comes behind it. */
	if (at && !has_end(&edit->lines[at - 1])) {
		size_t n = edit->lines[at - 1].len;
		int result = line_splice(edit, at - 1, n, n, end);

		if (result)
			return result;
	}
	if (edit->count == edit->room) {
		int room = edit->room * 2 + 16;
		struct line *lines = realloc(edit->lines, (size_t)room * sizeof(*lines));

		if (!lines)
			return FC_ENOMEM;
		edit->lines = lines;
		edit->room = room;
	}
	char *copy = malloc(len + 1);
	if (!copy)
		return FC_ENOMEM;
	(void)stpcpy(stpcpy(copy, text), end);
	memmove(&edit->lines[at + 1], &edit->lines[at], (size_t)(edit->count - at) * sizeof(struct line));
	edit->lines[at] = (struct line){copy, len};
	edit->count++;
	edit->bytes += len;
	return FC_OK;
}

void line_remove(struct edit *edit, int at)
{
	edit->bytes -= edit->lines[at].len;
	free(edit->lines[at].text);
	memmove(&edit->lines[at], &edit->lines[at + 1], (size_t)(edit->count - at - 1) * sizeof(struct line));
	edit->count--;
}

static int is_it(const struct said *said, const char *type, const char *name)
{
	const struct schema_section *schema = schema_find(type);

	if (said->kind != LINE_CONFIG || strcmp(said->word[1], type) != 0)
		return 0;
	/* There is one of it: its name does not matter. */
	return (schema && !schema->count) || !strcmp(said->words > 2 ? said->word[2] : "", name);
}

int range_find(const struct edit *edit, const char *type, const char *name, struct said *said, struct range *range)
{
	int at = 0;

	for (; at < edit->count; at++) {
		line_read(&edit->lines[at], said);
		if (is_it(said, type, name))
			break;
	}
	if (at == edit->count)
		return FC_ENOENT;
	*range = (struct range){.config = at, .last = at, .end = edit->count};
	while (++at < edit->count) {
		line_read(&edit->lines[at], said);
		if (said->words && !strcmp(said->word[0], "config")) {
			range->end = at;
			return FC_OK;
		}
		if (said->words)
			range->last = at;
	}
	return FC_OK;
}

const struct schema_option *edit_schema(const char *type, const char *option)
{
	const struct schema_section *section = schema_find(type);

	for (const struct schema_option *o = section ? section->options : NULL; o && o->name; o++)
		if (!strcmp(o->name, option))
			return o;
	return NULL;
}

/* Quoting ------------------------------------------------------------------------------------------------------------- */

static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.:/@,+-";

static size_t add(char *out, size_t n, const char *text)
{
	size_t len = strlen(text);

	for (size_t i = 0; i < len && n + i < UCI_LINE_MAX; i++)
		out[n + i] = text[i];
	return n + len;
}

static size_t add_char(char *out, size_t n, char c)
{
	if (n < UCI_LINE_MAX)
		out[n] = c;
	return n + 1;
}

/* As libuci writes it: a single quote ends the quotes, stands alone behind a backslash, and opens them again. */
static size_t in_single(const char *value, char *out)
{
	size_t n = add_char(out, 0, '\'');

	for (; *value; value++)
		n = *value == '\'' ? add(out, n, "'\\''") : add_char(out, n, *value);
	return add_char(out, n, '\'');
}

static size_t in_double(const char *value, char *out)
{
	size_t n = add_char(out, 0, '"');

	for (; *value; value++) {
		if (*value == '"' || *value == '\\')
			n = add_char(out, n, '\\');
		n = add_char(out, n, *value);
	}
	return add_char(out, n, '"');
}

int edit_quote(const char *value, const char *like, char out[UCI_LINE_MAX], struct error *err)
{
	size_t n;

	for (const char *c = value; *c; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7F)
			return error_set(err, FC_EINVAL, "the value holds a newline or another control character");
	if (like && *like == '"')
		n = in_double(value, out);
	else if (like && *like != '\'' && *value && strspn(value, plain) == strlen(value))
		n = add(out, 0, value);
	else
		n = in_single(value, out);
	/* With a keyword and a name before it on its line. */
	if (n + 2 * 80 >= UCI_LINE_MAX)
		return error_set(err, FC_EINVAL, "the value is too long");
	out[n] = '\0';
	return FC_OK;
}
