#include "upstream/long_number.h"

#include <string.h>

#include "base/error.h"

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
		if (*at < '0' || *at > '9') {
			in_text = *at++ == '"';
			continue;
		}
		/* A sign, a fraction or an exponent: the number is no serial. */
		int whole = at[-1] != '-';
		for (*digits = 0; at + *digits < end && at[*digits] >= '0' && at[*digits] <= '9'; ++*digits)
			;
		const char *after = at + *digits;
		while (after < end && ((*after >= '0' && *after <= '9') || (*after && strchr(".eE+-", *after)))) {
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
	enum { EXACT_DIGITS = 15 };
	const char *end = *json + *len, *at, *from = *json;
	size_t digits, more = 0;

	/* What begins with a digit is no message. */
	if (!*len)
		return FC_OK;
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
