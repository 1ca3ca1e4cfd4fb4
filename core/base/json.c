#include "base/json.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/decimal.h"
#include "base/error.h"

/* Length of the well-formed UTF-8 sequence at p (RFC 3629), or 0. */
static size_t utf8_length(const unsigned char *p, size_t left)
{
	unsigned char low = 0x80, high = 0xBF;
	size_t n;

	if (p[0] < 0x80)
		return 1;
	if (p[0] >= 0xC2 && p[0] <= 0xDF)
		n = 2;
	else if (p[0] >= 0xE0 && p[0] <= 0xEF)
		n = 3;
	else if (p[0] >= 0xF0 && p[0] <= 0xF4)
		n = 4;
	else
		return 0;
	if (p[0] == 0xE0)
		low = 0xA0; /* overlong */
	else if (p[0] == 0xED)
		high = 0x9F; /* surrogates */
	else if (p[0] == 0xF0)
		low = 0x90; /* overlong */
	else if (p[0] == 0xF4)
		high = 0x8F; /* beyond U+10FFFF */
	if (left < n || p[1] < low || p[1] > high)
		return 0;
	for (size_t i = 2; i < n; i++)
		if ((p[i] & 0xC0) != 0x80)
			return 0;
	return n;
}

static void write_escape(struct buffer *out, unsigned char c)
{
	static const char short_form[] = {['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r'};

	if (c == '"' || c == '\\')
		(void)buffer_printf(out, "\\%c", c);
	else if (c < sizeof(short_form) && short_form[c])
		(void)buffer_printf(out, "\\%c", short_form[c]);
	else
		(void)buffer_printf(out, "\\u%04x", c);
}

/* Characters beyond the first plane take two of four digits (RFC 8259, 7). */
static void write_code(struct buffer *out, const unsigned char *p, size_t n)
{
	unsigned code = n == 2 ? p[0] & 0x1FU : n == 3 ? p[0] & 0x0FU : p[0] & 0x07U;

	for (size_t i = 1; i < n; i++)
		code = code << 6 | (p[i] & 0x3FU);
	if (code < 0x10000) {
		(void)buffer_printf(out, "\\u%04x", code);
		return;
	}
	code -= 0x10000;
	(void)buffer_printf(out, "\\u%04x\\u%04x", 0xD800 + (code >> 10), 0xDC00 + (code & 0x3FF));
}

/* Characters that stand for themselves: of ASCII all but the quote, the backslash and the control characters. */
static const unsigned char is_plain[256] = {[' ' ... '!'] = 1, ['#' ... '['] = 1, [']' ... 0x7F] = 1};

/* A text that needs no escape, which nearly all are, in one piece: quoted, with a character before it and one behind it if they are not
 * zero. Nonzero: done, or out has failed. */
static int put_plain(struct buffer *out, char before, const char *text, size_t len, char behind)
{
	size_t i = 0;

	while (i < len && is_plain[(unsigned char)text[i]])
		i++;
	if (i < len)
		return 0;
	char *to = buffer_room(out, len + 2 + (before != 0) + (behind != 0));
	if (!to)
		return 1;
	if (before)
		*to++ = before;
	*to++ = '"';
	memcpy(to, text, len);
	to[len] = '"';
	if (behind)
		to[len + 1] = behind;
	return 1;
}

static void write_string(struct buffer *out, const char *text, size_t len, int ascii)
{
	const unsigned char *p = (const unsigned char *)text;
	size_t run = 0, i = 0;

	if (put_plain(out, '\0', text, len, '\0'))
		return;
	(void)buffer_add(out, "\"", 1);
	for (;;) {
		while (i < len && is_plain[p[i]])
			i++;
		if (i == len)
			break;
		size_t n = utf8_length(p + i, len - i);

		if (n > 1 && !ascii) {
			i += n;
			continue;
		}
		(void)buffer_add(out, text + run, i - run);
		if (n > 1)
			write_code(out, p + i, n);
		else if (n)
			write_escape(out, p[i]);
		else
			(void)buffer_text(out, ascii ? "\\ufffd" : "\xEF\xBF\xBD");
		i += n ? n : 1;
		run = i;
	}
	(void)buffer_add(out, text + run, len - run);
	(void)buffer_add(out, "\"", 1);
}

/* The shortest text that reads back as the same double, always with a fraction or an exponent so that a float stays
 * told from an integer. */
static void write_float(struct buffer *out, double f)
{
	char text[40];

	if (!isfinite(f)) {
		(void)buffer_text(out, "null");
		return;
	}
	for (int precision = 15; precision <= 17; precision++) {
		(void)snprintf(text, sizeof(text), "%.*g", precision, f);
		if (strtod(text, NULL) == f)
			break;
	}
	(void)buffer_text(out, text);
	if (!strpbrk(text, ".eE"))
		(void)buffer_text(out, ".0");
}

static void write_key(struct buffer *out, char before, const char *key, int ascii)
{
	size_t len = strlen(key);

	if (put_plain(out, before, key, len, ':'))
		return;
	(void)buffer_add(out, &before, 1);
	write_string(out, key, len, ascii);
	(void)buffer_add(out, ":", 1);
}

static void write_value(struct buffer *out, const struct value *v, int ascii)
{
	char text[48], before = '{';
	const char *comma = "";
	int n;

	switch (v->type) {
	case VALUE_NULL:
		(void)buffer_text(out, "null");
		return;
	case VALUE_BOOL:
		(void)buffer_text(out, v->i ? "true" : "false");
		return;
	case VALUE_FLOAT:
		write_float(out, v->f);
		return;
	case VALUE_INT:
	case VALUE_DECIMAL:
		n = decimal_format(v->i, v->type == VALUE_INT ? 0 : v->decimals, text, sizeof(text));
		if (n < 0)
			out->failed = 1;
		else
			(void)buffer_add(out, text, (size_t)n);
		return;
	case VALUE_NUMBER:
		(void)buffer_add(out, v->text, v->len);
		return;
	case VALUE_STRING:
		write_string(out, v->text, v->len, ascii);
		return;
	case VALUE_EMPTY:
		(void)buffer_text(out, "{}");
		return;
	case VALUE_ARRAY:
		(void)buffer_text(out, "[");
		value_each (item, v) {
			(void)buffer_text(out, comma);
			write_value(out, item, ascii);
			comma = ",";
		}
		(void)buffer_text(out, "]");
		return;
	case VALUE_OBJECT:
		value_each (member, v) {
			write_key(out, before, member->key, ascii);
			write_value(out, member, ascii);
			before = ',';
		}
		(void)buffer_text(out, v->first ? "}" : "{}");
		return;
	}
}

static int write_any(struct buffer *out, const struct value *v, int ascii)
{
	if (v)
		write_value(out, v, ascii);
	else
		(void)buffer_text(out, "null");
	return out->failed ? FC_ELIMIT : FC_OK;
}

int json_write(struct buffer *out, const struct value *v)
{
	return write_any(out, v, 0);
}

int json_write_ascii(struct buffer *out, const struct value *v)
{
	return write_any(out, v, 1);
}

void json_write_key(struct buffer *out, char before, const char *key)
{
	write_key(out, before, key, 0);
}

int json_text(struct buffer *out, const char *text, size_t len)
{
	const unsigned char *p = (const unsigned char *)text;
	size_t run = 0;

	for (size_t i = 0; i < len;) {
		size_t n = p[i] < 0x80 ? 1 : utf8_length(p + i, len - i);

		if (!n) {
			(void)buffer_add(out, text + run, i - run);
			(void)buffer_text(out, "\xEF\xBF\xBD");
			run = i + 1;
		}
		i += n ? n : 1;
	}
	(void)buffer_add(out, text + run, len - run);
	return out->failed ? FC_ELIMIT : FC_OK;
}
