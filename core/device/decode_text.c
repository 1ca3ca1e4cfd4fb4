/* Registers to texts: bytes, UTF-16, hexadecimal. */
#include <string.h>

#include "device/decode_text.h"

/* Appends a code point as UTF-8; 0 when there is no room. */
static int put_utf8(char *text, size_t size, size_t *n, uint32_t code)
{
	char bytes[4];
	size_t len = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;

	for (size_t i = len; i-- > 1; code >>= 6)
		bytes[i] = (char)(0x80 | (code & 0x3F));
	bytes[0] = (char)(len == 1 ? code : (0xF00u >> len & 0xFF) | code);
	if (*n + len >= size)
		return 0;
	memcpy(text + *n, bytes, len);
	*n += len;
	return 1;
}

/* The length of the UTF-8 character at bytes[i], or 0 when it is none. */
static size_t utf8_length(const uint8_t *bytes, size_t count, size_t i)
{
	uint8_t first = bytes[i];
	size_t len = first < 0x80 ? 1 : first >= 0xC2 && first < 0xE0 ? 2 : first >= 0xE0 && first < 0xF0 ? 3 : 4;

	if (first >= 0xF5 || (first >= 0x80 && first < 0xC2) || i + len > count)
		return 0;
	for (size_t k = 1; k < len; k++)
		if ((bytes[i + k] & 0xC0) != 0x80)
			return 0;
	/* Too long a form, surrogates, beyond the last code point. */
	if ((first == 0xE0 && bytes[i + 1] < 0xA0) || (first == 0xED && bytes[i + 1] >= 0xA0) ||
	    (first == 0xF0 && bytes[i + 1] < 0x90) || (first == 0xF4 && bytes[i + 1] >= 0x90))
		return 0;
	return len;
}

/* Devices fill up with zero bytes, blanks or 0xFF; what else can't be shown ends the text. */
static void take_bytes(const struct point *point, const uint8_t *bytes, size_t count, char *text, size_t size)
{
	size_t n = 0, chars = 0;

	for (size_t i = point->skip; i < count && (!point->chars || chars < point->chars); chars++) {
		size_t len = point->encoding == TEXT_UTF8 ? utf8_length(bytes, count, i) : bytes[i] < 0x80;

		if (!len || bytes[i] < 0x20 || bytes[i] == 0x7F || n + len >= size)
			break;
		memcpy(text + n, bytes + i, len);
		n += len;
		i += len;
	}
	text[n] = '\0';
}

static void take_utf16(const struct point *point, const uint8_t *bytes, size_t count, char *text, size_t size)
{
	size_t n = 0, chars = 0;

	for (size_t i = point->skip; i + 1 < count && (!point->chars || chars < point->chars); i += 2, chars++) {
		uint32_t code = (uint32_t)(bytes[i] << 8 | bytes[i + 1]);

		if (code >= 0xD800 && code < 0xDC00 && i + 3 < count && (bytes[i + 2] & 0xFC) == 0xDC) {
			code = 0x10000 + ((code & 0x3FF) << 10) + (uint32_t)((bytes[i + 2] & 3) << 8 | bytes[i + 3]);
			i += 2;
		}
		if (code < 0x20 || (code >= 0x7F && code < 0xA0) || (code >= 0xD800 && code < 0xE000) ||
		    code == 0xFFFE || code == 0xFFFF || !put_utf8(text, size, &n, code))
			break;
	}
	text[n] = '\0';
}

void decode_text(const struct point *point, const uint16_t *words, char *text, size_t size)
{
	uint8_t bytes[2 * BUS_WORDS_MAX];
	size_t count = 0;

	for (int i = 0; i < point->words; i++) {
		uint8_t high = (uint8_t)(words[i] >> 8), low = (uint8_t)(words[i] & 0xFF);

		bytes[count++] = point->swap ? low : high;
		bytes[count++] = point->swap ? high : low;
	}
	if (point->encoding == TEXT_UTF16)
		take_utf16(point, bytes, count, text, size);
	else
		take_bytes(point, bytes, count, text, size);
	size_t n = strlen(text);
	while (n && text[n - 1] == ' ')
		text[--n] = '\0';
}

void decode_hex(const struct point *point, const uint16_t *words, char *text, size_t size)
{
	static const char digits[] = "0123456789ABCDEF";
	size_t n = 0;

	for (int i = 0; i < point->words && n + 4 < size; i++) {
		uint16_t word = words[point->low_first ? point->words - 1 - i : i];

		if (point->swap)
			word = (uint16_t)(word << 8 | word >> 8);
		for (int shift = 12; shift >= 0; shift -= 4)
			text[n++] = digits[word >> shift & 0xF];
	}
	text[n] = '\0';
}

void decode_bit_names(const struct profile *profile, int place, uint64_t raw, char *text, size_t size)
{
	size_t n = 0;

	text[0] = '\0';
	for (int i = 0; i < profile->bit_name_count; i++) {
		const struct bit_name *name = &profile->bit_names[i];

		if (name->point != place || !(raw >> name->bit & 1))
			continue;
		size_t len = strlen(name->name), comma = n ? 2 : 0;
		/* Room is kept for the sign that there was more. */
		if (n + comma + len + 4 >= size) {
			memcpy(text + n, "...", 4);
			return;
		}
		memcpy(text + n, ", ", comma);
		memcpy(text + n + comma, name->name, len + 1);
		n += comma + len;
	}
}
