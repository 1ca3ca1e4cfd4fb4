#include "device/by_hand.h"

#include "base/clock.h"

static struct by_hand_request *free_place(struct by_hand *h)
{
	for (int i = 0; i < BY_HAND_PENDING; i++)
		if (!h->list[i].done)
			return &h->list[i];
	return NULL;
}

int by_hand_send(struct by_hand *h, struct bus_line *line, const struct bus_read *read, const struct bus_write *write,
		 device_asked done, void *user, struct error *err)
{
	struct by_hand_request *r = free_place(h);
	int result = FC_EBUSY;

	if (!r)
		return error_set(err, FC_EBUSY, "too many requests by hand are under way");
	uint32_t tag = ++h->count * BY_HAND_PENDING + (uint32_t)(r - h->list);
	if (read) {
		struct bus_read once = *read;

		once.tag = tag;
		result = bus_line_read(line, &once);
	} else {
		struct bus_write once = *write;

		once.tag = tag;
		once.by_hand = 1;
		result = bus_line_write(line, &once);
	}
	if (result)
		return error_set(err, result, "%s",
				 result == FC_EBUSY ? "the line takes no more requests now"
						    : "no such unit, function, address or count on this line");
	*r = (struct by_hand_request){.done = done, .user = user, .line = bus_line_id(line), .tag = tag};
	return FC_OK;
}

/* The place is free before anyone is told: the answer may be another request. */
static void finish(struct by_hand_request *r, const struct bus_result *result)
{
	struct by_hand_request told = *r;

	*r = (struct by_hand_request){0};
	told.done(told.user, result);
}

void by_hand_result(void *by_hand, const struct bus_result *result)
{
	struct by_hand *h = by_hand;
	struct by_hand_request *r = &h->list[result->tag % BY_HAND_PENDING];

	if (r->done && !r->dropped && r->tag == result->tag && r->line == result->line)
		finish(r, result);
}

void by_hand_drop(struct by_hand *h, uint32_t line)
{
	for (int i = 0; i < BY_HAND_PENDING; i++)
		h->list[i].dropped |= h->list[i].done && (!line || h->list[i].line == line);
}

void by_hand_run(struct by_hand *h)
{
	for (int i = 0; i < BY_HAND_PENDING; i++) {
		struct by_hand_request *r = &h->list[i];

		if (r->done && r->dropped)
			finish(r, &(struct bus_result){.line = r->line,
						       .tag = r->tag,
						       .by_hand = 1,
						       .status = BUS_DISCONNECTED,
						       .mono_us = clock_mono_us()});
	}
}
