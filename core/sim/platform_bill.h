/* What a platform checks for itself in an order: the lines sum to the totals, and energy times the price that it was told is
 * the money. Worked out here, from the message alone: nothing is shared with the daemon's bill. */
#ifndef FC_SIM_PLATFORM_BILL_H
#define FC_SIM_PLATFORM_BILL_H

#include "sim/platform_dialect.h"

enum { PERIODS_MAX = 32 /* protocol.md 2.7 */, WHY_SIZE = 160 };

/* The prices of one day, as query_equip_business_policy was answered. */
struct prices {
	char day[11];
	int count;
	struct {
		int start_s;
		int64_t elec_e4, service_e4;
	} periods[PERIODS_MAX];
};

/* Of an order or a snapshot; energy in 1/10 000 kWh, money in 1/10 000 yuan. */
struct totals {
	int64_t energy_e4, elec_e4, service_e4, money_e4;
};

/* Those with a why give 0, or -1 and say why. */
int bill_prices(const struct dialect *dialect, const json_t *answer, const char *day, struct prices *prices,
		char why[WHY_SIZE]);
/* The period of a second of the day. */
int bill_period(const struct prices *prices, int second);
int bill_snapshot(const struct dialect *dialect, const json_t *snapshot, struct totals *totals, char why[WHY_SIZE]);
int bill_order(const struct dialect *dialect, const json_t *order, const struct prices *prices, struct totals *totals,
	       char why[WHY_SIZE]);

#endif
