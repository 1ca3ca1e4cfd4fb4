#include "config/convert.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/decimal.h"

static void describe_words(const struct schema_word *words, char out[CONVERT_TEXT])
{
	size_t n = 0;

	out[0] = '\0';
	for (const struct schema_word *w = words; w->word && n < CONVERT_TEXT - 24; w++) {
		const char *join = w == words ? "" : w[1].word ? ", " : " or ";
		int m = snprintf(out + n, CONVERT_TEXT - n, "%s%s", join, w->word);

		n += m > 0 ? (size_t)m : 0;
	}
}

static void describe_length(const struct schema_option *o, const char *of, char out[CONVERT_TEXT])
{
	if (o->min == o->max)
		(void)snprintf(out, CONVERT_TEXT, "exactly %d %s", o->min, of);
	else
		(void)snprintf(out, CONVERT_TEXT, "%d to %d %s", o->min, o->max, of);
}

void convert_describe(const struct schema_option *o, char out[CONVERT_TEXT])
{
	switch (o->kind) {
	case SCHEMA_TEXT:
	case SCHEMA_TEXTS:
		describe_length(o, "characters", out);
		return;
	case SCHEMA_ID:
		describe_length(o, "letters, digits, _ . : and -", out);
		return;
	case SCHEMA_DIGITS:
		describe_length(o, "digits", out);
		return;
	case SCHEMA_OPERATOR:
		(void)snprintf(out, CONVERT_TEXT, "9 digits or capital letters (or the whole 18 of a credit code)");
		return;
	case SCHEMA_SECRET:
		describe_length(o, "printable characters without blanks", out);
		return;
	case SCHEMA_URL:
		(void)snprintf(out, CONVERT_TEXT, "https://host[:port][/prefix] or http://...");
		return;
	case SCHEMA_PREFIX:
		(void)snprintf(out, CONVERT_TEXT, "a path such as /evcs/v20160701, no / at its end");
		return;
	case SCHEMA_DATE:
		(void)snprintf(out, CONVERT_TEXT, "a date such as 2026-01-31");
		return;
	case SCHEMA_INT:
		(void)snprintf(out, CONVERT_TEXT, "%d to %d", o->min, o->max);
		return;
	case SCHEMA_BOOL:
		(void)snprintf(out, CONVERT_TEXT, "0 or 1 (also off, on, no, yes, false, true)");
		return;
	case SCHEMA_WORD:
		describe_words(o->words, out);
		return;
	case SCHEMA_DEGREES:
		(void)snprintf(out, CONVERT_TEXT, "degrees from %d to %d with a decimal point", o->min, o->max);
		return;
	case SCHEMA_REFERENCE:
	case SCHEMA_REFERENCES:
		(void)snprintf(out, CONVERT_TEXT, "the name of a section of type %s", o->ref);
		return;
	}
}

/* Characters of UTF-8: bytes that continue none. */
static int length_of(const char *text)
{
	int n = 0;

	for (; *text; text++)
		n += ((unsigned char)*text & 0xC0) != 0x80;
	return n;
}

static int has_control(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < 0x20 || *text == 0x7F)
			return 1;
	return 0;
}

static const char id_letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.:-";
static const char operator_letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
static const char path_letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.~-/";

static int only(const char *text, const char *letters)
{
	return strspn(text, letters) == strlen(text);
}

static int in_length(const struct schema_option *o, const char *text)
{
	int n = length_of(text);

	return n >= o->min && n <= o->max;
}

static int is_prefix(const char *text)
{
	size_t n = strlen(text);

	return n > 1 && text[0] == '/' && text[n - 1] != '/' && only(text, path_letters) && !strstr(text, "//") &&
	       !strstr(text, "/.");
}

static int is_url(const char *text)
{
	const char *host = !strncmp(text, "https://", 8) ? text + 8 : !strncmp(text, "http://", 7) ? text + 7 : "";
	size_t n = strcspn(host, ":/");
	char port[8];

	if (!n || strspn(host, id_letters) < n)
		return 0;
	host += n;
	if (*host == ':') {
		int64_t number;

		n = strcspn(++host, "/");
		if (!n || n >= sizeof(port))
			return 0;
		memcpy(port, host, n);
		port[n] = '\0';
		if (!only(port, "0123456789") || decimal_parse(port, 0, &number) || number < 1 || number > 65535)
			return 0;
		host += n;
	}
	return !*host || is_prefix(host);
}

static int text_allowed(const struct schema_option *o, const char *text)
{
	int32_t day;

	switch (o->kind) {
	case SCHEMA_TEXT:
	case SCHEMA_TEXTS:
		return in_length(o, text) && !has_control(text);
	case SCHEMA_ID:
		return in_length(o, text) && only(text, id_letters);
	case SCHEMA_DIGITS:
		return in_length(o, text) && only(text, "0123456789");
	case SCHEMA_OPERATOR:
		return (strlen(text) == 9 || strlen(text) == 18) && only(text, operator_letters);
	case SCHEMA_SECRET:
		/* Bytes, not characters: a key of 16 is 16 bytes. */
		for (const char *c = text; *c; c++)
			if (*c <= 0x20 || *c > 0x7E)
				return 0;
		return in_length(o, text);
	case SCHEMA_URL:
		return in_length(o, text) && is_url(text);
	case SCHEMA_PREFIX:
		return in_length(o, text) && is_prefix(text);
	case SCHEMA_DATE:
		return strlen(text) == 10 && !clock_parse_date(text, &day);
	case SCHEMA_INT:
	case SCHEMA_BOOL:
	case SCHEMA_WORD:
	case SCHEMA_DEGREES:
	case SCHEMA_REFERENCE:
	case SCHEMA_REFERENCES:
		break;
	}
	return 0;
}

static int read_int(const struct schema_option *o, const char *text, int *out)
{
	int64_t value;

	/* Plain decimal digits: no 0x, no 1e3, no +5, no blank. */
	if (!*text || strspn(text + (*text == '-'), "0123456789") != strlen(text) - (*text == '-') ||
	    decimal_parse(text, 0, &value) || value < o->min || value > o->max)
		return FC_EINVAL;
	*out = (int)value;
	return FC_OK;
}

static int read_bool(const char *text, int *out)
{
	static const char *const words[][2] = {{"0", "1"}, {"off", "on"}, {"no", "yes"}, {"false", "true"}};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		for (int b = 0; b < 2; b++)
			if (!strcmp(text, words[i][b])) {
				*out = b;
				return FC_OK;
			}
	return FC_EINVAL;
}

static int read_word(const struct schema_option *o, const char *text, int *out)
{
	for (const struct schema_word *w = o->words; w->word; w++)
		if (!strcmp(w->word, text)) {
			*out = w->value;
			return FC_OK;
		}
	return FC_EINVAL;
}

static int read_degrees(const struct schema_option *o, const char *text, int32_t *out)
{
	int64_t e6;

	if (decimal_parse(text, 6, &e6) || e6 < (int64_t)o->min * 1000000 || e6 > (int64_t)o->max * 1000000)
		return FC_EINVAL;
	*out = (int32_t)e6;
	return FC_OK;
}

static int read_text(const struct schema_option *o, const char *text, const char **out, struct arena *arena)
{
	if (!text_allowed(o, text))
		return FC_EINVAL;
	*out = arena_copy(arena, text, strlen(text));
	return *out ? FC_OK : FC_ENOMEM;
}

static int read_any(const struct schema_option *o, const char *text, void *field, struct arena *arena)
{
	switch (o->kind) {
	case SCHEMA_INT:
		return read_int(o, text, field);
	case SCHEMA_BOOL:
		return read_bool(text, field);
	case SCHEMA_WORD:
		return read_word(o, text, field);
	case SCHEMA_DEGREES:
		return read_degrees(o, text, field);
	case SCHEMA_TEXT:
	case SCHEMA_ID:
	case SCHEMA_DIGITS:
	case SCHEMA_OPERATOR:
	case SCHEMA_SECRET:
	case SCHEMA_URL:
	case SCHEMA_PREFIX:
	case SCHEMA_DATE:
	case SCHEMA_TEXTS:
		return read_text(o, text, field, arena);
	case SCHEMA_REFERENCE:
	case SCHEMA_REFERENCES:
		break;
	}
	return FC_EINVAL;
}

int convert_option(const struct schema_option *option, const char *text, void *object, struct arena *arena,
		   char what[CONVERT_TEXT])
{
	char allowed[CONVERT_TEXT];
	int result = read_any(option, text, (char *)object + option->offset, arena);

	if (result != FC_EINVAL)
		return result;
	convert_describe(option, allowed);
	if (option->kind == SCHEMA_SECRET)
		(void)snprintf(what, CONVERT_TEXT, "this secret is not allowed: %.180s", allowed);
	else
		(void)snprintf(what, CONVERT_TEXT, "\"%.60s\" is not allowed: %.160s", text, allowed);
	return FC_EINVAL;
}
