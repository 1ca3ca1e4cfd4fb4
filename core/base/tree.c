#include "base/tree.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

/* The longest decimal that a double stands for has 1077 digits. */
enum { DEPTH = 32, DECIMALS = 9, NUMBER_MAX = 1100, INT_DIGITS = 18 };

static const int64_t whole_below = (int64_t)1 << 53; /* of a double that is whole */

struct reader {
	const char *text;
	size_t len, at;
	enum tree_form form;
	struct arena *arena;
	size_t values, most; /* read so far, and that may be */
	int full;            /* the arena, or too many values */
};

static void skip_blanks(struct reader *r)
{
	while (r->at < r->len) {
		char c = r->text[r->at];

		if (c != ' ' && c != '\n' && c != '\r' && c != '\t')
			return;
		r->at++;
	}
}

static struct value *make(struct reader *r, enum value_type type)
{
	struct value *v = r->values++ < r->most ? arena_alloc(r->arena, sizeof(*v)) : NULL;

	if (v)
		v->type = type;
	else
		r->full = 1;
	return v;
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

/* What stands in a text without an escape. As received: lua-cjson took control characters, so there are platforms that send them. */
static int is_unescaped(const struct reader *r, const char *text, size_t len)
{
	if (r->form == TREE_AS_RECEIVED)
		return !memchr(text, '\0', len);
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)text[i] < 0x20)
			return 0;
	return 1;
}

/* Behind the quote; up to the first backslash, if there is one. Returns where the text goes on, NULL when it is wrong. */
static const char *read_plain(struct reader *r, const char *from, const char *end, char **to)
{
	const char *stop = memchr(from, '\\', (size_t)(end - from));

	if (!stop)
		stop = end;
	size_t n = (size_t)(stop - from);
	if (!is_unescaped(r, from, n))
		return NULL;
	memcpy(*to, from, n);
	*to += n;
	return stop;
}

/* The quote that ends a text; NULL: none does. */
static const char *find_end(const struct reader *r)
{
	const char *from = r->text + r->at, *end = r->text + r->len;

	for (;;) {
		const char *quote = memchr(from, '"', (size_t)(end - from));
		const char *escape = quote ? memchr(from, '\\', (size_t)(quote - from)) : NULL;

		if (!escape)
			return quote;
		if (end - escape < 2)
			return NULL;
		from = escape + 2;
	}
}

/* Behind the quote. An escape is never shorter than what it stands for. */
static int read_text(struct reader *r, const char **text, size_t *len)
{
	const char *end = find_end(r);
	char *to = end ? arena_alloc(r->arena, (size_t)(end - r->text) - r->at + 1) : NULL;

	if (!to) {
		r->full |= end != NULL;
		return FC_EINVAL;
	}
	*text = to;
	for (;;) {
		const char *at = read_plain(r, r->text + r->at, end, &to);

		if (!at)
			return FC_EINVAL;
		r->at = (size_t)(at - r->text) + 1;
		if (at == end)
			break;
		size_t n = read_escape(r, to);
		if (!n)
			return FC_EINVAL;
		to += n;
	}
	*len = (size_t)(to - *text);
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

static struct value *make_int(struct reader *r, int64_t i)
{
	struct value *v = make(r, VALUE_INT);

	if (v)
		v->i = i;
	return v;
}

static struct value *make_float(struct reader *r, double f)
{
	struct value *v = make(r, VALUE_FLOAT);

	if (v)
		v->f = f;
	return v;
}

/* Behind the sign, so many digits. As received: what others read as a double they may have rounded as one. */
static struct value *read_int(struct reader *r, size_t at, size_t digits, int minus)
{
	int64_t i = 0;

	for (size_t k = at; k < at + digits; k++)
		i = i * 10 + (r->text[k] - '0');
	if (r->form == TREE_AS_RECEIVED && i >= whole_below)
		return make_float(r, (double)(minus ? -i : i));
	return make_int(r, minus ? -i : i);
}

/* text: with a point or an exponent, or too long for an integer. */
static struct value *read_real(struct reader *r, char *text, size_t whole, size_t behind, int exponent)
{
	double f = strtod(text, NULL);
	struct value *v;

	if (!isfinite(f))
		return NULL;
	if (r->form == TREE_AS_RECEIVED && f == floor(f) && fabs(f) < (double)whole_below)
		return make_int(r, (int64_t)f);
	/* Minus nothing has no decimal. */
	if (r->form == TREE_AS_RECEIVED || exponent || behind > DECIMALS || whole + behind > INT_DIGITS ||
	    (*text == '-' && f == 0))
		return make_float(r, f);
	memmove(strchr(text, '.'), strchr(text, '.') + 1, strlen(strchr(text, '.')));
	v = make(r, VALUE_DECIMAL);
	if (v) {
		v->i = strtoll(text, NULL, 10);
		v->decimals = (int)behind;
	}
	return v;
}

static struct value *read_number(struct reader *r)
{
	int minus = peek(r) == '-';
	size_t begin = r->at, at = begin + (size_t)minus;
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
	r->at = at;
	if (!behind && !exponent && whole <= INT_DIGITS)
		return read_int(r, begin + (size_t)minus, whole, minus);
	memcpy(text, r->text + begin, at - begin);
	text[at - begin] = '\0';
	return read_real(r, text, whole, behind, exponent);
}

/* Values --------------------------------------------------------------------------------------------------------------- */

static struct value *read_value(struct reader *r, int depth);

/* Empty, and as received, it may be meant to be the other: some write [] for an object without members. */
static struct value *empty(const struct reader *r, struct value *v)
{
	if (v && r->form == TREE_AS_RECEIVED)
		v->type = VALUE_EMPTY;
	return v;
}

/* Behind the bracket. */
static struct value *read_list(struct reader *r, int depth)
{
	struct value *list = make(r, VALUE_ARRAY);

	if (!list || take(r, ']'))
		return empty(r, list);
	do {
		struct value *item = read_value(r, depth);

		if (!item)
			return NULL;
		value_append(list, item);
	} while (take(r, ','));
	return take(r, ']') ? list : NULL;
}

static struct value *read_object(struct reader *r, int depth)
{
	struct value *object = make(r, VALUE_OBJECT);
	const char *key;
	size_t len;

	if (!object || take(r, '}'))
		return empty(r, object);
	do {
		if (!take(r, '"') || read_text(r, &key, &len) || strlen(key) != len || !take(r, ':'))
			return NULL;
		struct value *member = read_value(r, depth);
		if (!member)
			return NULL;
		member->key = key;
		value_append(object, member);
	} while (take(r, ','));
	if (!take(r, '}'))
		return NULL;
	if (value_drop_doubles(r->arena, object)) {
		r->full = 1;
		return NULL;
	}
	return object;
}

static struct value *read_string(struct reader *r)
{
	struct value *v = make(r, VALUE_STRING);

	return v && !read_text(r, &v->text, &v->len) ? v : NULL;
}

static struct value *read_bool(struct reader *r, int b)
{
	struct value *v = make(r, VALUE_BOOL);

	if (v)
		v->i = b;
	return v;
}

static struct value *read_value(struct reader *r, int depth)
{
	skip_blanks(r);
	if (r->at >= r->len)
		return NULL;
	switch (r->text[r->at]) {
	case '{':
		r->at++;
		return depth < DEPTH ? read_object(r, depth + 1) : NULL;
	case '[':
		r->at++;
		return depth < DEPTH ? read_list(r, depth + 1) : NULL;
	case '"':
		r->at++;
		return read_string(r);
	case 't':
		return take_word(r, "true") ? read_bool(r, 1) : NULL;
	case 'f':
		return take_word(r, "false") ? read_bool(r, 0) : NULL;
	case 'n':
		return take_word(r, "null") ? make(r, VALUE_NULL) : NULL;
	default:
		return read_number(r);
	}
}

int tree_read(const char *text, size_t len, enum tree_form form, struct arena *arena, struct value **out, size_t *at)
{
	struct reader r = {.text = text, .len = len, .form = form, .arena = arena, .most = TREE_VALUES_MAX};

	*out = read_value(&r, 0);
	skip_blanks(&r);
	*at = r.at;
	if (*out && r.at == len)
		return FC_OK;
	*out = NULL;
	return r.full ? FC_ELIMIT : FC_EINVAL;
}
