/* Queue: bounded, messages by value; many producers, one consumer. */
#ifndef FC_BUS_QUEUE_H
#define FC_BUS_QUEUE_H

#include <pthread.h>
#include <stddef.h>

struct queue {
	pthread_mutex_t lock;
	char *slots;
	size_t size, capacity, first, used;
};

/* capacity messages of size bytes. FC_OK, FC_ENOMEM. */
int queue_init(struct queue *q, size_t size, size_t capacity);
void queue_fini(struct queue *q);
/* FC_OK, or FC_EBUSY when no more than reserve places are free. */
int queue_put(struct queue *q, const void *message, size_t reserve);
/* FC_OK, or FC_ENOENT when empty. */
int queue_take(struct queue *q, void *message);

#endif
