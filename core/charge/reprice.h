/* Reprice: a charge that is over, priced once more by another policy: what it would have cost. Nothing is changed. */
#ifndef FC_CHARGE_REPRICE_H
#define FC_CHARGE_REPRICE_H

#include "charge/order.h"
#include "charge/policy.h"

/* Large: on the heap. */
struct repriced {
	struct tariff tariff;
	struct split split;
	struct bill bill;
};

/* order: as read from the journal, metered; without a trace its energy is taken as even within each period, and *is_even is set.
 * station_id: of its connector, "" = not known. The policy sees the time at which the charge was started (script_pin). FC_OK; else
 * as policy_tariff. */
int reprice(struct policy *policy, struct order *order, const char *station_id, struct repriced *out, int *is_even,
	    struct error *err);
/* Nonzero when a figure that a platform is told differs. */
int reprice_differs(const struct bill *a, const struct bill *b);

#endif
