/* Bytes: as text, in hexadecimal and in base64 (RFC 4648). For this room only. */
#ifndef FC_CONTROL_BYTES_H
#define FC_CONTROL_BYTES_H

#include <stddef.h>

#include "base/value.h"

/* out: 2 * len + 1. */
void bytes_to_hex(const unsigned char *bytes, size_t len, char *out);
/* Exactly len bytes of lower-case hexadecimal: 0, else -1. */
int bytes_from_hex(const char *text, unsigned char *out, size_t len);
/* A text to be free()d; NULL: no memory. */
char *bytes_to_base64(const unsigned char *bytes, size_t len);
/* The same as a text in arena; NULL: it is full. */
struct value *bytes_base64_value(struct arena *arena, const void *bytes, size_t len);
/* Bytes to be free()d, with a zero byte behind; NULL: no memory, or no base64. */
unsigned char *bytes_from_base64(const char *text, size_t text_len, size_t *len);
/* Zeroes, also what nobody reads any more: keys and passwords. */
void bytes_wipe(void *data, size_t len);

#endif
