/* By hand: single requests of people on a running line, each with its answer. For this room only; others use device_ask(). */
#ifndef FC_DEVICE_BY_HAND_H
#define FC_DEVICE_BY_HAND_H

#include "device/device.h"

enum { BY_HAND_PENDING = 16 };

struct by_hand {
	struct by_hand_request {
		device_asked done; /* NULL: free */
		void *user;
		uint32_t line, tag;
		int dropped; /* to be told */
	} list[BY_HAND_PENDING];
	uint32_t count; /* of all there ever were: an old answer is no other request's */
};

/* read or write, the other is NULL. FC_OK: done comes once. FC_EBUSY, FC_EINVAL. */
int by_hand_send(struct by_hand *by_hand, struct bus_line *line, const struct bus_read *read,
		 const struct bus_write *write, device_asked done, void *user, struct error *err);
/* The bus's hook (bus_set_by_hand). */
void by_hand_result(void *by_hand, const struct bus_result *result);
/* The line is closed (0: all are): what waits for it will be told BUS_DISCONNECTED by the next run, not while lines come and go. */
void by_hand_drop(struct by_hand *by_hand, uint32_t line);
void by_hand_run(struct by_hand *by_hand);

#endif
