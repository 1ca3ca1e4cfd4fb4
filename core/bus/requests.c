#include "bus/requests.h"

#include <string.h>

static const int64_t busy_first_us = 250000;

uint8_t request_unit(const struct request *r)
{
	return r->is_read ? r->read.unit : r->write.unit;
}

int requests_put(struct requests *q, const struct request *request)
{
	if (q->count == REQUESTS_MAX)
		return FC_EBUSY;
	q->list[q->count++] = *request;
	return FC_OK;
}

/* One of the same unit waits before it. */
static int has_older(const struct requests *q, int place)
{
	for (int i = 0; i < place; i++)
		if (request_unit(&q->list[i]) == request_unit(&q->list[place]))
			return 1;
	return 0;
}

int requests_next(const struct requests *q, int64_t now_us, int64_t *wait_us)
{
	*wait_us = INT64_MAX;
	for (int i = 0; i < q->count; i++) {
		int64_t wait = q->list[i].after_us - now_us;

		if (has_older(q, i))
			continue;
		if (wait <= 0)
			return i;
		*wait_us = wait < *wait_us ? wait : *wait_us;
	}
	return -1;
}

void requests_remove(struct requests *q, int place)
{
	q->count--;
	memmove(&q->list[place], &q->list[place + 1], (size_t)(q->count - place) * sizeof(q->list[0]));
}

int requests_again(struct requests *q, int place, int64_t now_us)
{
	struct request *r = &q->list[place];
	int64_t after = now_us + (busy_first_us << r->tries);

	if (++r->tries == REQUEST_TRIES || after > r->deadline_us)
		return 0;
	r->after_us = after;
	return 1;
}
