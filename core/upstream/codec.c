#include "upstream/codec.h"

#include <string.h>

#include "base/json.h"
#include "upstream/envelope.h"

int codec_encode(const struct codec *codec, const struct message *message, enum message_part part, struct value *value,
		 struct arena *arena, struct buffer *out, struct error *err)
{
	struct value *mapped;

	if (!value)
		return error_set(err, FC_ENOMEM, "upstream: %s: no memory for the %s", message->method,
				 message_part_name(part));
	/* A failure is logged there; the standard's form is what goes out then. */
	(void)mapping_apply(codec->mapping, message, part, MAPPING_OUT, value, &codec->context, arena, &mapped, NULL);
	message_shape(message_schema(message, part), mapped);
	if (codec->ascii ? json_write_ascii(out, mapped) : json_write(out, mapped))
		return error_set(err, FC_ELIMIT, "upstream: %s: the %s is too large", message->method,
				 message_part_name(part));
	return FC_OK;
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

/* Serials may come as numbers of 20 digits (protocol.md section 3, 28), of which the reader would keep 15: they become texts
 * before it sees them. *json and *len are changed only when there is one. */
static int quote_long_integers(const char **json, size_t *len, struct arena *arena)
{
	enum { EXACT_DIGITS = 15 };
	const char *end = *json + *len, *at, *from = *json;
	size_t digits, more = 0;

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

int codec_decode(const struct codec *codec, const struct message *message, enum message_part part, const char *json,
		 size_t len, struct arena *arena, struct value **out, struct error *err)
{
	struct value *raw = NULL;
	struct value *mapped;

	int result = len ? quote_long_integers(&json, &len, arena) : FC_OK;
	if (!result)
		result = json_read(codec->reader, json, len, arena, &raw, NULL);
	if (result == FC_ELIMIT || result == FC_ENOMEM)
		return error_set(err, FC_ELIMIT, "upstream: %s: the %s is too large", message->method,
				 message_part_name(part));
	/* The same words as for wrong padding: envelope.h says why. */
	if (result || !value_is_object(raw))
		return error_set(err, FC_EINVAL, "%s", ENVELOPE_UNREADABLE);
	(void)mapping_apply(codec->mapping, message, part, MAPPING_IN, raw, &codec->context, arena, &mapped, NULL);
	result = message_check(message_schema(message, part), mapped, part == MESSAGE_REQUEST, arena, err);
	if (!result)
		*out = mapped;
	return result;
}
