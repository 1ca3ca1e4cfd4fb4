#include "control/bytes.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static const char digits[] = "0123456789abcdef";
static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void bytes_to_hex(const unsigned char *bytes, size_t len, char *out)
{
	for (size_t i = 0; i < len; i++) {
		out[2 * i] = digits[bytes[i] >> 4];
		out[2 * i + 1] = digits[bytes[i] & 15];
	}
	out[2 * len] = '\0';
}

int bytes_from_hex(const char *text, unsigned char *out, size_t len)
{
	if (!text || strlen(text) != 2 * len || strspn(text, digits) != 2 * len)
		return -1;
	for (size_t i = 0; i < len; i++)
		out[i] = (unsigned char)((strchr(digits, text[2 * i]) - digits) << 4 |
					 (strchr(digits, text[2 * i + 1]) - digits));
	return 0;
}

static size_t base64_size(size_t len)
{
	return (len + 2) / 3 * 4 + 1;
}

/* out: base64_size(len). */
static void to_base64(const unsigned char *bytes, size_t len, char *out)
{
	for (size_t i = 0; i < len; i += 3) {
		uint32_t three = (uint32_t)bytes[i] << 16;

		three |= i + 1 < len ? (uint32_t)bytes[i + 1] << 8 : 0;
		three |= i + 2 < len ? bytes[i + 2] : 0;
		*out++ = letters[three >> 18];
		*out++ = letters[three >> 12 & 63];
		*out++ = i + 1 < len ? letters[three >> 6 & 63] : '=';
		*out++ = i + 2 < len ? letters[three & 63] : '=';
	}
	*out = '\0';
}

char *bytes_to_base64(const unsigned char *bytes, size_t len)
{
	char *text = malloc(base64_size(len));

	if (text)
		to_base64(bytes, len, text);
	return text;
}

struct value *bytes_base64_value(struct arena *arena, const void *bytes, size_t len)
{
	char *text = arena_alloc(arena, base64_size(len));
	struct value *v = value_string_len(arena, "", 0);

	if (!text || !v)
		return NULL;
	to_base64(bytes, len, text);
	v->text = text;
	v->len = base64_size(len) - 1;
	return v;
}

unsigned char *bytes_from_base64(const char *text, size_t n, size_t *len)
{
	size_t pad = n && text[n - 1] == '=' ? n > 1 && text[n - 2] == '=' ? 2 : 1 : 0;
	unsigned char *out = n % 4 ? NULL : malloc(n / 4 * 3 + 1), *to = out;

	for (size_t i = 0; out && i < n; i += 4) {
		uint32_t three = 0;

		for (size_t k = 0; k < 4; k++) {
			const char *at = text[i + k] ? strchr(letters, text[i + k]) : NULL;

			if (!at && !(i + k >= n - pad)) {
				free(out);
				return NULL;
			}
			three = three << 6 | (at ? (uint32_t)(at - letters) : 0);
		}
		*to++ = (unsigned char)(three >> 16);
		*to++ = (unsigned char)(three >> 8);
		*to++ = (unsigned char)three;
	}
	if (!out)
		return NULL;
	*len = n / 4 * 3 - pad;
	out[*len] = '\0';
	return out;
}

void bytes_wipe(void *data, size_t len)
{
	explicit_bzero(data, len);
}
