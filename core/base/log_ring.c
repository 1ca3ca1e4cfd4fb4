#include "base/log_ring.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"

/* The longest text that log.c makes, so that a line that wraps around can be put together. */
enum { TEXT_MAX = 1024 };

/* In front of each text. */
struct head {
	uint64_t number;
	int64_t wall_ms;
	uint16_t len;
	uint8_t level;
};

static void copy_in(struct log_ring *r, size_t at, const void *from, size_t len)
{
	size_t place = (r->begin + at) % r->size, first = r->size - place < len ? r->size - place : len;

	memcpy(r->bytes + place, from, first);
	memcpy(r->bytes, (const char *)from + first, len - first);
}

static void copy_out(const struct log_ring *r, size_t at, void *to, size_t len)
{
	size_t place = (r->begin + at) % r->size, first = r->size - place < len ? r->size - place : len;

	memcpy(to, r->bytes + place, first);
	memcpy((char *)to + first, r->bytes, len - first);
}

static void drop_oldest(struct log_ring *r)
{
	struct head head;

	copy_out(r, 0, &head, sizeof(head));
	size_t size = sizeof(head) + head.len;
	r->begin = (r->begin + size) % r->size;
	r->used -= size;
}

static void keep(struct log_ring *r, const struct head *head, const char *text)
{
	size_t size = sizeof(*head) + head->len;

	if (!r->bytes || size > r->size)
		return;
	while (r->size - r->used < size)
		drop_oldest(r);
	copy_in(r, r->used, head, sizeof(*head));
	copy_in(r, r->used + sizeof(*head), text, head->len);
	r->used += size;
}

void log_ring_put(struct log_ring *r, enum log_level level, int64_t wall_ms, const char *text, size_t len)
{
	struct head head;

	memset(&head, 0, sizeof(head)); /* its padding goes into the block too */
	head.number = ++r->newest;
	head.wall_ms = wall_ms;
	head.len = (uint16_t)(len < TEXT_MAX ? len : (size_t)TEXT_MAX);
	head.level = (uint8_t)level;
	keep(r, &head, text);
}

void log_ring_each(const struct log_ring *r, uint64_t after, int (*fn)(void *user, const struct log_kept *line),
		   void *user)
{
	char text[TEXT_MAX];
	struct head head;

	for (size_t at = 0; at < r->used; at += sizeof(head) + head.len) {
		copy_out(r, at, &head, sizeof(head));
		if (head.number <= after)
			continue;
		copy_out(r, at + sizeof(head), text, head.len);
		const struct log_kept line = {head.number, head.wall_ms, (enum log_level)head.level, text, head.len};
		if (fn(user, &line))
			return;
	}
}

static int move_one(void *user, const struct log_kept *line)
{
	struct head head;

	memset(&head, 0, sizeof(head));
	head.number = line->number;
	head.wall_ms = line->wall_ms;
	head.len = (uint16_t)line->len;
	head.level = (uint8_t)line->level;
	keep(user, &head, line->text);
	return 0;
}

int log_ring_resize(struct log_ring *r, size_t size)
{
	struct log_ring next = {.size = size, .newest = r->newest};

	if (size == r->size)
		return FC_OK;
	next.bytes = size ? calloc(1, size) : NULL;
	if (size && !next.bytes)
		return FC_ENOMEM;
	log_ring_each(r, 0, move_one, &next);
	free(r->bytes);
	*r = next;
	return FC_OK;
}
