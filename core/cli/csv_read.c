#include "cli/csv_read.h"

#include <string.h>

/* The one that stands most often in the first line that has any. */
static char find_separator(const char *text)
{
	static const char candidates[] = {',', ';', '\t'};
	size_t most = 0;
	char best = ',';

	while (*text && !most) {
		size_t line = strcspn(text, "\n");

		for (size_t i = 0; i < sizeof(candidates); i++) {
			size_t n = 0;

			for (size_t k = 0; k < line; k++)
				n += text[k] == candidates[i];
			if (n > most) {
				most = n;
				best = candidates[i];
			}
		}
		text += line + (text[line] == '\n');
	}
	return best;
}

static size_t utf8_length(const unsigned char *s)
{
	size_t len = *s < 0x80 ? 1 : *s >= 0xC2 && *s < 0xE0 ? 2 : *s >= 0xE0 && *s < 0xF0 ? 3 : 4;

	if (*s >= 0xF5 || (*s >= 0x80 && *s < 0xC2))
		return 0;
	for (size_t i = 1; i < len; i++)
		if ((s[i] & 0xC0) != 0x80)
			return 0;
	return len;
}

/* Tables of unknown encoding are read all the same: what matters in them is ASCII. */
static void make_safe(char *text)
{
	for (unsigned char *s = (unsigned char *)text; *s;) {
		size_t len = utf8_length(s);

		if (!len || (len == 1 && (*s < 0x20 || *s == 0x7F))) {
			*s = len ? ' ' : '?';
			len = 1;
		}
		s += len;
	}
}

void csv_reader_init(struct csv_reader *reader, char *text, size_t len)
{
	if (len >= 3 && !memcmp(text, "\xEF\xBB\xBF", 3)) {
		text += 3;
		len -= 3;
	}
	/* A zero byte would hide what follows it. */
	for (size_t i = 0; i < len; i++)
		if (!text[i])
			text[i] = ' ';
	*reader = (struct csv_reader){.at = text, .end = text + len, .separator = find_separator(text), .line = 1};
}

static char *trim(char *from, char *to)
{
	while (from < to && (*from == ' ' || *from == '\t'))
		from++;
	while (to > from && (to[-1] == ' ' || to[-1] == '\t' || to[-1] == '\r'))
		to--;
	*to = '\0';
	make_safe(from);
	return from;
}

/* A field in quotes, "" being one of them; it is closed up in place. */
static char *read_quoted(struct csv_reader *r, struct csv_row *row)
{
	char *from = ++r->at, *to = from;

	for (;; r->at++) {
		if (r->at == r->end) {
			row->broken = 1;
			break;
		}
		if (*r->at == '"' && r->at[1] != '"')
			break;
		r->at += *r->at == '"';
		r->line += *r->at == '\n';
		*to++ = *r->at;
	}
	r->at += r->at < r->end;
	while (r->at < r->end && *r->at != r->separator && *r->at != '\n')
		r->at++;
	char *field = trim(from, to);
	return field;
}

int csv_read_row(struct csv_reader *r, struct csv_row *row)
{
	char last = r->separator;

	if (r->at >= r->end)
		return 0;
	*row = (struct csv_row){.line = r->line};
	while (last == r->separator) {
		char *field;

		while (r->at < r->end && *r->at == ' ')
			r->at++;
		if (r->at < r->end && *r->at == '"') {
			field = read_quoted(r, row);
			last = r->at < r->end ? *r->at : '\0';
		} else {
			char *from = r->at;

			while (r->at < r->end && *r->at != r->separator && *r->at != '\n')
				r->at++;
			last = r->at < r->end ? *r->at : '\0';
			field = trim(from, r->at);
		}
		if (row->count < CSV_FIELDS)
			row->fields[row->count++] = field;
		else
			row->broken = 1;
		r->line += last == '\n';
		r->at += r->at < r->end;
	}
	return 1;
}
