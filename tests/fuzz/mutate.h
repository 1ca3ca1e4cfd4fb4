/* Changes of texts that are tables (Lua, UCI): a word, a number or a whole entry at a time, so that most of what comes out still reads.
 * Blind changes of bytes end at the first bracket that is not closed. */
#ifndef FC_FUZZ_MUTATE_H
#define FC_FUZZ_MUTATE_H

#include <stddef.h>
#include <stdint.h>

/* For LLVMFuzzerCustomMutator. words: what may be put in, ends with NULL. Every fourth change is one of libFuzzer's own. */
size_t mutate_table(uint8_t *data, size_t size, size_t most, unsigned seed, const char *const *words);
/* For LLVMFuzzerCustomCrossOver: an entry of the second among those of the first. The length of out, 0: it did not fit. */
size_t mutate_cross_table(const uint8_t *a, size_t a_len, const uint8_t *b, size_t b_len, uint8_t *out, size_t most,
			  unsigned seed);
/* The same of UCI: lines, sections and their words. */
size_t mutate_lines(uint8_t *data, size_t size, size_t most, unsigned seed, const char *const *words);
size_t mutate_cross_lines(const uint8_t *a, size_t a_len, const uint8_t *b, size_t b_len, uint8_t *out, size_t most,
			  unsigned seed);
/* libFuzzer's own names. */
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t most) __attribute__((weak));
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t most, unsigned int seed);
size_t LLVMFuzzerCustomCrossOver(const uint8_t *a, size_t a_len, const uint8_t *b, size_t b_len, uint8_t *out,
				 size_t most, unsigned int seed);

/* Both functions for libFuzzer of a target whose inputs are such texts: MUTATE_BY(table, words) or MUTATE_BY(lines, words). */
#define MUTATE_BY(kind, words)                                                                                         \
	size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t most, unsigned int seed)                     \
	{                                                                                                              \
		return mutate_##kind(data, size, most, seed, words);                                                   \
	}                                                                                                              \
	size_t LLVMFuzzerCustomCrossOver(const uint8_t *a, size_t a_len, const uint8_t *b, size_t b_len, uint8_t *out, \
					 size_t most, unsigned int seed)                                               \
	{                                                                                                              \
		return mutate_cross_##kind(a, a_len, b, b_len, out, most, seed);                                       \
	}

#endif
