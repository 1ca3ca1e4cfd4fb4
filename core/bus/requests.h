/* Requests: what waits to be sent besides the polls: writes, and reads by hand. First come, first served within a unit; a unit that is
 * busy holds up only its own. Pure logic, no lock, no clock of its own, no allocation. For this room only. */
#ifndef FC_BUS_REQUESTS_H
#define FC_BUS_REQUESTS_H

#include "bus/bus.h"

enum { REQUESTS_MAX = 32, REQUEST_TRIES = 4 };

struct request {
	int is_read;
	union {
		struct bus_read read;
		struct bus_write write;
	};
	int64_t deadline_us; /* not sent after it */
	int64_t after_us;    /* not sent before it: the unit was busy */
	int tries;
};

struct requests {
	struct request list[REQUESTS_MAX];
	int count;
};

uint8_t request_unit(const struct request *request);
/* FC_OK, FC_EBUSY when all places are taken. */
int requests_put(struct requests *requests, const struct request *request);
/* Place of the one to send now, or -1. The place is good until it is removed: others are put behind it. *wait_us: with -1 when to
 * look again, INT64_MAX when there is none. */
int requests_next(const struct requests *requests, int64_t now_us, int64_t *wait_us);
void requests_remove(struct requests *requests, int place);
/* The unit said that it is busy: sent again after a while. 0: not again, it was tried often enough or its time is over. */
int requests_again(struct requests *requests, int place, int64_t now_us);

#endif
