#include "cli/words.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *name;
	int words, is_signed;
} types[] = {[WORDS_U16] = {"u16", 1, 0}, [WORDS_S16] = {"s16", 1, 1}, [WORDS_U32] = {"u32", 2, 0},
	     [WORDS_S32] = {"s32", 2, 1}, [WORDS_U64] = {"u64", 4, 0}, [WORDS_S64] = {"s64", 4, 1},
	     [WORDS_F32] = {"f32", 2, 1}, [WORDS_F64] = {"f64", 4, 1}, [WORDS_TEXT] = {"text", 1, 0}};

int words_type_of(const char *name, enum words_type *type)
{
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (!strcmp(name, types[i].name)) {
			*type = (enum words_type)i;
			return 0;
		}
	return -1;
}

int words_count(enum words_type type)
{
	return types[type].words;
}

int words_order_of(const char *name, int *low_first)
{
	*low_first = !strcmp(name, "lo-hi");
	return *low_first || !strcmp(name, "hi-lo") ? 0 : -1;
}

/* Two characters a register, the high byte first; a zero ends it, as filling does. */
static void show_text(const uint16_t *words, int count, char out[WORDS_VALUE])
{
	size_t n = 0;

	for (int i = 0; i < 2 * count && n + 1 < WORDS_VALUE; i++) {
		char c = (char)(i % 2 ? words[i / 2] : words[i / 2] >> 8);

		if (!c)
			break;
		out[n++] = c;
	}
	out[n] = '\0';
}

static uint64_t join(const uint16_t *words, int count, int low_first)
{
	uint64_t bits = 0;

	for (int i = 0; i < count; i++)
		bits = bits << 16 | words[low_first ? count - 1 - i : i];
	return bits;
}

void words_show(const uint16_t *words, int count, enum words_type type, int low_first, char out[WORDS_VALUE])
{
	uint64_t bits = type == WORDS_TEXT ? 0 : join(words, words_count(type), low_first);
	uint32_t low = (uint32_t)bits;
	float f;
	double d;

	switch (type) {
	case WORDS_U16:
	case WORDS_U32:
	case WORDS_U64:
		(void)snprintf(out, WORDS_VALUE, "%" PRIu64, bits);
		return;
	case WORDS_S16:
		(void)snprintf(out, WORDS_VALUE, "%d", (int16_t)bits);
		return;
	case WORDS_S32:
		(void)snprintf(out, WORDS_VALUE, "%" PRId32, (int32_t)bits);
		return;
	case WORDS_S64:
		(void)snprintf(out, WORDS_VALUE, "%" PRId64, (int64_t)bits);
		return;
	case WORDS_F32:
		memcpy(&f, &low, sizeof(f));
		(void)snprintf(out, WORDS_VALUE, "%.9g", (double)f);
		return;
	case WORDS_F64:
		memcpy(&d, &bits, sizeof(d));
		(void)snprintf(out, WORDS_VALUE, "%.17g", d);
		return;
	case WORDS_TEXT:
		show_text(words, count, out);
		return;
	}
}

/* 0, or -1: no whole number, or none of so many bits. */
static int read_whole(const char *text, int width, int is_signed, uint64_t *bits)
{
	char *end;

	errno = 0;
	if (*text == '-') {
		long long i = strtoll(text, &end, 0);

		*bits = (uint64_t)i;
		return errno || *end || end == text + 1 || !is_signed || (width < 64 && i < -(1LL << (width - 1))) ? -1
														   : 0;
	}
	unsigned long long u = strtoull(text, &end, 0);
	int hex = !strncmp(text, "0x", 2);
	/* Hexadecimal says what the bits are. */
	int most = is_signed && !hex ? width - 1 : width;
	*bits = u;
	return errno || *end || end == text || (most < 64 && u >> most) ? -1 : 0;
}

int words_make(const char *text, enum words_type type, int low_first, uint16_t out[4])
{
	int count = words_count(type);
	uint64_t bits = 0;
	uint32_t low;
	char *end;

	if (type == WORDS_TEXT || !*text || !strchr("-+.0123456789", *text))
		return -1;
	if (type == WORDS_F32 || type == WORDS_F64) {
		double d = strtod(text, &end);
		float f = (float)d;

		if (*end || end == text || !isfinite(d) || (type == WORDS_F32 && !isfinite(f)))
			return -1;
		memcpy(&low, &f, sizeof(low));
		memcpy(&bits, &d, sizeof(bits));
		bits = type == WORDS_F32 ? low : bits;
	} else if (read_whole(text, 16 * count, types[type].is_signed, &bits)) {
		return -1;
	}
	for (int i = 0; i < count; i++)
		out[low_first ? i : count - 1 - i] = (uint16_t)(bits >> 16 * i);
	return count;
}
