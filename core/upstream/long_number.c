#include "upstream/long_number.h"

#include <string.h>

#include "base/error.h"

enum { EXACT_DIGITS = 15 };

static int is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* A look at one byte in sixteen: nearly every message has no such number, and pays next to nothing. */
static int may_have_one(const char *json, size_t len)
{
	for (size_t i = EXACT_DIGITS; i < len; i += EXACT_DIGITS + 1) {
		size_t first = i;

		if (!is_digit(json[i]))
			continue;
		while (first && is_digit(json[first - 1]))
			first--;
		while (i + 1 < len && is_digit(json[i + 1]))
			i++;
		/* Serials in quotes are in every message. */
		if (first && i - first >= EXACT_DIGITS && strchr(":,[ \t\r\n", json[first - 1]))
			return 1;
	}
	return 0;
}

/* Where a whole number outside of texts begins and how many digits it has; NULL: there is none any more. */
static const char *next_integer(const char *at, const char *end, size_t *digits)
{
	int in_text = 0;

	while (at < end) {
		if (in_text) {
			in_text = *at != '"';
			at += *at == '\\' ? 2 : 1;
			continue;
		}
		if (!is_digit(*at)) {
			in_text = *at++ == '"';
			continue;
		}
		/* A sign, a fraction or an exponent: the number is no serial. */
		int whole = at[-1] != '-';
		for (*digits = 0; at + *digits < end && is_digit(at[*digits]); ++*digits)
			;
		const char *after = at + *digits;
		while (after < end && (is_digit(*after) || (*after && strchr(".eE+-", *after)))) {
			whole = 0;
			after++;
		}
		if (whole)
			return at;
		at = after;
	}
	return NULL;
}

int long_number_quote(const char **json, size_t *len, struct arena *arena)
{
	const char *end = *json + *len, *at, *from = *json;
	size_t digits, more = 0;

	if (!may_have_one(*json, *len))
		return FC_OK;
	/* What begins with a digit is no message. */
	for (at = *json + 1; (at = next_integer(at, end, &digits)); at += digits)
		more += digits > EXACT_DIGITS ? 2 : 0;
	if (!more)
		return FC_OK;
	char *copy = arena_alloc(arena, *len + more + 1), *to = copy;
	if (!copy)
		return FC_ELIMIT;
	for (at = *json + 1; (at = next_integer(at, end, &digits)); at += digits) {
		if (digits <= EXACT_DIGITS)
			continue;
		memcpy(to, from, (size_t)(at - from));
		to += at - from;
		*to++ = '"';
		memcpy(to, at, digits);
		to += digits;
		*to++ = '"';
		from = at + digits;
	}
	memcpy(to, from, (size_t)(end - from));
	to[end - from] = '\0';
	*json = copy;
	*len += more;
	return FC_OK;
}
