/* Checks: what came of the daily comparison of orders with each platform (protocol.md 2.15), kept for the report. */
#ifndef FC_STORE_CHECKS_H
#define FC_STORE_CHECKS_H

#include "store/journal.h"

enum { CHECKS_CATCH_UP_DAYS = 31 }; /* so far back the nightly comparison makes up for what was missed */

struct check {
	char platform[JOURNAL_NAME];
	int32_t day;     /* clock_day of the orders' ends */
	int64_t at_wall; /* when it was done */
	int64_t orders, energy_e2, money_e4;
	int64_t differences;
};

/* One order on which the two do not agree. */
struct check_difference {
	char seq[JOURNAL_SEQ];
	int reason;                              /* DisputeReason; CHECK_UNCONFIRMED, CHECK_NOT_OURS are our own */
	int64_t our_energy_e2, our_money_e4;     /* 0.01 kWh, 1/10 000 yuan */
	int64_t their_energy_e2, their_money_e4; /* -1 = not said */
};
enum {
	CHECK_MISSING = 1, /* protocol.md 2.15: it knows no such order */
	CHECK_MONEY = 2,
	CHECK_ENERGY = 3,
	CHECK_UNCONFIRMED = 1000, /* it has not answered to the order yet */
	CHECK_NOT_OURS = 1001,    /* it names an order that we don't know */
};
/* Static text for a report: "TotalMoney", "missing there" ... */
const char *check_reason_text(int reason);

/* An order of the day that a platform started and was to get. */
struct check_order {
	char seq[JOURNAL_SEQ];
	int64_t wh, money_e4;
	int confirmed; /* it has answered to it */
};
/* Oldest first; ended in first..last. Returns how many, or FC_EIO. */
int checks_each_order(struct store *store, const char *platform, int64_t first, int64_t last,
		      void (*fn)(void *user, const struct check_order *order), void *user);
/* Orders that ended then and are not settled yet; FC_EIO (negative) when that can't be read. */
int64_t checks_unsettled(struct store *store, const char *platform, int64_t first, int64_t last);

/* Replaces an earlier check of that day. FC_OK, FC_EIO (nothing changed). */
int checks_save(struct store *store, const struct check *check, const struct check_difference *list, int count,
		struct error *err);
/* The last day that was checked with a platform; FC_ENOENT, FC_EIO. */
int checks_last_day(struct store *store, const char *platform, int32_t *day);
/* FC_OK, FC_ENOENT, FC_EIO. */
int checks_get(struct store *store, const char *platform, int32_t day, struct check *check);
/* Those with a platform (NULL: with all), the newest day first, most at most. Returns how many, or FC_EIO. */
int checks_each(struct store *store, const char *platform, int most, void (*fn)(void *user, const struct check *check),
		void *user);
/* Returns how many, or FC_EIO. */
int checks_each_difference(struct store *store, const char *platform, int32_t day,
			   void (*fn)(void *user, const struct check_difference *difference), void *user);

#endif
