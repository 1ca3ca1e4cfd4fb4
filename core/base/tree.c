#include "base/tree.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

enum { DEPTH = 32, DECIMALS = 9, NUMBER_MAX = 64, INT_DIGITS = 18 };

struct reader {
	const char *text;
	size_t len, at;
	enum tree_form form;
	struct arena *arena;
	int full; /* the arena */
};

static void skip_blanks(struct reader *r)
{
	while (r->at < r->len && strchr(" \t\r\n", r->text[r->at]) && r->text[r->at])
		r->at++;
}

static char peek(const struct reader *r)
{
	return r->at < r->len ? r->text[r->at] : '\0';
}

static int take(struct reader *r, char c)
{
	skip_blanks(r);
	if (peek(r) != c || r->at >= r->len)
		return 0;
	r->at++;
	return 1;
}

static int take_word(struct reader *r, const char *word)
{
	size_t n = strlen(word);

	if (r->len - r->at < n || memcmp(r->text + r->at, word, n) != 0)
		return 0;
	r->at += n;
	return 1;
}

/* Texts ---------------------------------------------------------------------------------------------------------------- */

static int read_hex(const struct reader *r, size_t at, unsigned *code)
{
	*code = 0;
	for (size_t i = at; i < at + 4; i++) {
		const char *digits = "0123456789abcdef0123456789ABCDEF";
		const char *found = i < r->len && r->text[i] ? strchr(digits, r->text[i]) : NULL;

		if (!found)
			return -1;
		*code = *code << 4 | (unsigned)((found - digits) % 16);
	}
	return 0;
}

static size_t put_utf8(char *out, unsigned code)
{
	if (code < 0x80) {
		out[0] = (char)code;
		return 1;
	}
	if (code < 0x800) {
		out[0] = (char)(0xC0 | code >> 6);
		out[1] = (char)(0x80 | (code & 0x3F));
		return 2;
	}
	if (code < 0x10000) {
		out[0] = (char)(0xE0 | code >> 12);
		out[1] = (char)(0x80 | (code >> 6 & 0x3F));
		out[2] = (char)(0x80 | (code & 0x3F));
		return 3;
	}
	out[0] = (char)(0xF0 | code >> 18);
	out[1] = (char)(0x80 | (code >> 12 & 0x3F));
	out[2] = (char)(0x80 | (code >> 6 & 0x3F));
	out[3] = (char)(0x80 | (code & 0x3F));
	return 4;
}

/* Behind the backslash. Returns the bytes put, 0 when it is wrong. */
static size_t read_escape(struct reader *r, char *out)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	char c = peek(r);
	const char *plain = c ? strchr(from, c) : NULL;
	unsigned code, low;

	if (plain) {
		*out = to[plain - from];
		r->at++;
		return 1;
	}
	if (c != 'u' || read_hex(r, r->at + 1, &code))
		return 0;
	r->at += 5;
	if (code >= 0xD800 && code < 0xDC00) {
		if (peek(r) != '\\' || r->at + 1 >= r->len || r->text[r->at + 1] != 'u' ||
		    read_hex(r, r->at + 2, &low) || low < 0xDC00 || low > 0xDFFF)
			return 0;
		r->at += 6;
		code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
	} else if (code >= 0xDC00 && code <= 0xDFFF) {
		return 0;
	}
	return put_utf8(out, code);
}

/* Behind the quote. An escape is never shorter than what it stands for. */
static int read_text(struct reader *r, char **text, size_t *len)
{
	size_t end = r->at;

	while (end < r->len && r->text[end] != '"')
		end += r->text[end] == '\\' ? 2 : 1;
	if (end >= r->len)
		return FC_EINVAL;
	char *out = arena_alloc(r->arena, end - r->at + 1);
	if (!out) {
		r->full = 1;
		return FC_EINVAL;
	}
	*text = out;
	*len = 0;
	while (r->text[r->at] != '"') {
		if ((unsigned char)r->text[r->at] < 0x20)
			return FC_EINVAL;
		if (r->text[r->at] != '\\') {
			out[(*len)++] = r->text[r->at++];
			continue;
		}
		r->at++;
		size_t n = read_escape(r, out + *len);
		if (!n)
			return FC_EINVAL;
		*len += n;
	}
	r->at++;
	return FC_OK;
}

/* Numbers -------------------------------------------------------------------------------------------------------------- */

static size_t digits_at(const struct reader *r, size_t at)
{
	size_t n = 0;

	while (at + n < r->len && r->text[at + n] >= '0' && r->text[at + n] <= '9')
		n++;
	return n;
}

static struct value *read_number(struct reader *r)
{
	size_t begin = r->at, at = begin + (peek(r) == '-');
	size_t whole = digits_at(r, at), behind = 0;
	int exponent = 0;
	char text[NUMBER_MAX];

	if (!whole || (whole > 1 && r->text[at] == '0'))
		return NULL;
	at += whole;
	if (at < r->len && r->text[at] == '.') {
		behind = digits_at(r, ++at);
		if (!behind)
			return NULL;
		at += behind;
	}
	if (at < r->len && (r->text[at] == 'e' || r->text[at] == 'E')) {
		at++;
		at += at < r->len && (r->text[at] == '+' || r->text[at] == '-');
		size_t n = digits_at(r, at);
		if (!n)
			return NULL;
		at += n;
		exponent = 1;
	}
	if (at - begin >= sizeof(text))
		return NULL;
	memcpy(text, r->text + begin, at - begin);
	text[at - begin] = '\0';
	r->at = at;
	if (!behind && !exponent && whole <= INT_DIGITS)
		return value_int(r->arena, strtoll(text, NULL, 10));
	double f = strtod(text, NULL);
	if (!isfinite(f))
		return NULL;
	/* Minus nothing has no decimal. */
	if (r->form == TREE_AS_RECEIVED || exponent || behind > DECIMALS || whole + behind > INT_DIGITS ||
	    (*text == '-' && f == 0))
		return value_float(r->arena, f);
	memmove(strchr(text, '.'), strchr(text, '.') + 1, strlen(strchr(text, '.')));
	return value_decimal(r->arena, strtoll(text, NULL, 10), (int)behind);
}

/* Values --------------------------------------------------------------------------------------------------------------- */

static struct value *read_value(struct reader *r, int depth);

/* Behind the bracket. */
static struct value *read_list(struct reader *r, int depth)
{
	struct value *list = value_array(r->arena);

	if (take(r, ']'))
		return list;
	do {
		struct value *item = read_value(r, depth);

		if (!item || value_push(list, item))
			return NULL;
	} while (take(r, ','));
	return take(r, ']') ? list : NULL;
}

static struct value *read_object(struct reader *r, int depth)
{
	struct value *object = value_object(r->arena);
	char *key;
	size_t len;

	if (take(r, '}')) {
		if (object && r->form == TREE_AS_RECEIVED)
			object->type = VALUE_EMPTY;
		return object;
	}
	do {
		if (!take(r, '"') || read_text(r, &key, &len) || !take(r, ':'))
			return NULL;
		struct value *member = read_value(r, depth);
		if (!member || value_put(r->arena, object, key, member))
			return NULL;
	} while (take(r, ','));
	return take(r, '}') ? object : NULL;
}

static struct value *read_value(struct reader *r, int depth)
{
	char *text;
	size_t len;

	skip_blanks(r);
	if (depth >= DEPTH || r->at >= r->len)
		return NULL;
	switch (r->text[r->at]) {
	case '{':
		r->at++;
		return read_object(r, depth + 1);
	case '[':
		r->at++;
		return read_list(r, depth + 1);
	case '"':
		r->at++;
		return read_text(r, &text, &len) ? NULL : value_string_len(r->arena, text, len);
	case 't':
		return take_word(r, "true") ? value_bool(r->arena, 1) : NULL;
	case 'f':
		return take_word(r, "false") ? value_bool(r->arena, 0) : NULL;
	case 'n':
		return take_word(r, "null") ? value_null(r->arena) : NULL;
	default:
		return read_number(r);
	}
}

int tree_read(const char *text, size_t len, enum tree_form form, struct arena *arena, struct value **out, size_t *at)
{
	struct reader r = {.text = text, .len = len, .form = form, .arena = arena};

	*out = read_value(&r, 0);
	skip_blanks(&r);
	*at = r.at;
	if (*out && r.at == len)
		return FC_OK;
	/* A full arena shows as a value that is missing. */
	return r.full || arena->used + sizeof(struct value) + 32 > arena->limit ? FC_ELIMIT : FC_EINVAL;
}
