/* Retain: how long orders are kept. Flash is small: an order with its entries in the outbox takes some 1.8 kB, 500 a day 330 MB a year.
 *
 * Two bounds. By age: orders go after so many days. By size: the file keeps within its share of the partition, so that a full disk is
 * never the end; first the curves of charges go that are older than RETAIN_CURVE_DAYS, then the oldest orders.
 *
 * Only an order that is whole ever goes: it has ended, each platform that was to be told of it has confirmed it (or takes no such
 * message any more), and it was compared with the platform that started it, or never will be: nothing was compared with that
 * platform ever and it is RETAIN_SETTLE_DAYS old, or it is older than what the nightly comparison makes up for
 * (CHECKS_CATCH_UP_DAYS). One that both do not agree on goes by age alone. The last two of each connector stay: the next charge is
 * measured against them. When orders that are not whole fill the share, nothing is deleted, and is_stuck says so.
 *
 * RETAIN_STEP at a time, in one transaction with their entries: a power cut finds each whole or gone. Pages that become free are used
 * again by the next orders; the file does not shrink, since moving pages would cost flash. Nothing is deleted within an hour of a
 * start or a jump of the clock, nor while it is not trusted. */
#ifndef FC_STORE_RETAIN_H
#define FC_STORE_RETAIN_H

#include "store/store.h"

enum {
	RETAIN_STEP = 32,       /* orders deleted in one transaction at most */
	RETAIN_LOOKS = 256,     /* ... and looked at */
	RETAIN_SETTLE_DAYS = 2, /* a platform's first comparison comes the night after */
	RETAIN_CURVE_DAYS = 7,
	RETAIN_FIGURE_DAYS = 1100 /* energy by day, and what came of comparisons: three years */
};

struct retain_limits {
	int days;  /* after its end; 0: as long as there is room */
	int share; /* percent of the partition that the file and its WAL may take, 1..100; 0: no bound */
};
/* From the next retain_tend on. Before it is called first nothing is deleted. */
void retain_set(struct store *store, const struct retain_limits *limits);
/* From time to time, outside of any callback of this room: a step of what is to be done, which is nothing mostly. */
void retain_tend(struct store *store);

struct retain_state {
	struct retain_limits limits;
	int64_t oldest_wall; /* end of the oldest order that is kept; 0: there is none */
	int64_t used, most;  /* bytes of the file in use; its share of the partition, 0: not known or no bound */
	uint64_t deleted;    /* orders, since the start */
	int is_stuck;        /* used is above most, and all that may go is gone */
	int64_t stuck_us;    /* monotonic: since when */
};
/* Some minutes old at most. */
const struct retain_state *retain_look(const struct store *store);

#endif
