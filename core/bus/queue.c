#include "bus/queue.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"

int queue_init(struct queue *q, size_t size, size_t capacity)
{
	*q = (struct queue){.size = size, .capacity = capacity};
	q->slots = calloc(capacity, size);
	if (!q->slots)
		return FC_ENOMEM;
	if (pthread_mutex_init(&q->lock, NULL)) {
		free(q->slots);
		q->slots = NULL;
		return FC_ENOMEM;
	}
	return FC_OK;
}

void queue_fini(struct queue *q)
{
	if (!q->slots)
		return;
	(void)pthread_mutex_destroy(&q->lock);
	free(q->slots);
	q->slots = NULL;
}

int queue_put(struct queue *q, const void *message, size_t reserve)
{
	int result = FC_EBUSY;

	pthread_mutex_lock(&q->lock);
	if (q->capacity - q->used > reserve) {
		memcpy(q->slots + (q->first + q->used) % q->capacity * q->size, message, q->size);
		q->used++;
		result = FC_OK;
	}
	pthread_mutex_unlock(&q->lock);
	return result;
}

int queue_take(struct queue *q, void *message)
{
	int result = FC_ENOENT;

	pthread_mutex_lock(&q->lock);
	if (q->used) {
		memcpy(message, q->slots + q->first * q->size, q->size);
		q->first = (q->first + 1) % q->capacity;
		q->used--;
		/* While the loop keeps up, the same few slots are used again and again, and the rest of the room takes no memory. */
		if (!q->used)
			q->first = 0;
		result = FC_OK;
	}
	pthread_mutex_unlock(&q->lock);
	return result;
}
