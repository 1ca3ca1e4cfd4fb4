#include "base/buffer.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

void buffer_init(struct buffer *b, size_t limit)
{
	*b = (struct buffer){.limit = limit};
}

void buffer_fini(struct buffer *b)
{
	free(b->data);
	*b = (struct buffer){.limit = b->limit};
}

void buffer_clear(struct buffer *b)
{
	b->len = 0;
	b->failed = 0;
	if (b->data)
		b->data[0] = '\0';
}

/* Room for len more bytes and the zero byte. */
static int reserve(struct buffer *b, size_t len)
{
	if (b->failed || len > b->limit || b->len > b->limit - len) {
		b->failed = 1;
		return FC_ELIMIT;
	}
	if (b->len + len < b->size)
		return FC_OK;
	size_t size = b->size ? b->size : 256;
	while (size <= b->len + len)
		size *= 2;
	char *data = realloc(b->data, size);
	if (!data) {
		b->failed = 1;
		return FC_ELIMIT;
	}
	b->data = data;
	b->size = size;
	return FC_OK;
}

char *buffer_room(struct buffer *b, size_t len)
{
	/* Nearly always there is room. */
	int fits = !b->failed && len < b->size - b->len && b->len + len <= b->limit;

	if (!fits && reserve(b, len))
		return NULL;
	char *at = b->data + b->len;
	b->len += len;
	b->data[b->len] = '\0';
	return at;
}

int buffer_add(struct buffer *b, const void *data, size_t len)
{
	char *at = buffer_room(b, len);

	if (!at)
		return FC_ELIMIT;
	if (len)
		memcpy(at, data, len);
	return FC_OK;
}

int buffer_text(struct buffer *b, const char *text)
{
	return buffer_add(b, text, strlen(text));
}

int buffer_printf(struct buffer *b, const char *fmt, ...)
{
	va_list args, again;
	int result = FC_ELIMIT;
	size_t room = b->failed ? 0 : b->size - b->len;

	va_start(args, fmt);
	va_copy(again, args);
	int n = vsnprintf(room ? b->data + b->len : NULL, room, fmt, args);
	if (n >= 0 && reserve(b, (size_t)n) == FC_OK) {
		/* It was whole at once if it had room. */
		if ((size_t)n >= room)
			(void)vsnprintf(b->data + b->len, (size_t)n + 1, fmt, again);
		b->len += (size_t)n;
		result = FC_OK;
	} else {
		if (room)
			b->data[b->len] = '\0';
		b->failed = 1;
	}
	va_end(again);
	va_end(args);
	return result;
}
