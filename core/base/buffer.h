/* Buffer: bytes that grow up to a limit. A failed append makes the buffer failed for good, so that a writer checks
 * once at the end. Owner: buffer_init and buffer_fini. */
#ifndef FC_BASE_BUFFER_H
#define FC_BASE_BUFFER_H

#include <stddef.h>

struct buffer {
	char *data; /* always followed by a zero byte once something was appended; NULL before */
	size_t len, size, limit;
	int failed; /* the limit or the memory was reached */
};

void buffer_init(struct buffer *b, size_t limit);
void buffer_fini(struct buffer *b);
void buffer_clear(struct buffer *b);
/* FC_OK or FC_ELIMIT. */
int buffer_add(struct buffer *b, const void *data, size_t len);
/* The same for bytes that the caller writes there at once: len of them; NULL in place of FC_ELIMIT. */
char *buffer_room(struct buffer *b, size_t len);
int buffer_text(struct buffer *b, const char *text);
int buffer_printf(struct buffer *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
