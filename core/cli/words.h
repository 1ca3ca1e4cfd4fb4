/* Words: registers as the values that a manual means by them, and back. */
#ifndef FC_CLI_WORDS_H
#define FC_CLI_WORDS_H

#include <stddef.h>
#include <stdint.h>

enum words_type { WORDS_U16, WORDS_S16, WORDS_U32, WORDS_S32, WORDS_U64, WORDS_S64, WORDS_F32, WORDS_F64, WORDS_TEXT };
enum { WORDS_VALUE = 300 };

/* "u16" ... "f64", "text". 0, or -1. */
int words_type_of(const char *name, enum words_type *type);
/* Registers of a value; 1 of a text. */
int words_count(enum words_type type);
/* "hi-lo": the first register holds the high word; "lo-hi". 0, or -1. */
int words_order_of(const char *name, int *low_first);
/* The value in words_count() registers, or the text in count. */
void words_show(const uint16_t *words, int count, enum words_type type, int low_first, char out[WORDS_VALUE]);
/* A number (decimal, 0x.., with a point for floats) as registers. How many; -1: it is none, or does not fit. */
int words_make(const char *text, enum words_type type, int low_first, uint16_t out[4]);

#endif
