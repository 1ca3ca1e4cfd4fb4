/* What the targets of buses, frames and files take of an input beside fuzz.h: numbers of a width, low byte first, and copies of just their
 * size. */
#ifndef FC_FUZZ_BYTES_H
#define FC_FUZZ_BYTES_H

#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

/* 0 behind the end. */
static inline uint8_t take_u8(struct fuzz_input *in)
{
	return (uint8_t)fuzz_byte(in);
}

static inline uint16_t take_u16(struct fuzz_input *in)
{
	unsigned low = fuzz_byte(in);

	return (uint16_t)(low | fuzz_byte(in) << 8);
}

static inline uint32_t take_u32(struct fuzz_input *in)
{
	uint32_t low = take_u16(in);

	return low | (uint32_t)take_u16(in) << 16;
}

/* Just so many bytes, filled up with zeros. */
static inline void take_into(struct fuzz_input *in, void *out, size_t want)
{
	size_t got;
	const uint8_t *from = fuzz_bytes(in, want, &got);

	memset(out, 0, want);
	if (got)
		memcpy(out, from, got);
}

/* A copy of just its size, so that the sanitizer sees a read behind its end; zero: with a zero byte behind. Never NULL; free() it. */
static inline void *copy_of(const void *from, size_t len, int zero)
{
	char *copy = malloc(len + (zero || !len));

	if (!copy)
		abort();
	if (len)
		memcpy(copy, from, len);
	if (zero)
		copy[len] = '\0';
	return copy;
}

#endif
