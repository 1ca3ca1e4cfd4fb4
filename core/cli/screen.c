#include "cli/screen.h"

#include <stdint.h>
#include <string.h>

#include "base/arena.h"
#include "base/json.h"
#include "base/value.h"

/* Each byte of the longest answer as \xNN. */
enum { PRINTED_MAX = 64 << 20 };

struct range {
	uint32_t first, last;
};

/* East Asian Wide and Fullwidth (Unicode, UAX 11), as far as people write it. */
static const struct range wide[] = {
    {0x1100, 0x115F}, {0x2E80, 0x303E}, {0x3041, 0xA4CF}, {0xA960, 0xA97F},   {0xAC00, 0xD7A3},   {0xF900, 0xFAFF},
    {0xFE30, 0xFE6F}, {0xFF01, 0xFF60}, {0xFFE0, 0xFFE6}, {0x1F300, 0x1F64F}, {0x1F900, 0x1F9FF}, {0x20000, 0x3FFFD},
};
static const struct range no_width[] = {{0x0300, 0x036F}, {0x1AB0, 0x1AFF}, {0x20D0, 0x20FF}, {0xFE00, 0xFE0F}};
/* C1 controls, soft hyphen, marks and overrides of direction, line separators, invisible operators, byte order mark, tags. */
static const struct range hostile[] = {{0x7F, 0x9F},     {0xAD, 0xAD},      {0x061C, 0x061C}, {0x180E, 0x180E},
				       {0x200B, 0x200F}, {0x2028, 0x202E},  {0x2060, 0x206F}, {0xFEFF, 0xFEFF},
				       {0xFFF9, 0xFFFB}, {0xE0000, 0xE007F}};

static int is_in(uint32_t c, const struct range *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (c >= list[i].first && c <= list[i].last)
			return 1;
	return 0;
}
#define IS_IN(c, list) is_in(c, list, sizeof(list) / sizeof((list)[0]))

/* The character at text and its length in bytes; 0 when it is none (RFC 3629). Behind the text is a byte that is no part of one. */
static int read_character(const char *text, uint32_t *c)
{
	static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
	const unsigned char *p = (const unsigned char *)text;
	int n = p[0] < 0x80 ? 1 : (p[0] & 0xE0) == 0xC0 ? 2 : (p[0] & 0xF0) == 0xE0 ? 3 : (p[0] & 0xF8) == 0xF0 ? 4 : 0;

	if (n < 2) {
		*c = p[0];
		return n;
	}
	*c = p[0] & (0xFFu >> (n + 1));
	for (int i = 1; i < n; i++) {
		if ((p[i] & 0xC0) != 0x80)
			return 0;
		*c = *c << 6 | (p[i] & 0x3F);
	}
	return *c < smallest[n] || *c > 0x10FFFF || (*c >= 0xD800 && *c <= 0xDFFF) ? 0 : n;
}

void screen_add(struct buffer *out, const char *text)
{
	while (*text) {
		uint32_t c;
		int n = read_character(text, &c);

		if (!n || c < 0x20 || c == 0x7F)
			(void)buffer_printf(out, "\\x%02X", (unsigned char)*text);
		else if (IS_IN(c, hostile))
			(void)buffer_printf(out, "\\u{%X}", c);
		else
			(void)buffer_add(out, text, (size_t)n);
		text += n ? n : 1;
	}
}

void screen_print(const char *text, int columns, FILE *to)
{
	struct buffer safe;

	buffer_init(&safe, PRINTED_MAX);
	screen_add(&safe, text);
	if (safe.data) {
		(void)fputs(safe.data, to);
		columns -= screen_width(safe.data);
	}
	for (; columns > 0; columns--)
		(void)fputc(' ', to);
	buffer_fini(&safe);
}

static void print_escaped(uint32_t c, FILE *to)
{
	if (c > 0xFFFF)
		fprintf(to, "\\u%04x\\u%04x", 0xD7C0 + (c >> 10), 0xDC00 + (c & 0x3FF));
	else
		fprintf(to, "\\u%04x", c);
}

/* In a text an escape may stand for such a character; between texts there are blanks at most. */
void screen_json(struct raw json, FILE *to)
{
	int in_text = 0, is_escaped = 0;

	for (size_t i = 0; i < json.len;) {
		uint32_t c;
		int n = read_character(json.text + i, &c), is_plain = n == 1 && c >= 0x20 && c < 0x7F;

		if (!n)
			(void)fputs("\xEF\xBF\xBD", to);
		else if (is_plain || (n > 1 && !IS_IN(c, hostile)))
			(void)fwrite(json.text + i, 1, (size_t)n, to);
		else if (in_text)
			print_escaped(c, to);
		else
			(void)fputc(' ', to);
		if (is_plain && c == '"' && !is_escaped)
			in_text = !in_text;
		is_escaped = is_plain && c == '\\' && in_text && !is_escaped;
		i += (size_t)(n ? n : 1);
	}
}

void screen_quoted(const char *text, FILE *to)
{
	struct buffer out;
	struct arena arena;

	arena_init(&arena, PRINTED_MAX);
	buffer_init(&out, PRINTED_MAX);
	const struct value *v = value_string(&arena, text);
	if (v && !json_write(&out, v))
		screen_json((struct raw){out.data, out.len}, to);
	buffer_fini(&out);
	arena_fini(&arena);
}

int screen_width(const char *text)
{
	int width = 0;

	while (*text) {
		uint32_t c;
		int n = read_character(text, &c);

		width += IS_IN(c, wide) ? 2 : !IS_IN(c, no_width);
		text += n ? n : 1;
	}
	return width;
}

/* A mark that can't begin a line. */
static int is_closing(uint32_t c)
{
	return c == 0x3002 || c == 0xFF0C || c == 0xFF1A || c == 0xFF1B || c == 0xFF09 || c == 0x3001;
}

/* Bytes of what stays together, with the width that it takes; the blank behind it is not part of it. */
static size_t piece_of(const char *text, int *width)
{
	size_t at = 0;
	int depth = 0;

	*width = 0;
	while (text[at]) {
		uint32_t c;
		int n = read_character(text + at, &c);
		int is_wide = IS_IN(c, wide);

		if (at && ((c == ' ' && depth <= 0) || (is_wide && !is_closing(c))))
			break;
		depth += (c == '[') - (c == ']');
		*width += is_wide ? 2 : !IS_IN(c, no_width);
		at += (size_t)(n ? n : 1);
		if (is_wide && text[at] && (!read_character(text + at, &c) || !is_closing(c)))
			break;
	}
	return at;
}

void screen_wrap(const char *text, int first, int indent, FILE *to)
{
	int column = first, width;

	while (*text) {
		int blank = *text == ' ';

		text += blank;
		size_t len = piece_of(text, &width);
		if (column > indent && column + blank + width > SCREEN_COLUMNS) {
			fprintf(to, "\n%*s", indent, "");
			column = indent;
			blank = 0;
		}
		fprintf(to, "%s%.*s", blank ? " " : "", (int)len, text);
		column += blank + width;
		text += len;
	}
	(void)fputc('\n', to);
}
