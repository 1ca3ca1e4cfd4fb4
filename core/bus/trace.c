#include "bus/trace.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/error.h"

/* What stands before a frame's bytes in the ring. */
struct head {
	int64_t mono_us, wall_us;
	uint32_t line, can_id;
	uint16_t len;
	uint8_t kind, flags;
};

enum { RECORD_MIN = sizeof(struct head) + 8 };

struct bus_trace {
	pthread_mutex_t lock; /* of all but on */
	atomic_int on;        /* to pass by without the lock */
	size_t kb;
	uint8_t *ring;
	uint32_t size, used, end; /* of the ring; taken of it; where the next frame goes */
	uint32_t *places;         /* frame n begins at places[n % place_count] */
	uint32_t place_count;
	uint64_t oldest, next; /* numbers kept: oldest <= n < next */
};
_Static_assert((uint64_t)TRACE_KB_MAX * 1024 < UINT32_MAX / 2, "offsets in the ring are of 32 bits");

const char *trace_kind_name(enum trace_kind kind)
{
	switch (kind) {
	case TRACE_TCP:
		return "tcp";
	case TRACE_RTU:
		return "rtu";
	case TRACE_ASCII:
		return "ascii";
	case TRACE_DLT645:
		return "dlt645";
	case TRACE_CAN:
		return "can";
	}
	return "unknown";
}

/* What of the ring takes a frame of len bytes. */
static uint32_t room(size_t len)
{
	return (uint32_t)(sizeof(struct head) + len);
}

static int make_ring(size_t kb, uint8_t **ring, uint32_t *size, uint32_t **places, uint32_t *count)
{
	*ring = NULL;
	*places = NULL;
	/* The places are part of what was asked for: one for each of the smallest frames that fit. */
	*count = (uint32_t)(kb * 1024 / (RECORD_MIN + sizeof(**places)));
	*size = (uint32_t)(kb * 1024 - *count * sizeof(**places));
	if (!kb)
		return FC_OK;
	*ring = malloc(*size);
	*places = calloc(*count, sizeof(**places));
	if (*ring && *places)
		return FC_OK;
	free(*ring);
	free(*places);
	return FC_ENOMEM;
}

struct bus_trace *trace_new(size_t kb)
{
	struct bus_trace *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->oldest = t->next = 1;
	if (pthread_mutex_init(&t->lock, NULL)) {
		free(t);
		return NULL;
	}
	if (trace_resize(t, kb)) {
		trace_free(t);
		return NULL;
	}
	return t;
}

void trace_free(struct bus_trace *t)
{
	if (!t)
		return;
	(void)pthread_mutex_destroy(&t->lock);
	free(t->ring);
	free(t->places);
	free(t);
}

int trace_resize(struct bus_trace *t, size_t kb)
{
	uint8_t *ring;
	uint32_t size, count, *places;

	kb = kb < TRACE_KB_MAX ? kb : TRACE_KB_MAX;
	if (kb == trace_size_kb(t))
		return FC_OK;
	if (make_ring(kb, &ring, &size, &places, &count))
		return FC_ENOMEM;
	pthread_mutex_lock(&t->lock);
	uint8_t *old_ring = t->ring;
	uint32_t *old_places = t->places;
	t->kb = kb;
	t->ring = ring;
	t->size = size;
	t->places = places;
	t->place_count = count;
	t->used = t->end = 0;
	t->oldest = t->next;
	atomic_store(&t->on, kb > 0);
	pthread_mutex_unlock(&t->lock);
	free(old_ring);
	free(old_places);
	return FC_OK;
}

size_t trace_size_kb(const struct bus_trace *trace)
{
	/* The lock is the only thing that a look changes. */
	struct bus_trace *t = (struct bus_trace *)(size_t)trace;

	pthread_mutex_lock(&t->lock);
	size_t kb = t->kb;
	pthread_mutex_unlock(&t->lock);
	return kb;
}

/* Bytes into the ring from offset at on, round its end. */
static void put(struct bus_trace *t, uint32_t at, const void *from, size_t len)
{
	size_t begin = at % t->size, first = len < t->size - begin ? len : t->size - begin;

	memcpy(t->ring + begin, from, first);
	memcpy(t->ring, (const uint8_t *)from + first, len - first);
}

static void get(const struct bus_trace *t, uint32_t at, void *to, size_t len)
{
	size_t begin = at % t->size, first = len < t->size - begin ? len : t->size - begin;

	memcpy(to, t->ring + begin, first);
	memcpy((uint8_t *)to + first, t->ring, len - first);
}

static void forget_oldest(struct bus_trace *t)
{
	struct head head;

	get(t, t->places[t->oldest % t->place_count], &head, sizeof(head));
	t->used -= room(head.len);
	t->oldest++;
}

/* Under the lock. */
static void append(struct bus_trace *t, const struct head *head, const uint8_t *bytes)
{
	uint32_t need = room(head->len);

	while (t->oldest < t->next && (t->size - t->used < need || t->next - t->oldest >= t->place_count))
		forget_oldest(t);
	t->places[t->next % t->place_count] = t->end;
	put(t, t->end, head, sizeof(*head));
	if (head->len)
		put(t, t->end + (uint32_t)sizeof(*head), bytes, head->len);
	t->end = (t->end + need) % t->size;
	t->used += need;
	t->next++;
}

static int64_t wall_us(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

void trace_put_at(struct bus_trace *t, uint32_t line, enum trace_kind kind, int flags, uint32_t can_id,
		  const uint8_t *bytes, size_t len, int64_t mono_us, int64_t wall)
{
	struct head head = {.mono_us = mono_us,
			    .wall_us = wall,
			    .line = line,
			    .can_id = can_id,
			    .len = (uint16_t)(len < TRACE_BYTES_MAX ? len : TRACE_BYTES_MAX),
			    .kind = (uint8_t)kind,
			    .flags = (uint8_t)(flags | (len > TRACE_BYTES_MAX ? TRACE_CUT : 0))};

	if (!t || !atomic_load_explicit(&t->on, memory_order_relaxed))
		return;
	pthread_mutex_lock(&t->lock);
	if (t->size)
		append(t, &head, bytes);
	pthread_mutex_unlock(&t->lock);
}

void trace_put(struct bus_trace *t, uint32_t line, enum trace_kind kind, int flags, uint32_t can_id,
	       const uint8_t *bytes, size_t len)
{
	if (t && atomic_load_explicit(&t->on, memory_order_relaxed))
		trace_put_at(t, line, kind, flags, can_id, bytes, len, clock_mono_us(), wall_us());
}

int trace_next(struct bus_trace *t, uint64_t after, struct trace_entry *entry, uint64_t *lost)
{
	struct head head;

	pthread_mutex_lock(&t->lock);
	if (after >= t->next)
		after = 0;
	uint64_t wanted = after + 1, number = wanted > t->oldest ? wanted : t->oldest;
	int found = number < t->next;
	if (found) {
		uint32_t at = t->places[number % t->place_count];

		get(t, at, &head, sizeof(head));
		get(t, at + (uint32_t)sizeof(head), entry->bytes, head.len);
	}
	pthread_mutex_unlock(&t->lock);
	if (!found)
		return FC_ENOENT;
	if (lost)
		*lost = after ? number - wanted : 0;
	entry->number = number;
	entry->mono_us = head.mono_us;
	entry->wall_us = head.wall_us;
	entry->line = head.line;
	entry->can_id = head.can_id;
	entry->len = head.len;
	entry->kind = head.kind;
	entry->flags = head.flags;
	return FC_OK;
}

uint64_t trace_newest(struct bus_trace *t)
{
	pthread_mutex_lock(&t->lock);
	uint64_t newest = t->next - 1;
	pthread_mutex_unlock(&t->lock);
	return newest;
}

static int digit(uint8_t c)
{
	int letter = c | 0x20;

	return c >= '0' && c <= '9' ? c - '0' : letter >= 'a' && letter <= 'f' ? letter - 'a' + 10 : -1;
}

int trace_unit(const struct trace_entry *e)
{
	switch ((enum trace_kind)e->kind) {
	case TRACE_TCP:
		return e->len > 6 ? e->bytes[6] : -1;
	case TRACE_RTU:
		return e->len ? e->bytes[0] : -1;
	case TRACE_ASCII:
		return e->len >= 3 && digit(e->bytes[1]) >= 0 && digit(e->bytes[2]) >= 0
			   ? digit(e->bytes[1]) * 16 + digit(e->bytes[2])
			   : -1;
	case TRACE_DLT645:
	case TRACE_CAN:
		return -1;
	}
	return -1;
}
